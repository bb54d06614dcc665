#include "chat/memory.h"

#include <map>

#include "absl/strings/escaping.h"
#include "util/digest.h"
#include "util/status.h"

namespace todo::chat {
namespace {

/// It holds a digest of the user id, because user ids may contain characters that keys may not.
std::string KeyOf(const domain::UserId& user) { return "chat-" + DigestOf(user.value); }

void Shorten(Reply& reply) {
  constexpr std::size_t kMaxListed = 50;
  for (Action& action : reply.actions) {
    if (action.tasks.size() > kMaxListed) action.tasks.resize(kMaxListed);
    for (domain::Task& task : action.tasks) task.fields.description.reset();
  }
  if (!reply.question) return;
  for (Offer& offer : reply.question->offers) offer.task.fields.description.reset();
}

}  // namespace

std::string DigestOf(std::string_view text) {
  const std::string digest = util::Sha256(text);
  return absl::BytesToHexString(absl::string_view(digest.data(), digest.size()));
}

bool Overtake(Memory& memory, const domain::Uuid& change_id) {
  if (!memory.undo || memory.undo->overtaken_by || memory.undo->change_id == change_id)
    return false;
  memory.undo->overtaken_by = change_id;
  return true;
}

void Limit(Memory& memory) {
  std::vector<GivenReply>& replies = memory.replies;
  if (replies.size() > kMaxReplies) replies.resize(kMaxReplies);
  if (replies.empty() || FormatMemory(memory).size() <= kMaxMemoryBytes) return;
  for (GivenReply& given : replies) Shorten(given.reply);
  while (replies.size() > 1 && FormatMemory(memory).size() > kMaxMemoryBytes) replies.pop_back();
}

absl::StatusOr<MemoryStore::Read> MemoryStore::Get(const domain::UserId& user) {
  const std::string key = KeyOf(user);
  const auto values = store_.Read({key});
  if (!values.ok()) return util::WithReason(values.status(), "STATE_STORE_AWAY");
  const auto found = values->find(key);
  if (found == values->end()) return Read{};
  return Read{.memory = ParseMemory(found->second.data).value_or(Memory()),
              .etag = found->second.etag};
}

absl::Status MemoryStore::Put(const domain::UserId& user, const Memory& memory,
                              const std::string& etag) {
  absl::Status written = store_.Write(KeyOf(user), FormatMemory(memory), etag, kUndoLives);
  if (written.ok() || absl::IsAborted(written)) return written;
  return util::WithReason(std::move(written), "STATE_STORE_AWAY");
}

absl::Status MemoryStore::Update(const domain::UserId& user,
                                 const std::function<bool(Memory&)>& change) {
  constexpr int kAttempts = 5;
  absl::Status written;
  for (int attempt = 1; attempt <= kAttempts; ++attempt) {
    TODO_ASSIGN_OR_RETURN(Read read, Get(user));
    if (!change(read.memory)) return absl::OkStatus();
    written = Put(user, read.memory, read.etag);
    if (!absl::IsAborted(written)) return written;
  }
  return written;
}

}  // namespace todo::chat

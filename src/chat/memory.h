#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "chat/reply.h"
#include "domain/ids.h"
#include "domain/task/task.h"
#include "domain/time.h"
#include "domain/wording.h"
#include "ports/language_model.h"
#include "ports/state_store.h"

// What the conversation remembers of each user, in the state store.

namespace todo::chat {

inline constexpr std::chrono::minutes kQuestionLives{10};
inline constexpr std::chrono::hours kUndoLives{24};
/// Replies are kept for repeated calls, the last ones.
inline constexpr std::size_t kMaxReplies = 50;
inline constexpr std::size_t kMaxMemoryBytes = 256 * 1024;

/// A task, as a question showed it.
struct Pin {
  domain::TaskId id;
  std::int64_t version = 0;
  bool operator==(const Pin&) const = default;
};
/// A reference of a sentence: the begin and the end of its span.
using Slot = std::pair<std::size_t, std::size_t>;
/// The tasks that references stand for.
using Pins = std::map<Slot, Pin>;

/// A sentence, with all that its meaning depends on: it can be read again later.
struct Wish {
  std::string text;
  domain::Instant at;
  std::string time_zone;
  domain::Wording wording;
  std::vector<ports::ModelCall> model_calls;  // not empty: a model read the sentence
  std::string understood_by = "grammar";
  bool operator==(const Wish&) const = default;
};

struct OfferedTask {
  Pin pin;
  std::string title;
  std::string due = {};  // in words
  bool operator==(const OfferedTask&) const = default;
};

/// A question that was asked and not yet answered. Its answer leads to at most one change: the
/// question's id is the request id of that change, so that two answers at the same time, and a
/// repeated one, cannot change anything twice.
struct OpenQuestion {
  domain::Uuid id;
  std::string text;
  ActionKind kind = ActionKind::kHelp;
  domain::Instant expires_at;
  Wish wish;  // carried out after the answer
  Pins pins;
  std::optional<Slot> slot;  // the reference that is asked about; nullopt: yes or no
  std::vector<OfferedTask> offers;
  /// The first answer: "yes", "no" or the index of an offer. Empty: none yet. Only an equal answer
  /// is carried out, again and again until its outcome is remembered.
  std::string answer;
  bool operator==(const OpenQuestion&) const = default;
};

/// What takes back one change.
struct UndoStep {
  ActionKind kind = ActionKind::kAdd;  // of the change
  domain::TaskId id;
  std::optional<std::int64_t> version;  // after all changes; nullopt: it is not checked
  std::string title;                    // after the change
  std::optional<domain::Task> before;   // of kRename and kPostpone
  std::vector<int> reminder_numbers;    // of kRemind
  bool operator==(const UndoStep&) const = default;
};

/// How the last thing done is taken back, at most once: `id` is the request id of that.
struct Undo {
  domain::Uuid id;
  domain::Uuid change_id;  // the request id of the change
  domain::Instant expires_at;
  std::vector<UndoStep> steps;
  /// The request id of a later change that was begun: then this is not the last one any more, even
  /// if the later one could not be remembered.
  std::optional<domain::Uuid> overtaken_by = {};
  bool operator==(const Undo&) const = default;
};

/// An answer that was given to a call with a request id.
struct GivenReply {
  domain::RequestId request_id;
  std::string fingerprint;  // DigestOf the call's
  Reply reply;
  bool operator==(const GivenReply&) const = default;
};

struct Memory {
  std::optional<OpenQuestion> question;
  std::optional<Undo> undo;
  std::optional<domain::TaskId> spoken_of;  // the task that "it" is
  std::vector<GivenReply> replies;          // the last one first
  bool operator==(const Memory&) const = default;
};

/// A short text that is equal for equal texts: for fingerprints.
std::string DigestOf(std::string_view text);

/// Notes that the change with the request id `change_id` begins. Whether there was something to
/// note.
bool Overtake(Memory& memory, const domain::Uuid& change_id);

/// Forgets replies beyond kMaxReplies. When there is no room in kMaxMemoryBytes, the tasks of
/// replies lose their descriptions and lists their tails; if need be, the oldest replies go too.
/// The last one stays.
void Limit(Memory& memory);

std::string FormatMemory(const Memory& memory);
/// nullopt: the text was written by another version, or is damaged.
std::optional<Memory> ParseMemory(std::string_view json);

/// Thread safety: all methods may be called from many threads at once. All block on the state
/// store. kUnavailable (STATE_STORE_AWAY), from all: the store cannot do it now.
class MemoryStore {
 public:
  /// `store` must outlive this object.
  explicit MemoryStore(ports::StateStore& store) : store_(store) {}

  struct Read {
    Memory memory;
    std::string etag;
  };
  /// Memory that cannot be read counts as empty.
  absl::StatusOr<Read> Get(const domain::UserId& user);
  /// kAborted: another call has written meanwhile.
  absl::Status Put(const domain::UserId& user, const Memory& memory, const std::string& etag);
  /// Reads, applies `change` and writes, again while other calls write in between. `change` says
  /// whether there is anything to write.
  absl::Status Update(const domain::UserId& user, const std::function<bool(Memory&)>& change);

 private:
  ports::StateStore& store_;
};

}  // namespace todo::chat

#include "chat/memory.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/fake_senders.h"
#include "support/status_matchers.h"

// What the conversation remembers.

namespace todo::chat {
namespace {

using support::IsOk;
using support::StatusIs;

domain::Instant At(std::string_view text) { return *domain::ParseInstant(text); }
domain::Uuid Id(char digit) { return domain::Uuid::FromBytes(std::string(16, digit), 7); }

domain::Task SomeTask() {
  domain::Task task;
  task.id = {7};
  task.user = {"ada"};
  task.fields.title = "Buy “milk”";
  task.fields.due = *domain::ResolveLocalDue("2026-11-27T09:00", "Europe/Berlin");
  task.fields.time_zone = "Europe/Berlin";
  task.version = 3;
  task.created_at = task.updated_at = At("2026-11-26T10:00:00Z");
  return task;
}

Memory FullMemory() {
  Memory memory;
  OpenQuestion& question = memory.question.emplace();
  question.id = Id('q');
  question.text = "Which one?";
  question.kind = ActionKind::kComplete;
  question.expires_at = At("2026-11-26T10:10:00Z");
  question.wish.text = "complete milk";
  question.wish.at = At("2026-11-26T10:00:00Z");
  question.wish.time_zone = "Europe/Berlin";
  question.wish.wording.language = "german";
  question.wish.model_calls = {{.name = "complete_task", .arguments = "{}"}};
  question.pins[{9, 13}] = {.id = {7}, .version = 3};
  question.slot = {{9, 13}};
  question.offers = {{.pin = {.id = {7}, .version = 3}, .title = "milk"}};
  question.answer = "0";
  Undo& undo = memory.undo.emplace();
  undo.id = Id('u');
  undo.change_id = Id('c');
  undo.expires_at = At("2026-11-27T10:00:00Z");
  undo.steps.push_back({.kind = ActionKind::kRename,
                        .id = {7},
                        .version = 4,
                        .title = "milk",
                        .before = SomeTask(),
                        .reminder_numbers = {1, 2}});
  undo.overtaken_by = Id('o');
  memory.spoken_of = domain::TaskId{7};
  Reply reply;
  reply.text = "Done: “milk”.";
  reply.actions.push_back(
      {.kind = ActionKind::kComplete,
       .tasks = {SomeTask()},
       .reminder_numbers = {1},
       .resolved = {{.phrase = "friday", .meaning = "Friday", .time = At("2026-11-27T00:00:00Z")}},
       .usage =
           service::UsageSummary{
               .created = 1, .completed = 2, .open = 3, .overdue = 4, .streak_days = 5},
       .changed = true,
       .notes = {"a note"}});
  reply.question = Question{.text = "Which one?",
                            .kind = ActionKind::kDelete,
                            .offers = {{.number = 2, .task = SomeTask()}},
                            .expires_at = At("2026-11-26T10:10:00Z")};
  reply.understood_by = "grammar";
  reply.undoable = true;
  memory.replies.push_back(
      {.request_id = {Id('r')}, .fingerprint = DigestOf("text"), .reply = std::move(reply)});
  return memory;
}

TEST(MemoryTest, IsReadAsItWasWritten) {
  const Memory memory = FullMemory();
  EXPECT_EQ(ParseMemory(FormatMemory(memory)), memory);
  EXPECT_EQ(ParseMemory(FormatMemory({})), Memory());
}

TEST(MemoryTest, HasABound) {
  Memory memory = FullMemory();
  for (int i = 0; i < 60; ++i) memory.replies.push_back(memory.replies.front());
  Limit(memory);
  EXPECT_EQ(memory.replies.size(), kMaxReplies);
  memory.replies.back().reply.actions[0].tasks.resize(500, SomeTask());
  memory.replies.back().reply.actions[0].tasks[0].fields.description = std::string(300'000, 'x');
  Limit(memory);
  EXPECT_EQ(memory.replies.size(), kMaxReplies) << "a long list goes before other replies";
  EXPECT_LE(FormatMemory(memory).size(), kMaxMemoryBytes);
  for (GivenReply& given : memory.replies) given.reply.text = std::string(200'000, 'x');
  Limit(memory);
  EXPECT_EQ(memory.replies.size(), 1u);
  EXPECT_LE(FormatMemory(memory).size(), kMaxMemoryBytes);
}

TEST(MemoryTest, DamagedTextIsNoMemory) {
  const std::string text = FormatMemory(FullMemory());
  for (const std::string& damaged :
       {std::string(), std::string("[]"), std::string("{}"), text.substr(1),
        std::string(R"({"replies":[{}]})"), std::string(R"({"replies":[],"undo":{}})"),
        std::string(R"({"replies":[],"question":{"id":"x"}})"),
        std::string(R"({"replies":[],"spoken_of":"x"})")}) {
    EXPECT_EQ(ParseMemory(damaged), std::nullopt) << damaged;
  }
}

class MemoryStoreTest : public testing::Test {
 protected:
  support::FakeStateStore state_;
  MemoryStore store_{state_};
  const domain::UserId ada_{"a||da"};
};

TEST_F(MemoryStoreTest, AUserHasAMemoryOfTheirOwnForADay) {
  Memory memory;
  memory.spoken_of = domain::TaskId{7};
  EXPECT_THAT(store_.Put(ada_, memory, ""), IsOk());
  EXPECT_EQ(state_.last_ttl(), std::chrono::hours(24));
  EXPECT_EQ(store_.Get(ada_)->memory, memory);
  EXPECT_EQ(store_.Get({"bob"})->memory, Memory());
}

TEST_F(MemoryStoreTest, AnOvertakenWriteIsRefusedAndAnUpdateRepeated) {
  EXPECT_THAT(store_.Put(ada_, {}, ""), IsOk());
  EXPECT_THAT(store_.Put(ada_, {}, ""), StatusIs(absl::StatusCode::kAborted));
  int reads = 0;
  EXPECT_THAT(store_.Update(ada_,
                            [&](Memory& memory) {
                              if (++reads == 1) {
                                const auto read = store_.Get(ada_);
                                EXPECT_THAT(store_.Put(ada_, FullMemory(), read->etag), IsOk());
                              }
                              memory.spoken_of = domain::TaskId{9};
                              return true;
                            }),
              IsOk());
  EXPECT_EQ(reads, 2);
  EXPECT_EQ(store_.Get(ada_)->memory.spoken_of, domain::TaskId{9});
  EXPECT_TRUE(store_.Get(ada_)->memory.question) << "the other write is kept";
}

TEST_F(MemoryStoreTest, AStoreThatIsAwayIsNamed) {
  state_.FailWith(absl::UnavailableError("away"));
  EXPECT_EQ(util::ReasonOf(store_.Get(ada_).status()), "STATE_STORE_AWAY");
  EXPECT_EQ(util::ReasonOf(store_.Put(ada_, {}, "")), "STATE_STORE_AWAY");
}

}  // namespace
}  // namespace todo::chat

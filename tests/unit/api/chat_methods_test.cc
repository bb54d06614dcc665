#include "api/chat_methods.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <string>

#include "served.h"
#include "support/fake_database.h"
#include "support/fake_preferred_zones.h"
#include "support/fake_senders.h"
#include "support/fake_task_finder.h"
#include "support/fake_task_store.h"
#include "todo/v1/chat_service.grpc.pb.h"

namespace todo::api {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::UnorderedElementsAre;
using Response = v1::SendResponse;

class StandingClock final : public ports::Clock {
 public:
  domain::Instant Now() const override { return *domain::ParseInstant("2026-11-26T10:00:00Z"); }
};

class CountingIds final : public ports::IdSource {
 public:
  domain::Uuid NewId() override {
    std::string bytes(16, 'i');
    bytes.back() = static_cast<char>(++count_);
    return domain::Uuid::FromBytes(bytes, 7);
  }

 private:
  std::atomic<int> count_ = 0;
};

/// The service as clients see it, on the fakes.
class ChatMethodsTest : public testing::Test {
 protected:
  grpc::Status Call(const v1::SendRequest& request, v1::SendResponse* response,
                    const std::string& user = "alice") {
    return stub_->Send(CallAs(user).get(), request, response);
  }
  v1::SendResponse Say(const std::string& text, const std::string& request_id = "") {
    v1::SendRequest request;
    request.set_text(text);
    request.set_request_id(request_id);
    v1::SendResponse response;
    const grpc::Status status = Call(request, &response);
    EXPECT_TRUE(status.ok()) << status.error_message();
    return response;
  }

  support::FakeDatabase database_;
  support::FakeTaskStore store_{database_};
  support::FakePreferredZones zones_{database_};
  support::FakeTaskFinder finder_{database_};
  support::FakeStateStore state_;
  StandingClock clock_;
  CountingIds ids_;
  service::TaskService tasks_{store_, zones_, clock_, ids_};
  chat::Conversation conversation_{
      {.tasks = tasks_,
       .finder = finder_,
       .state = state_,
       .clock = clock_,
       .ids = ids_,
       .preferences = [](const domain::UserId&) -> absl::StatusOr<domain::NotificationPreferences> {
         return domain::NotificationPreferences();
       },
       .usage = [](const domain::UserId&, const domain::TimeZone&,
                   std::optional<service::UsageDays>) -> absl::StatusOr<service::UsageSummary> {
         return service::UsageSummary{
             .created = 1, .completed = 2, .open = 3, .overdue = 4, .streak_days = 5};
       },
       .model = nullptr}};
  Served served_{MakeChatMethods(conversation_)};
  std::unique_ptr<v1::ChatService::Stub> stub_ = v1::ChatService::NewStub(served_.channel());
};

TEST_F(ChatMethodsTest, AnAnswerHasWordsAndData) {
  const v1::SendResponse added = Say("remind me to leave tomorrow at 9");
  EXPECT_THAT(added.text(), HasSubstr("Added: “leave”"));
  EXPECT_EQ(added.understood_by(), "grammar");
  EXPECT_TRUE(added.undoable());
  ASSERT_EQ(added.actions_size(), 1);
  const Response::Action& action = added.actions(0);
  EXPECT_EQ(action.kind(), Response::ADD);
  EXPECT_TRUE(action.changed());
  EXPECT_EQ(action.tasks(0).title(), "leave");
  EXPECT_EQ(action.tasks(0).etag(), "v1");
  EXPECT_THAT(action.reminder_numbers(), ElementsAre(1));
  ASSERT_EQ(action.resolved_size(), 1);
  EXPECT_EQ(action.resolved(0).phrase(), "tomorrow at 9");
  EXPECT_EQ(action.resolved(0).meaning(), "Friday, 27 November 2026, 09:00");
  EXPECT_EQ(action.resolved(0).time().seconds(), action.tasks(0).due_date().seconds());
}

TEST_F(ChatMethodsTest, AQuestionHasNumberedTasks) {
  Say("add write report; add send report");
  const v1::SendResponse asked = Say("complete the report");
  ASSERT_TRUE(asked.has_question());
  EXPECT_EQ(asked.question().kind(), Response::COMPLETE);
  ASSERT_EQ(asked.question().choices_size(), 2);
  EXPECT_EQ(asked.question().choices(1).number(), 2);
  EXPECT_EQ(asked.question().choices(1).task().title(), "send report");
  EXPECT_GT(asked.question().expire_time().seconds(), 0);
  EXPECT_EQ(Say("send").actions(0).kind(), Response::COMPLETE);
}

TEST_F(ChatMethodsTest, EveryKindOfActionHasItsName) {
  Say("add milk tomorrow");
  const std::pair<const char*, Response::Kind> kinds[] = {
      {"rename milk to oat milk", Response::RENAME},
      {"move it to friday at 9", Response::POSTPONE},
      {"remind me of it 30 min before", Response::REMIND},
      {"complete it", Response::COMPLETE},
      {"reopen it", Response::UNCOMPLETE},
      {"find milk", Response::SEARCH},
      {"show everything", Response::LIST},
      {"how am I doing?", Response::USAGE},
      {"help", Response::HELP},
      {"undo", Response::UNDO}};
  for (const auto& [text, kind] : kinds) {
    const v1::SendResponse response = Say(text);
    ASSERT_EQ(response.actions_size(), 1) << text << ": " << response.text();
    EXPECT_EQ(response.actions(0).kind(), kind) << text;
  }
  Say("delete oat milk");
  EXPECT_EQ(Say("yes").actions(0).kind(), Response::DELETE);
  EXPECT_EQ(Say("how am I doing?").actions(0).usage().streak_days(), 5);
}

TEST_F(ChatMethodsTest, ARepeatedCallGetsTheFirstAnswer) {
  const std::string id = "550e8400-e29b-41d4-a716-446655440000";
  const v1::SendResponse first = Say("add milk", id);
  EXPECT_EQ(Say("add milk", id).SerializeAsString(), first.SerializeAsString());
  v1::SendRequest other;
  other.set_text("add eggs");
  other.set_request_id(id);
  v1::SendResponse response;
  EXPECT_EQ(Call(other, &response).error_code(), grpc::StatusCode::ALREADY_EXISTS);
}

TEST_F(ChatMethodsTest, RequestsAreChecked) {
  v1::SendRequest request;
  v1::SendResponse response;
  EXPECT_THAT(FieldsOf(Call(request, &response)), ElementsAre("text"));
  request.set_text("help");
  request.set_time_zone("Mars/Base");
  EXPECT_THAT(FieldsOf(Call(request, &response)), ElementsAre("time_zone"));
  request.set_request_id("one");
  request.set_time_zone(std::string("UTC\0", 4));
  EXPECT_THAT(FieldsOf(Call(request, &response)), UnorderedElementsAre("request_id", "time_zone"));
}

}  // namespace
}  // namespace todo::api

#include "api/todo_methods.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "fake_feed.h"
#include "fake_tickets.h"
#include "served.h"
#include "support/fake_database.h"
#include "support/fake_notification_store.h"
#include "support/fake_preferred_zones.h"
#include "support/fake_senders.h"
#include "support/fake_task_store.h"

namespace todo::api {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

class StandingClock final : public ports::Clock {
 public:
  domain::Instant Now() const override { return *domain::ParseInstant("2026-10-24T09:00:00Z"); }
};

class CountingIds final : public ports::IdSource {
 public:
  domain::Uuid NewId() override {
    std::string bytes(16, '\0');
    const int number = ++count_;
    bytes[14] = static_cast<char>(number >> 8);
    bytes[15] = static_cast<char>(number);
    return domain::Uuid::FromBytes(bytes, 7);
  }

 private:
  std::atomic<int> count_ = 0;
};

/// The service as clients see it, on a store in memory.
class TodoMethodsTest : public testing::Test {
 protected:
  template <typename Request, typename Response>
  using Method = grpc::Status (v1::TodoService::Stub::*)(grpc::ClientContext*, const Request&,
                                                         Response*);

  template <typename Request, typename Response>
  grpc::Status Call(Method<Request, Response> method, const Request& request, Response* response,
                    const std::string& user = "alice") {
    return (served_.stub().*method)(CallAs(user).get(), request, response);
  }

  v1::Task Create(const std::string& title, const std::string& user = "alice",
                  const std::string& description = "") {
    v1::CreateTaskRequest request;
    request.mutable_task()->set_title(title);
    if (!description.empty()) request.mutable_task()->set_description(description);
    v1::Task task;
    const grpc::Status status = Call(&v1::TodoService::Stub::CreateTask, request, &task, user);
    EXPECT_TRUE(status.ok()) << status.error_message();
    return task;
  }

  support::FakeDatabase database_;
  support::FakeTaskStore store_{database_};
  support::FakePreferredZones zones_{database_};
  StandingClock clock_;
  CountingIds ids_;
  service::TaskService tasks_{store_, zones_, clock_, ids_};
  support::FakeNotificationStore notification_store_{database_};
  support::FakeStateStore state_;
  service::ChannelSet channels_;
  service::NotificationSettings settings_{
      {notification_store_, state_, zones_, clock_, ids_, channels_}};
  FakeFeed feed_;
  FakeTickets tickets_;
  Served served_{MakeTodoMethods({tasks_, feed_, tickets_, settings_, clock_})};
};

using Stub = v1::TodoService::Stub;

TEST_F(TodoMethodsTest, ATaskFromItsCreationToItsEnd) {
  v1::Task task = Create("Water the plants");
  EXPECT_GT(task.id(), 0);
  EXPECT_EQ(task.version(), 1);
  EXPECT_EQ(task.priority(), v1::PRIORITY_MEDIUM);
  EXPECT_EQ(task.user_id(), "alice");

  v1::UpdateTaskRequest update;
  update.mutable_task()->set_id(task.id());
  update.mutable_task()->set_etag(task.etag());
  update.mutable_task()->set_title("Water all plants");
  update.mutable_update_mask()->add_paths("title");
  ASSERT_TRUE(Call(&Stub::UpdateTask, update, &task).ok());
  EXPECT_EQ(task.title(), "Water all plants");
  EXPECT_EQ(task.version(), 2);

  EXPECT_EQ(Call(&Stub::UpdateTask, update, &task).error_code(), grpc::ABORTED)
      << "the etag is stale now";

  v1::CompleteTaskRequest complete;
  complete.set_id(task.id());
  ASSERT_TRUE(Call(&Stub::CompleteTask, complete, &task).ok());
  EXPECT_TRUE(task.completed());
  v1::UncompleteTaskRequest uncomplete;
  uncomplete.set_id(task.id());
  ASSERT_TRUE(Call(&Stub::UncompleteTask, uncomplete, &task).ok());
  EXPECT_FALSE(task.completed());
  v1::DeleteTaskRequest remove;
  remove.set_id(task.id());
  ASSERT_TRUE(Call(&Stub::DeleteTask, remove, &task).ok());
  v1::GetTaskRequest get;
  get.set_id(task.id());
  EXPECT_EQ(Call(&Stub::GetTask, get, &task).error_code(), grpc::NOT_FOUND);
  v1::RestoreTaskRequest restore;
  restore.set_id(task.id());
  EXPECT_EQ(Call(&Stub::RestoreTask, restore, &task, "bob").error_code(), grpc::NOT_FOUND);
  restore.set_request_id("not a uuid");
  EXPECT_EQ(Call(&Stub::RestoreTask, restore, &task).error_code(), grpc::INVALID_ARGUMENT);
  restore.set_request_id("7d444840-9dc0-41d1-b245-5ffdce74fad2");
  ASSERT_TRUE(Call(&Stub::RestoreTask, restore, &task).ok());
  EXPECT_EQ(task.version(), 6);
  ASSERT_TRUE(Call(&Stub::RestoreTask, restore, &task).ok()) << "repeated";
  ASSERT_TRUE(Call(&Stub::GetTask, get, &task).ok());

  v1::ListChangesRequest list;
  v1::ListChangesResponse changes;
  ASSERT_TRUE(Call(&Stub::ListChanges, list, &changes).ok());
  std::vector<std::string> kinds;
  for (const auto& change : changes.changes()) kinds.push_back(change.event_type());
  EXPECT_THAT(kinds,
              ElementsAre("created", "updated", "completed", "uncompleted", "deleted", "created"));
  EXPECT_EQ(changes.last_seq(), 6);
}

TEST_F(TodoMethodsTest, ASeriesIsEditedThroughItsTasks) {
  v1::CreateTaskRequest create;
  create.mutable_task()->set_title("Water the plants");
  create.mutable_task()->set_due_local("2026-10-24T09:00:00");
  create.mutable_task()->set_recurrence_rule("FREQ=DAILY");
  v1::Task task;
  ASSERT_TRUE(Call(&Stub::CreateTask, create, &task).ok());
  const std::int64_t id = task.id();

  v1::UpdateTaskRequest update;
  update.mutable_task()->set_id(id);
  update.mutable_task()->set_recurrence_rule("FREQ=WEEKLY");
  update.mutable_update_mask()->add_paths("recurrence_rule");
  update.set_scope(v1::SERIES_SCOPE_THIS);
  const grpc::Status refused = Call(&Stub::UpdateTask, update, &task);
  EXPECT_EQ(refused.error_code(), grpc::INVALID_ARGUMENT);
  EXPECT_THAT(refused.error_message(), HasSubstr("task.recurrence_rule"));
  update.set_scope(v1::SERIES_SCOPE_FOLLOWING);
  ASSERT_TRUE(Call(&Stub::UpdateTask, update, &task).ok());
  EXPECT_EQ(task.recurrence_rule(), "FREQ=WEEKLY");

  v1::StopSeriesRequest stop;
  stop.set_id(id);
  EXPECT_EQ(Call(&Stub::StopSeries, stop, &task, "bob").error_code(), grpc::NOT_FOUND);
  v1::SkipTaskRequest skip;
  skip.set_id(id);
  EXPECT_EQ(Call(&Stub::SkipTask, skip, &task, "bob").error_code(), grpc::NOT_FOUND);
  ASSERT_TRUE(Call(&Stub::StopSeries, stop, &task).ok());
  EXPECT_FALSE(task.has_recurrence_rule());
  const grpc::Status stopped = Call(&Stub::SkipTask, skip, &task);
  EXPECT_EQ(stopped.error_code(), grpc::FAILED_PRECONDITION);
  EXPECT_EQ(ReasonOf(stopped), "TASK_NOT_RECURRING");
  v1::DeleteTaskRequest remove;
  remove.set_id(id);
  remove.set_scope(v1::SERIES_SCOPE_ALL);
  EXPECT_TRUE(Call(&Stub::DeleteTask, remove, &task).ok());
}

TEST_F(TodoMethodsTest, APreviewShowsTheOccurrencesOfARule) {
  v1::PreviewRecurrenceRequest request;
  request.mutable_task()->set_due_local("2026-10-31");
  request.mutable_task()->set_recurrence_rule("monthly");
  request.set_count(3);
  v1::PreviewRecurrenceResponse preview;
  ASSERT_TRUE(Call(&Stub::PreviewRecurrence, request, &preview).ok());
  EXPECT_EQ(preview.recurrence_rule(), "RSCALE=GREGORIAN;FREQ=MONTHLY;SKIP=BACKWARD");
  ASSERT_EQ(preview.occurrences_size(), 3);
  EXPECT_EQ(preview.occurrences(0).due_local(), "2026-11-30");
  EXPECT_EQ(preview.occurrences(0).number(), 2);
  EXPECT_EQ(preview.occurrences(0).due_date().seconds(), 1795996800);
  EXPECT_EQ(preview.warnings_size(), 0);
  EXPECT_EQ(Call(&Stub::PreviewRecurrence, request, &preview, "").error_code(),
            grpc::UNAUTHENTICATED);
  request.mutable_task()->set_recurrence_rule("FREQ=MONTHLY;BYMONTH=2;BYMONTHDAY=30");
  const grpc::Status refused = Call(&Stub::PreviewRecurrence, request, &preview);
  EXPECT_EQ(refused.error_code(), grpc::INVALID_ARGUMENT);
  EXPECT_THAT(refused.error_message(), HasSubstr("task.recurrence_rule: it can never occur"));
}

TEST_F(TodoMethodsTest, TasksOfOthersAreNotFound) {
  const v1::Task task = Create("secret");
  v1::GetTaskRequest get;
  v1::Task answer;
  get.set_id(task.id());
  const grpc::Status others = Call(&Stub::GetTask, get, &answer, "bob");
  get.set_id(task.id() + 1'000);
  const grpc::Status none = Call(&Stub::GetTask, get, &answer, "bob");
  EXPECT_EQ(others.error_code(), grpc::NOT_FOUND);
  EXPECT_EQ(none.error_code(), grpc::NOT_FOUND);
  EXPECT_EQ(ReasonOf(others), ReasonOf(none));
}

TEST_F(TodoMethodsTest, ARepeatedCallGetsTheFirstAnswer) {
  v1::CreateTaskRequest request;
  request.set_request_id("7d444840-9dc0-41d1-b245-5ffdce74fad2");
  request.mutable_task()->set_title("once");
  v1::Task first;
  v1::Task second;
  ASSERT_TRUE(Call(&Stub::CreateTask, request, &first).ok());
  ASSERT_TRUE(Call(&Stub::CreateTask, request, &second).ok());
  EXPECT_EQ(first.id(), second.id());
  request.mutable_task()->set_title("twice");
  EXPECT_EQ(Call(&Stub::CreateTask, request, &second).error_code(), grpc::ALREADY_EXISTS);
}

TEST_F(TodoMethodsTest, PagesCoverAllTasks) {
  for (const char* title : {"a", "b", "c", "d", "e"}) Create(title);
  Create("not mine", "bob");
  v1::ListTasksRequest request;
  request.set_order_by("title desc");
  std::vector<std::string> titles;
  for (int page = 0; page < 10; ++page) {
    request.set_page_size(2);
    v1::ListTasksResponse response;
    ASSERT_TRUE(Call(&Stub::ListTasks, request, &response).ok());
    for (const auto& task : response.tasks()) titles.push_back(task.title());
    request.set_page_token(response.next_page_token());
    if (response.next_page_token().empty()) break;
  }
  EXPECT_THAT(titles, ElementsAre("e", "d", "c", "b", "a"));
}

TEST_F(TodoMethodsTest, APageIsCutBeforeItIsTooLargeForClients) {
  std::string description;
  for (int i = 0; i < 10'000; ++i) description += "字";
  for (int i = 0; i < 150; ++i) Create(fmt::format("t{}", i), "alice", description);

  v1::ListTasksRequest request;
  request.set_page_size(500);
  int count = 0;
  int pages = 0;
  do {
    v1::ListTasksResponse response;
    const grpc::Status status = Call(&Stub::ListTasks, request, &response);
    ASSERT_TRUE(status.ok()) << status.error_message();
    EXPECT_LT(response.ByteSizeLong(), 4U * 1024 * 1024);
    count += response.tasks_size();
    request.set_page_token(response.next_page_token());
    ++pages;
  } while (!request.page_token().empty());
  EXPECT_EQ(count, 150);
  EXPECT_EQ(pages, 2);

  v1::ListChangesRequest changes;
  changes.set_page_size(500);
  v1::ListChangesResponse response;
  ASSERT_TRUE(Call(&Stub::ListChanges, changes, &response).ok());
  EXPECT_LT(response.ByteSizeLong(), 4U * 1024 * 1024);
  EXPECT_EQ(response.last_seq(), 150);
  changes.set_after_seq(response.changes().rbegin()->seq());
  const int first = response.changes_size();
  ASSERT_TRUE(Call(&Stub::ListChanges, changes, &response).ok());
  EXPECT_EQ(first + response.changes_size(), 150);
}

TEST_F(TodoMethodsTest, ViolationsOfTheServiceReachTheCaller) {
  v1::CreateTaskRequest request;
  request.mutable_task()->set_recurrence_rule("FREQ=DAILY");
  v1::Task task;
  const grpc::Status status = Call(&Stub::CreateTask, request, &task);
  EXPECT_EQ(status.error_code(), grpc::INVALID_ARGUMENT);
  EXPECT_THAT(status.error_message(), HasSubstr("task.title"));
  EXPECT_EQ(ReasonOf(status), "INVALID_FIELDS");
}

TEST_F(TodoMethodsTest, AnOutageIsAnsweredWithoutInternalDetails) {
  database_.FailWith(absl::UnavailableError("store: connect to 10.0.0.1"));
  v1::GetTaskRequest get;
  get.set_id(1);
  v1::Task task;
  const grpc::Status status = Call(&Stub::GetTask, get, &task);
  EXPECT_EQ(status.error_code(), grpc::UNAVAILABLE);
  EXPECT_EQ(status.error_message(), "the service cannot do this right now: try again");
}

}  // namespace
}  // namespace todo::api

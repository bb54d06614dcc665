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
  EXPECT_EQ(preview.text(), "every month (or the last day of a shorter month)");
  EXPECT_EQ(Call(&Stub::PreviewRecurrence, request, &preview, "").error_code(),
            grpc::UNAUTHENTICATED);
  request.mutable_task()->set_recurrence_rule("FREQ=MONTHLY;BYMONTH=2;BYMONTHDAY=30");
  const grpc::Status refused = Call(&Stub::PreviewRecurrence, request, &preview);
  EXPECT_EQ(refused.error_code(), grpc::INVALID_ARGUMENT);
  EXPECT_THAT(refused.error_message(), HasSubstr("task.recurrence_rule: it can never occur"));
}

TEST_F(TodoMethodsTest, APreviewSaysTheRuleInWords) {
  v1::PreviewRecurrenceRequest request;
  v1::Task& task = *request.mutable_task();
  v1::PreviewRecurrenceResponse preview;
  const auto text = [&] {
    const grpc::Status status = Call(&Stub::PreviewRecurrence, request, &preview);
    return status.ok() ? preview.text() : status.error_message();
  };
  task.set_due_local("2026-10-26T09:00");
  task.set_recurrence_rule("FREQ=WEEKLY;BYDAY=MO");
  EXPECT_EQ(text(), "every Monday at 09:00");
  task.set_recurrence_basis(v1::RECURRENCE_BASIS_COMPLETION);
  EXPECT_EQ(text(), "every Monday at 09:00, after completion");
  task.clear_recurrence_basis();
  task.clear_due_local();
  task.mutable_due_date()->set_seconds(1'793'000'700);  // 07:45 UTC
  task.set_time_zone("Europe/Berlin");
  EXPECT_EQ(text(), "every Monday at 08:45");
  task.clear_due_date();
  task.set_due_local("2026-10-26");
  task.set_recurrence_rule("FREQ=DAILY;BYHOUR=9;UNTIL=20261101T120000Z");
  EXPECT_EQ(text(), "every day, until Sunday, 1 November 2026") << "a day has no time";
}

TEST_F(TodoMethodsTest, APreviewSaysTimesWithTheHoursThatTheUserChose) {
  v1::PreviewRecurrenceRequest request;
  request.mutable_task()->set_due_local("2026-10-26T17:00");
  request.mutable_task()->set_recurrence_rule("FREQ=WEEKLY;BYDAY=MO");
  v1::PreviewRecurrenceResponse preview;
  domain::PreferencesPatch patch;
  patch.wording.hour12 = true;
  ASSERT_TRUE(settings_.UpdatePreferences({"alice"}, patch, "").ok());
  ASSERT_TRUE(Call(&Stub::PreviewRecurrence, request, &preview).ok());
  EXPECT_EQ(preview.text(), "every Monday at 5 pm");
  state_.FailWith(absl::UnavailableError("away"));
  ASSERT_TRUE(Call(&Stub::PreviewRecurrence, request, &preview).ok());
  EXPECT_EQ(preview.text(), "every Monday at 17:00") << "the preferences are away";
}

TEST_F(TodoMethodsTest, TheSeriesOfATaskThatExistsMayEndWithIt) {
  v1::PreviewRecurrenceRequest request;
  request.mutable_task()->set_due_local("2026-10-26T09:00");
  request.mutable_task()->set_recurrence_rule("FREQ=DAILY;UNTIL=20261026");
  v1::PreviewRecurrenceResponse preview;
  EXPECT_EQ(Call(&Stub::PreviewRecurrence, request, &preview).error_code(), grpc::INVALID_ARGUMENT);
  request.mutable_task()->set_id(7);
  ASSERT_TRUE(Call(&Stub::PreviewRecurrence, request, &preview).ok());
  EXPECT_EQ(preview.text(), "every day at 09:00, until Monday, 26 October 2026");
  EXPECT_EQ(preview.occurrences_size(), 0);
  request.mutable_task()->set_recurrence_rule("FREQ=MONTHLY;BYMONTH=2;BYMONTHDAY=30");
  EXPECT_EQ(Call(&Stub::PreviewRecurrence, request, &preview).error_code(), grpc::INVALID_ARGUMENT);
}

TEST_F(TodoMethodsTest, ABatchIsMadeAsAWholeAndOnce) {
  const v1::Task one = Create("one");
  const v1::Task two = Create("two");
  v1::BatchUpdateTasksRequest request;
  request.set_request_id("7d444840-9dc0-41d1-b245-5ffdce74fad3");
  v1::TaskChange& tags = *request.add_changes();
  tags.set_id(one.id());
  tags.mutable_tags()->add_add("home");
  v1::TaskChange& due = *request.add_changes();
  due.set_id(two.id());
  due.set_etag(two.etag());
  due.mutable_update()->mutable_task()->set_due_local("2026-10-30");
  due.mutable_update()->mutable_update_mask()->add_paths("due_local");
  v1::TaskChange& done = *request.add_changes();
  done.set_id(one.id());
  done.set_completed(true);
  v1::BatchUpdateTasksResponse first;
  ASSERT_TRUE(Call(&Stub::BatchUpdateTasks, request, &first).ok());
  ASSERT_EQ(first.tasks_size(), 3);
  EXPECT_THAT(first.tasks(0).tags(), ElementsAre("home"));
  EXPECT_FALSE(first.tasks(0).completed());
  EXPECT_EQ(first.tasks(1).due_local(), "2026-10-30");
  EXPECT_TRUE(first.tasks(2).completed());
  EXPECT_EQ(first.tasks(2).version(), 3);
  v1::BatchUpdateTasksResponse again;
  ASSERT_TRUE(Call(&Stub::BatchUpdateTasks, request, &again).ok());
  EXPECT_EQ(again.SerializeAsString(), first.SerializeAsString());
  v1::ListChangesRequest list;
  v1::ListChangesResponse changes;
  ASSERT_TRUE(Call(&Stub::ListChanges, list, &changes).ok());
  ASSERT_EQ(changes.changes_size(), 5);
  EXPECT_EQ(changes.changes(4).event_type(), "completed");
  EXPECT_EQ(changes.changes(4).request_id(), request.request_id());
}

TEST_F(TodoMethodsTest, ABatchWithOneFaultChangesNothingAndNamesTheFault) {
  const v1::Task one = Create("one");
  v1::BatchUpdateTasksRequest request;
  request.add_changes()->set_id(one.id());
  request.mutable_changes(0)->set_deleted(true);
  request.add_changes()->set_id(one.id() + 1'000);
  request.mutable_changes(1)->set_completed(true);
  v1::BatchUpdateTasksResponse answer;
  const auto index_of = [](const grpc::Status& status) {
    google::rpc::Status rich;
    rich.ParseFromString(status.error_details());
    google::rpc::ErrorInfo info;
    for (const auto& detail : rich.details())
      if (detail.UnpackTo(&info)) return info.metadata().at("index");
    return std::string();
  };
  const grpc::Status missing = Call(&Stub::BatchUpdateTasks, request, &answer);
  EXPECT_EQ(missing.error_code(), grpc::NOT_FOUND);
  EXPECT_EQ(ReasonOf(missing), "TASK_NOT_FOUND");
  EXPECT_EQ(index_of(missing), "1");
  request.mutable_changes(1)->set_id(one.id());
  request.mutable_changes(1)->mutable_update()->mutable_update_mask()->add_paths("title");
  request.mutable_changes()->SwapElements(0, 1);
  const grpc::Status empty = Call(&Stub::BatchUpdateTasks, request, &answer);
  EXPECT_EQ(empty.error_code(), grpc::INVALID_ARGUMENT);
  EXPECT_THAT(empty.error_message(), HasSubstr("changes[0].update.task.title: must not be empty"));
  EXPECT_EQ(index_of(empty), "0");
  v1::GetTaskRequest get;
  get.set_id(one.id());
  v1::Task task;
  ASSERT_TRUE(Call(&Stub::GetTask, get, &task).ok());
  EXPECT_EQ(task.version(), 1);
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

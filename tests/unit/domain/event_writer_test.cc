#include "domain/event/event_writer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>

#include "domain/event/event_reader.h"

namespace todo::domain {
namespace {

using nlohmann::json;
using testing::HasSubstr;

Task FullTask() {
  Task task;
  task.id = {7};
  task.user = {"ada \"the\" first"};
  task.fields.title = "caf\u00e9";
  task.fields.description = "two\nlines";
  task.fields.priority = Priority::kHigh;
  task.fields.tags = {"a", "b"};
  task.fields.time_zone = "Europe/Berlin";
  task.fields.due = *ResolveLocalDue("2026-10-24T09:00:00", "Europe/Berlin");
  task.fields.recurrence_rule = "FREQ=DAILY";
  task.fields.recurrence_basis = RecurrenceBasis::kCompletion;
  task.completed = true;
  task.completed_at = *ParseInstant("2026-10-24T10:00:00.123456Z");
  task.version = 3;
  task.seq = 11;
  task.series = SeriesPosition{.series_id = *Uuid::Parse("550e8400-e29b-41d4-a716-446655440000"),
                               .occurrence = 4,
                               .rule_since = 3,
                               .anchor = absl::CivilSecond(2026, 10, 1, 9, 0, 0),
                               .anchor_is_later = true,
                               .scheduled = absl::CivilSecond(2026, 10, 23, 9, 0, 0),
                               .missed = 2,
                               .following = {.title = "caf\u00e9s",
                                             .description = std::optional<std::string>(),
                                             .priority = Priority::kLow,
                                             .tags = {{}},
                                             .due_kind = DueKind::kDate,
                                             .time_zone = "UTC"}};
  task.skipped_at = task.completed_at;
  task.created_at = *ParseInstant("2026-10-01T00:00:00Z");
  task.updated_at = *ParseInstant("2026-10-24T10:00:00Z");
  return task;
}

TEST(TaskJson, ReadsWhatItWrote) {
  Task plain;
  plain.fields.title = "x";
  plain.user = {"u"};
  for (const Task& task : {FullTask(), plain}) {
    const absl::StatusOr<Task> read = ParseTaskJson(FormatTaskJson(task));
    ASSERT_TRUE(read.ok()) << read.status();
    EXPECT_EQ(*read, task) << FormatTaskJson(*read);
  }
}

// As the database writes them, so that equal tasks have equal bytes.
TEST(TaskJson, WritesFractionsOfSecondsWithSixDigits) {
  Task task = FullTask();
  task.completed_at = *ParseInstant("2026-10-24T10:00:00.5Z");
  const json written = json::parse(FormatTaskJson(task));
  EXPECT_EQ(written["completed_at"], "2026-10-24T10:00:00.500000Z");
  EXPECT_EQ(written["updated_at"], "2026-10-24T10:00:00Z");
}

TEST(TaskJson, ChecksTheKeyFollowing) {
  json task = json::parse(FormatTaskJson(FullTask()));
  const auto refusal = [&task](const char* key, const json& value) {
    json changed = task;
    changed["following"][key] = value;
    return std::string(ParseTaskJson(changed.dump()).status().message());
  };
  EXPECT_THAT(refusal("title", 7), HasSubstr("task_data.following.title must be a string"));
  EXPECT_THAT(refusal("tags", "a"), HasSubstr("task_data.following.tags must be an array"));
  EXPECT_THAT(refusal("priority", "huge"), HasSubstr("task_data.following.priority"));
  EXPECT_THAT(refusal("due_kind", "soon"), HasSubstr("task_data.following.due_kind"));
  task["following"] = "x";
  EXPECT_EQ(ParseTaskJson(task.dump()).status().code(), absl::StatusCode::kInvalidArgument);
  task.erase("series_id");
  EXPECT_TRUE(ParseTaskJson(task.dump()).ok()) << "another program's key of that name";
}

Change ChangeOf(const Task& task, ChangeKind kind) {
  return {.user = task.user,
          .seq = task.seq,
          .event_id = EventId{*Uuid::Parse("01890a5d-ac96-774b-bcce-b302099a8057")},
          .kind = kind,
          .task_id = task.id,
          .version = task.version,
          .task_json = FormatTaskJson(task),
          .at = task.updated_at,
          .traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
          .request_id = RequestId{*Uuid::Parse("660e8400-e29b-41d4-a716-446655440000")}};
}

TEST(TaskEventRecord, IsReadBackAsItWasWritten) {
  const Change change = ChangeOf(FullTask(), ChangeKind::kCompleted);
  const std::string record = TaskEventRecord(change);
  const json event = json::parse(record);
  EXPECT_EQ(event["specversion"], "1.0");
  EXPECT_EQ(event["id"], change.event_id.value());
  EXPECT_EQ(event["source"], "todo-service");
  EXPECT_EQ(event["type"], "todo.task.completed.v1");
  EXPECT_EQ(event["subject"], "7");
  EXPECT_EQ(event["traceparent"], change.traceparent);
  EXPECT_EQ(event["data"]["id"], change.event_id.value());
  EXPECT_EQ(event["data"]["timestamp"], "2026-10-24T10:00:00Z");

  const absl::StatusOr<TaskEvent> read = ParseTaskEventRecord(record);
  ASSERT_TRUE(read.ok()) << read.status();
  EXPECT_EQ(read->user, change.user);
  EXPECT_EQ(read->traceparent, change.traceparent);
  EXPECT_EQ(read->task, FullTask());
}

TEST(TaskUpdateRecord, CarriesTheTaskUnlessItIsDeleted) {
  const Change change = ChangeOf(FullTask(), ChangeKind::kUpdated);
  json update = json::parse(TaskUpdateRecord(change));
  EXPECT_EQ(update["type"], "todo.task.changed.v1");
  EXPECT_EQ(update["id"], UpdateIdOf(change.event_id).value());
  EXPECT_NE(update["id"], change.event_id.value());
  EXPECT_EQ(update["data"]["id"], update["id"]);
  EXPECT_EQ(update["data"]["event_id"], change.event_id.value());
  EXPECT_EQ(update["data"]["request_id"], change.request_id->value());
  EXPECT_EQ(update["data"]["change"], "updated");
  EXPECT_EQ(update["data"]["seq"], 11);
  EXPECT_EQ(update["data"]["task"]["title"], "caf\u00e9");
  update = json::parse(TaskUpdateRecord(ChangeOf(FullTask(), ChangeKind::kDeleted)));
  EXPECT_TRUE(update["data"]["task"].is_null());
}

TEST(TaskUpdateRecord, HasARequestIdOnlyIfACallMadeTheChange) {
  Change change = ChangeOf(FullTask(), ChangeKind::kCreated);
  change.request_id.reset();
  EXPECT_FALSE(json::parse(TaskUpdateRecord(change))["data"].contains("request_id"));
}

TEST(WithTraceparent, PutsItIntoARecordThatHasNone) {
  Change change = ChangeOf(FullTask(), ChangeKind::kCreated);
  change.traceparent.clear();
  const std::string record = TaskEventRecord(change);
  EXPECT_EQ(TraceparentIn(record), "");
  EXPECT_EQ(WithTraceparent(record, ""), record);
  const std::string traced = WithTraceparent(record, "00-1-2-01");
  EXPECT_EQ(TraceparentIn(traced), "00-1-2-01");
  json read = json::parse(traced);
  EXPECT_EQ(read["traceparent"], "00-1-2-01");
  read.erase("traceparent");
  EXPECT_EQ(read, json::parse(record));
}

TEST(TraceparentIn, IsNothingThatAUserWrote) {
  Task task = FullTask();
  task.fields.title = R"("traceparent":"of a user")";
  Change change = ChangeOf(task, ChangeKind::kCreated);
  change.traceparent.clear();
  EXPECT_EQ(TraceparentIn(TaskEventRecord(change)), "");
}

TEST(TaskEventRecord, SaysNothingOfTheRequest) {
  EXPECT_FALSE(
      json::parse(TaskEventRecord(ChangeOf(FullTask(), ChangeKind::kCreated)))["data"].contains(
          "request_id"));
}

}  // namespace
}  // namespace todo::domain

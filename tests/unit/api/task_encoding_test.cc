#include "api/task_encoding.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <string_view>

#include "api/task_requests.h"
#include "domain/event/event_writer.h"
#include "google/protobuf/util/message_differencer.h"
#include "support/status_matchers.h"

namespace todo::api {
namespace {

using google::protobuf::util::MessageDifferencer;
using support::IsOk;
using support::StatusIs;
using testing::ElementsAre;
using testing::Optional;

constexpr char kUuid[] = "7d444840-9dc0-41d1-b245-5ffdce74fad2";

domain::Instant At(std::string_view text) { return *domain::ParseInstant(text); }

domain::Task FullTask() {
  domain::Task task;
  task.id = domain::TaskId{7};
  task.user = domain::UserId{"alice"};
  task.fields.title = "Water the plants";
  task.fields.description = "all of them";
  task.fields.priority = domain::Priority::kHigh;
  task.fields.tags = {"home", "green"};
  task.fields.time_zone = "Europe/Berlin";
  task.fields.due = *domain::ResolveLocalDue("2026-10-24T09:00:00", "Europe/Berlin");
  task.fields.recurrence_rule = "FREQ=WEEKLY";
  task.fields.recurrence_basis = domain::RecurrenceBasis::kCompletion;
  task.completed = true;
  task.completed_at = At("2026-10-25T10:00:00.123456Z");
  task.version = 3;
  task.seq = 12;
  task.series = domain::SeriesPosition{.series_id = *domain::Uuid::Parse(kUuid),
                                       .occurrence = 5,
                                       .rule_since = 1,
                                       .anchor = task.fields.due.local,
                                       .scheduled = task.fields.due.local,
                                       .missed = 2,
                                       .following = {}};
  task.created_at = At("2026-10-01T00:00:00Z");
  task.updated_at = At("2026-10-25T10:00:00.123456Z");
  return task;
}

TEST(EncodeTaskTest, EveryFieldHasItsPlace) {
  const v1::Task task = EncodeTask(FullTask());
  EXPECT_EQ(task.id(), 7);
  EXPECT_EQ(task.title(), "Water the plants");
  EXPECT_EQ(task.description(), "all of them");
  EXPECT_TRUE(task.completed());
  EXPECT_EQ(task.priority(), v1::PRIORITY_HIGH);
  EXPECT_THAT(task.tags(), ElementsAre("home", "green"));
  EXPECT_EQ(task.due_date().seconds(), 1792825200);  // 07:00 UTC
  EXPECT_EQ(task.recurrence_rule(), "FREQ=WEEKLY");
  EXPECT_EQ(task.user_id(), "alice");
  EXPECT_EQ(task.updated_at().nanos(), 123'456'000);
  EXPECT_EQ(task.version(), 3);
  EXPECT_EQ(domain::VersionOfEtag(task.etag()), 3);
  EXPECT_EQ(task.due_kind(), v1::DUE_KIND_LOCAL);
  EXPECT_EQ(task.due_local(), "2026-10-24T09:00:00");
  EXPECT_EQ(task.time_zone(), "Europe/Berlin");
  EXPECT_EQ(task.recurrence_basis(), v1::RECURRENCE_BASIS_COMPLETION);
  EXPECT_EQ(task.series_id(), kUuid);
  EXPECT_EQ(task.occurrence(), 5);
  EXPECT_EQ(task.missed_occurrences(), 2);
  EXPECT_TRUE(task.has_completed_at());
}

TEST(EncodeTaskTest, AbsentFieldsAreNotSet) {
  domain::Task bare;
  bare.fields.title = "t";
  const v1::Task task = EncodeTask(bare);
  EXPECT_FALSE(task.has_description());
  EXPECT_FALSE(task.has_due_date());
  EXPECT_FALSE(task.has_recurrence_rule());
  EXPECT_FALSE(task.has_completed_at());
  EXPECT_EQ(task.due_kind(), v1::DUE_KIND_UNSPECIFIED);
  EXPECT_EQ(task.due_local(), "");
  EXPECT_EQ(task.series_id(), "");
}

TEST(EncodeTaskTest, ASkippedTaskHasItsTime) {
  EXPECT_FALSE(EncodeTask(FullTask()).has_skipped_at());
  domain::Task task = FullTask();
  task.skipped_at = At("2026-10-25T10:00:00Z");
  EXPECT_EQ(EncodeTask(task).skipped_at().seconds(), 1792922400);
}

TEST(EncodeTaskTest, ATaskThatWasReadCanBeSentBackUnchanged) {
  const domain::Task original = FullTask();
  v1::CreateTaskRequest request;
  *request.mutable_task() = EncodeTask(original);
  const auto input = DecodeCreateTask(request);
  ASSERT_THAT(input, IsOk());
  EXPECT_EQ(input->title, original.fields.title);
  EXPECT_EQ(input->description, original.fields.description);
  EXPECT_EQ(input->priority, original.fields.priority);
  EXPECT_EQ(input->tags, original.fields.tags);
  EXPECT_EQ(input->time_zone, original.fields.time_zone);
  EXPECT_EQ(input->recurrence_rule, original.fields.recurrence_rule);
  EXPECT_EQ(input->basis, original.fields.recurrence_basis);
  // The instant only says again what the wall-clock time says, as the service will find.
  EXPECT_THAT(input->due.due_local, Optional(std::string("2026-10-24T09:00:00")));
  EXPECT_EQ(input->due.due_date, original.fields.due.at);
}

TEST(EncodeChangeTest, CarriesTheTaskAsItWas) {
  domain::Change change;
  change.seq = 12;
  change.event_id = domain::EventId{*domain::Uuid::Parse(kUuid)};
  change.kind = domain::ChangeKind::kCompleted;
  change.task_id = domain::TaskId{7};
  change.task_json = domain::FormatTaskJson(FullTask());
  change.at = At("2026-10-25T10:00:00Z");
  const auto encoded = EncodeChange(change);
  ASSERT_THAT(encoded, IsOk());
  EXPECT_EQ(encoded->seq(), 12);
  EXPECT_EQ(encoded->event_id(), kUuid);
  EXPECT_EQ(encoded->event_type(), "completed");
  EXPECT_EQ(encoded->task_id(), 7);
  EXPECT_TRUE(MessageDifferencer::Equals(encoded->task(), EncodeTask(FullTask())))
      << encoded->task().DebugString();
  change.task_json = "{";
  EXPECT_THAT(EncodeChange(change), StatusIs(absl::StatusCode::kInternal));
}

}  // namespace
}  // namespace todo::api

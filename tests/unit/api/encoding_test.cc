#include "api/encoding.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>
#include <string>
#include <vector>

#include "domain/event/event_writer.h"
#include "google/protobuf/util/message_differencer.h"
#include "util/status.h"

namespace todo::api {
namespace {

using google::protobuf::util::MessageDifferencer;
using testing::AllOf;
using testing::ElementsAre;
using testing::Field;
using testing::HasSubstr;
using testing::Optional;
using testing::UnorderedElementsAre;
using util::FieldViolation;

constexpr char kUuid[] = "7d444840-9dc0-41d1-b245-5ffdce74fad2";

domain::Instant At(std::string_view text) { return *domain::ParseInstant(text); }

auto Violation(std::string field, std::string description) {
  return AllOf(Field(&FieldViolation::field, field),
               Field(&FieldViolation::description, HasSubstr(description)));
}

template <typename T>
std::vector<FieldViolation> ViolationsOf(const absl::StatusOr<T>& result) {
  EXPECT_EQ(result.status().code(), absl::StatusCode::kInvalidArgument)
      << result.status().ToString();
  return util::FieldViolationsOf(result.status());
}

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

TEST(EncodeTaskTest, WhatATaskDoesNotHaveIsNotSet) {
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

TEST(EncodeTaskTest, ASkippedOneSaysWhen) {
  EXPECT_FALSE(EncodeTask(FullTask()).has_skipped_at());
  domain::Task task = FullTask();
  task.skipped_at = At("2026-10-25T10:00:00Z");
  EXPECT_EQ(EncodeTask(task).skipped_at().seconds(), 1792922400);
}

TEST(DecodeScopeTest, EveryScopeHasItsMeaningAndAnUnknownOneIsRefused) {
  using service::SeriesScope;
  const std::vector<std::pair<v1::SeriesScope, SeriesScope>> scopes = {
      {v1::SERIES_SCOPE_UNSPECIFIED, SeriesScope::kDefault},
      {v1::SERIES_SCOPE_THIS, SeriesScope::kThis},
      {v1::SERIES_SCOPE_FOLLOWING, SeriesScope::kFollowing},
      {v1::SERIES_SCOPE_ALL, SeriesScope::kAll}};
  v1::UpdateTaskRequest update;
  update.mutable_task()->set_id(1);
  update.mutable_update_mask()->add_paths("title");
  v1::DeleteTaskRequest remove;
  remove.set_id(1);
  for (const auto& [given, meant] : scopes) {
    update.set_scope(given);
    EXPECT_EQ(DecodeUpdateTask(update)->scope, meant);
    remove.set_scope(given);
    EXPECT_EQ(DecodeDeleteTask(remove)->scope, meant);
  }
  remove.set_scope(static_cast<v1::SeriesScope>(9));
  const auto violations = util::FieldViolationsOf(DecodeDeleteTask(remove).status());
  ASSERT_EQ(violations.size(), 1u);
  EXPECT_EQ(violations[0].field, "scope");
}

TEST(DecodePreviewTest, TheCountHasADefaultAndALimit) {
  v1::PreviewRecurrenceRequest request;
  EXPECT_EQ(DecodePreviewRecurrence(request)->count, 10);
  request.set_count(100);
  EXPECT_EQ(DecodePreviewRecurrence(request)->count, 100);
  for (const int count : {-1, 101}) {
    request.set_count(count);
    const auto violations = util::FieldViolationsOf(DecodePreviewRecurrence(request).status());
    ASSERT_EQ(violations.size(), 1u);
    EXPECT_EQ(violations[0].field, "count");
  }
}

TEST(EncodeTaskTest, ATaskReadAndSentBackMeansTheSame) {
  const domain::Task original = FullTask();
  v1::CreateTaskRequest request;
  *request.mutable_task() = EncodeTask(original);
  const auto input = DecodeCreateTask(request);
  ASSERT_TRUE(input.ok()) << input.status();
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
  ASSERT_TRUE(encoded.ok()) << encoded.status();
  EXPECT_EQ(encoded->seq(), 12);
  EXPECT_EQ(encoded->event_id(), kUuid);
  EXPECT_EQ(encoded->event_type(), "completed");
  EXPECT_EQ(encoded->task_id(), 7);
  EXPECT_TRUE(MessageDifferencer::Equals(encoded->task(), EncodeTask(FullTask())))
      << encoded->task().DebugString();
  change.task_json = "{";
  EXPECT_EQ(EncodeChange(change).status().code(), absl::StatusCode::kInternal);
}

TEST(DecodeCreateTaskTest, WhatIsNotSetIsLeftToTheService) {
  v1::CreateTaskRequest request;
  request.mutable_task()->set_title("t");
  const auto input = DecodeCreateTask(request);
  ASSERT_TRUE(input.ok());
  EXPECT_FALSE(input->description.has_value());
  EXPECT_FALSE(input->priority.has_value());
  EXPECT_FALSE(input->due.due_date.has_value());
  EXPECT_FALSE(input->due.due_local.has_value());
  EXPECT_FALSE(input->time_zone.has_value());
  EXPECT_FALSE(input->recurrence_rule.has_value());
  EXPECT_FALSE(input->basis.has_value());
}

TEST(DecodeCreateTaskTest, WhetherTwoDueDatesAgreeIsLeftToTheService) {
  v1::CreateTaskRequest request;
  request.mutable_task()->mutable_due_date()->set_seconds(5);
  request.mutable_task()->set_due_local("2026-10-24");
  const auto input = DecodeCreateTask(request);
  ASSERT_TRUE(input.ok());
  EXPECT_TRUE(input->due.due_date.has_value());
  EXPECT_TRUE(input->due.due_local.has_value());
}

TEST(DecodeCreateTaskTest, NamesEveryViolation) {
  v1::CreateTaskRequest request;
  request.set_request_id("7");
  v1::Task& task = *request.mutable_task();
  task.set_priority(static_cast<v1::Priority>(9));
  task.set_recurrence_basis(static_cast<v1::RecurrenceBasis>(-1));
  task.mutable_due_date()->set_seconds(std::numeric_limits<std::int64_t>::max());
  EXPECT_THAT(
      ViolationsOf(DecodeCreateTask(request)),
      UnorderedElementsAre(
          Violation("request_id", "UUID"),
          Violation("task.priority", "known are PRIORITY_LOW, PRIORITY_MEDIUM, PRIORITY_HIGH"),
          Violation("task.recurrence_basis", "unknown value -1"),
          Violation("task.due_date", "years 1 and 9999")));
  EXPECT_THAT(ViolationsOf(DecodeCreateTask({})), ElementsAre(Violation("task", "must be given")));
}

TEST(DecodeTimestampTest, RangesAreThoseOfTheMessage) {
  struct Case {
    std::int64_t seconds;
    std::int32_t nanos;
    bool valid;
  };
  constexpr std::int64_t kMin = std::numeric_limits<std::int64_t>::min();
  constexpr std::int64_t kMax = std::numeric_limits<std::int64_t>::max();
  const Case cases[] = {{0, 0, true},
                        {-62'135'596'800, 0, true},
                        {-62'135'596'801, 0, false},
                        {253'402'300'799, 999'999'999, true},
                        {253'402'300'800, 0, false},
                        {0, -1, false},
                        {0, 1'000'000'000, false},
                        {kMin, 0, false},
                        {kMax, 0, false}};
  for (const Case& one : cases) {
    v1::CreateTaskRequest request;
    request.mutable_task()->mutable_due_date()->set_seconds(one.seconds);
    request.mutable_task()->mutable_due_date()->set_nanos(one.nanos);
    const auto input = DecodeCreateTask(request);
    EXPECT_EQ(input.ok(), one.valid) << one.seconds << " " << one.nanos;
    if (!one.valid) {
      EXPECT_THAT(ViolationsOf(input), ElementsAre(Violation("task.due_date", "")));
    }
  }
  v1::CreateTaskRequest request;
  request.mutable_task()->mutable_due_date()->set_seconds(-1);
  request.mutable_task()->mutable_due_date()->set_nanos(999'999'999);
  EXPECT_EQ(DecodeCreateTask(request)->due.due_date->time_since_epoch().count(), -1);
}

v1::UpdateTaskRequest Update(std::vector<std::string> paths) {
  v1::UpdateTaskRequest request;
  request.mutable_task()->set_id(7);
  for (std::string& path : paths) request.mutable_update_mask()->add_paths(std::move(path));
  return request;
}

TEST(DecodeUpdateTaskTest, OnlyWhatTheMaskNamesIsChanged) {
  v1::UpdateTaskRequest request = Update({"title", "tags"});
  v1::Task& task = *request.mutable_task();
  task.set_title("t");
  task.add_tags("a");
  task.set_priority(v1::PRIORITY_HIGH);
  task.set_description("d");
  task.set_due_local("2026-10-24");
  const auto input = DecodeUpdateTask(request);
  ASSERT_TRUE(input.ok()) << input.status();
  EXPECT_EQ(input->id.value, 7);
  EXPECT_THAT(input->title, Optional(std::string("t")));
  EXPECT_THAT(*input->tags, ElementsAre("a"));
  EXPECT_FALSE(input->expected_version || input->description || input->priority || input->due ||
               input->time_zone || input->recurrence_rule || input->basis);
}

TEST(DecodeUpdateTaskTest, WhatIsNamedAndNotSetIsCleared) {
  const auto input = DecodeUpdateTask(Update({"*"}));
  ASSERT_TRUE(input.ok()) << input.status();
  EXPECT_THAT(input->title, Optional(std::string()));
  ASSERT_TRUE(input->description.has_value());
  EXPECT_FALSE(input->description->has_value());
  EXPECT_EQ(input->priority, domain::Priority::kMedium);
  EXPECT_TRUE(input->tags.has_value() && input->tags->empty());
  ASSERT_TRUE(input->due.has_value());
  EXPECT_FALSE(input->due->due_date || input->due->due_local);
  ASSERT_TRUE(input->time_zone.has_value());
  EXPECT_FALSE(input->time_zone->has_value());
  ASSERT_TRUE(input->recurrence_rule.has_value());
  EXPECT_FALSE(input->recurrence_rule->has_value());
  EXPECT_EQ(input->basis, domain::RecurrenceBasis::kSchedule);
}

TEST(DecodeUpdateTaskTest, OneFormOfDueDateDoesNotReadTheOther) {
  v1::UpdateTaskRequest request = Update({"due_date"});
  request.mutable_task()->mutable_due_date()->set_seconds(5);
  request.mutable_task()->set_due_local("2026-10-24");
  const auto input = DecodeUpdateTask(request);
  ASSERT_TRUE(input.ok());
  EXPECT_TRUE(input->due->due_date.has_value());
  EXPECT_FALSE(input->due->due_local.has_value());
}

TEST(DecodeUpdateTaskTest, TheEtagIsTheExpectedVersion) {
  v1::UpdateTaskRequest request = Update({"title"});
  request.mutable_task()->set_etag(domain::EtagOf(4));
  EXPECT_EQ(DecodeUpdateTask(request)->expected_version, 4);
}

TEST(DecodeUpdateTaskTest, NamesEveryViolation) {
  v1::UpdateTaskRequest request = Update({"title", "version"});
  request.mutable_task()->set_id(0);
  request.mutable_task()->set_etag("4");
  request.set_request_id("x");
  EXPECT_THAT(ViolationsOf(DecodeUpdateTask(request)),
              UnorderedElementsAre(
                  Violation("update_mask", "names \"version\", which cannot be updated"),
                  Violation("task.id", "greater than 0"), Violation("task.etag", "is not an etag"),
                  Violation("request_id", "UUID")));
  EXPECT_THAT(ViolationsOf(DecodeUpdateTask({})),
              UnorderedElementsAre(Violation("update_mask", "must name what to change"),
                                   Violation("task", "must be given")));
  EXPECT_THAT(ViolationsOf(DecodeUpdateTask(Update({""}))),
              ElementsAre(Violation("update_mask", "")));
}

TEST(DecodeTaskRefTest, IdEtagAndRequestIdAreChecked) {
  v1::CompleteTaskRequest request;
  request.set_id(7);
  request.set_etag("v2");
  request.set_request_id(kUuid);
  const auto ref = DecodeCompleteTask(request);
  ASSERT_TRUE(ref.ok());
  EXPECT_EQ(ref->id.value, 7);
  EXPECT_EQ(ref->expected_version, 2);

  request.set_id(-7);
  request.set_etag("v-2");
  request.set_request_id("?");
  EXPECT_THAT(ViolationsOf(DecodeCompleteTask(request)),
              UnorderedElementsAre(Violation("id", ""), Violation("etag", ""),
                                   Violation("request_id", "")));
  EXPECT_THAT(ViolationsOf(DecodeUncompleteTask({})), ElementsAre(Violation("id", "")));
  EXPECT_THAT(ViolationsOf(DecodeDeleteTask({})), ElementsAre(Violation("id", "")));
  EXPECT_THAT(ViolationsOf(DecodeGetTask({})), ElementsAre(Violation("id", "")));
}

TEST(DecodeListTasksTest, DefaultsAndFilter) {
  v1::ListTasksRequest request;
  auto query = DecodeListTasks(request);
  ASSERT_TRUE(query.ok());
  EXPECT_EQ(query->limit, 50);
  EXPECT_EQ(query->order, ports::TaskOrder::kCreatedAt);
  EXPECT_FALSE(query->descending || query->completed || query->priority || query->tag ||
               query->due_from || query->due_before);

  request.set_page_size(500);
  request.set_order_by(" due_date  desc ");
  auto& filter = *request.mutable_filter();
  filter.set_completed(false);
  filter.set_priority(v1::PRIORITY_LOW);
  filter.set_tag("home");
  filter.set_text("milk");
  filter.mutable_due_from()->set_seconds(-62'135'596'800);
  filter.mutable_due_before()->set_seconds(1'000);
  query = DecodeListTasks(request);
  ASSERT_TRUE(query.ok()) << query.status();
  EXPECT_EQ(query->limit, 500);
  EXPECT_EQ(query->order, ports::TaskOrder::kDueDate);
  EXPECT_TRUE(query->descending);
  EXPECT_THAT(query->completed, Optional(false));
  EXPECT_THAT(query->priority, Optional(domain::Priority::kLow));
  EXPECT_THAT(query->tag, Optional(std::string("home")));
  EXPECT_EQ(query->text, "milk");
  EXPECT_THAT(query->due_from, Optional(domain::kMinInstant))
      << "earlier than anything that is stored";
  EXPECT_THAT(query->due_before, Optional(At("1970-01-01T00:16:40Z")));
}

TEST(DecodeListTasksTest, NamesEveryViolation) {
  v1::ListTasksRequest request;
  request.set_page_size(501);
  request.set_page_token("no token");
  request.set_order_by("title; drop table tasks");
  auto& filter = *request.mutable_filter();
  filter.set_priority(static_cast<v1::Priority>(4));
  filter.set_tag(std::string(51, 'x'));
  filter.set_text(std::string(501, 'x'));
  filter.mutable_due_from()->set_nanos(-1);
  filter.mutable_due_before()->set_nanos(-1);
  EXPECT_THAT(
      ViolationsOf(DecodeListTasks(request)),
      UnorderedElementsAre(Violation("page_size", "is 501; it must be 1 to 500"),
                           Violation("page_token", "next_page_token"),
                           Violation("order_by", "created_at"), Violation("filter.priority", ""),
                           Violation("filter.tag", "50"), Violation("filter.text", "500"),
                           Violation("filter.due_from", ""), Violation("filter.due_before", "")));
  request.Clear();
  request.set_page_size(-1);
  EXPECT_THAT(ViolationsOf(DecodeListTasks(request)), ElementsAre(Violation("page_size", "is -1")));
}

TEST(DecodeListTasksTest, OrderByHasOneGrammar) {
  for (const char* good : {"created_at", "due_date", "priority desc", "title", "updated_at desc"}) {
    v1::ListTasksRequest request;
    request.set_order_by(good);
    EXPECT_TRUE(DecodeListTasks(request).ok()) << good;
  }
  for (const char* bad :
       {"id", "Title", "title asc", "title,due_date", "title desc desc", "desc", "title\tdesc"}) {
    v1::ListTasksRequest request;
    request.set_order_by(bad);
    EXPECT_THAT(ViolationsOf(DecodeListTasks(request)), ElementsAre(Violation("order_by", "")))
        << bad;
  }
}

TEST(PageTokenTest, BelongsToItsQuery) {
  v1::ListTasksRequest request;
  request.set_order_by("title");
  request.mutable_filter()->set_tag("home");
  EXPECT_EQ(EncodePageToken(request, ""), "");
  request.set_page_token(EncodePageToken(request, "cursor\xff"));
  request.set_page_size(7);  // may change
  ASSERT_TRUE(DecodeListTasks(request).ok());
  EXPECT_EQ(DecodeListTasks(request)->page_cursor, "cursor\xff");

  v1::ListTasksRequest other = request;
  other.set_order_by("title desc");
  EXPECT_THAT(ViolationsOf(DecodeListTasks(other)), ElementsAre(Violation("page_token", "")));
  other = request;
  other.mutable_filter()->clear_tag();
  EXPECT_THAT(ViolationsOf(DecodeListTasks(other)), ElementsAre(Violation("page_token", "")));
  other = request;
  other.set_page_token(request.page_token().substr(0, 8));
  EXPECT_THAT(ViolationsOf(DecodeListTasks(other)), ElementsAre(Violation("page_token", "")));
  other.set_page_token(std::string(1'000'000, 'A'));
  EXPECT_THAT(ViolationsOf(DecodeListTasks(other)), ElementsAre(Violation("page_token", "")));
}

TEST(DecodeListChangesTest, ChecksItsNumbers) {
  v1::ListChangesRequest request;
  request.set_after_seq(9);
  const auto query = DecodeListChanges(request);
  ASSERT_TRUE(query.ok());
  EXPECT_EQ(query->after_seq, 9);
  EXPECT_EQ(query->limit, 50);
  request.set_after_seq(-1);
  request.set_page_size(1'000);
  EXPECT_THAT(ViolationsOf(DecodeListChanges(request)),
              UnorderedElementsAre(Violation("after_seq", ""), Violation("page_size", "is 1000")));
}

TEST(CallContextTest, TheFingerprintIsOfTheContentWithoutTheRequestId) {
  const domain::UserId alice{"alice"};
  v1::CreateTaskRequest request;
  request.mutable_task()->set_title("t");
  const auto nameless = ContextOf("CreateTask", request, alice, "");
  EXPECT_FALSE(nameless.request_id.has_value());
  request.set_request_id("7D444840-9DC0-41D1-B245-5FFDCE74FAD2");
  const auto named = ContextOf("CreateTask", request, alice, "trace");
  ASSERT_TRUE(named.request_id.has_value());
  EXPECT_EQ(named.request_id->value(), kUuid);
  EXPECT_EQ(named.user, alice);
  EXPECT_EQ(named.traceparent, "trace");
  EXPECT_EQ(named.fingerprint, nameless.fingerprint);
  EXPECT_EQ(named.fingerprint.size(), 32U);

  request.mutable_task()->set_title("u");
  EXPECT_NE(ContextOf("CreateTask", request, alice, "").fingerprint, named.fingerprint);

  v1::CompleteTaskRequest complete;
  complete.set_id(7);
  v1::DeleteTaskRequest remove;
  remove.set_id(7);
  EXPECT_NE(ContextOf("CompleteTask", complete, alice, "").fingerprint,
            ContextOf("DeleteTask", remove, alice, "").fingerprint)
      << "same bytes, other method";
}

}  // namespace
}  // namespace todo::api

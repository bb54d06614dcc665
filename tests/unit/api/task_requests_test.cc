#include "api/task_requests.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>
#include <string>
#include <vector>

#include "support/status_matchers.h"
#include "violations.h"

namespace todo::api {
namespace {

using support::IsOk;
using testing::ElementsAre;
using testing::Optional;
using testing::UnorderedElementsAre;

constexpr char kUuid[] = "7d444840-9dc0-41d1-b245-5ffdce74fad2";

TEST(DecodeScopeTest, TakesKnownScopesOnly) {
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
    EXPECT_EQ(DecodeTaskSelector(remove)->scope, meant);
  }
  remove.set_scope(static_cast<v1::SeriesScope>(9));
  const auto violations = util::FieldViolationsOf(DecodeTaskSelector(remove).status());
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

TEST(DecodeCreateTaskTest, FieldsThatAreNotSetStayEmpty) {
  v1::CreateTaskRequest request;
  request.mutable_task()->set_title("t");
  const auto input = DecodeCreateTask(request);
  ASSERT_THAT(input, IsOk());
  EXPECT_FALSE(input->description.has_value());
  EXPECT_FALSE(input->priority.has_value());
  EXPECT_FALSE(input->due.due_date.has_value());
  EXPECT_FALSE(input->due.due_local.has_value());
  EXPECT_FALSE(input->time_zone.has_value());
  EXPECT_FALSE(input->recurrence_rule.has_value());
  EXPECT_FALSE(input->basis.has_value());
}

TEST(DecodeCreateTaskTest, TakesBothFormsOfADueDate) {
  v1::CreateTaskRequest request;
  request.mutable_task()->mutable_due_date()->set_seconds(5);
  request.mutable_task()->set_due_local("2026-10-24");
  const auto input = DecodeCreateTask(request);
  ASSERT_THAT(input, IsOk());
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
          Violation("task.due_date", "years 1 to 9999")));
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

TEST(DecodeUpdateTaskTest, ChangesTheFieldsOfTheMaskOnly) {
  v1::UpdateTaskRequest request = Update({"title", "tags"});
  v1::Task& task = *request.mutable_task();
  task.set_title("t");
  task.add_tags("a");
  task.set_priority(v1::PRIORITY_HIGH);
  task.set_description("d");
  task.set_due_local("2026-10-24");
  const auto input = DecodeUpdateTask(request);
  ASSERT_THAT(input, IsOk());
  EXPECT_EQ(input->id.value, 7);
  EXPECT_THAT(input->title, Optional(std::string("t")));
  EXPECT_THAT(*input->tags, ElementsAre("a"));
  EXPECT_FALSE(input->expected_version || input->description || input->priority || input->due ||
               input->time_zone || input->recurrence_rule || input->basis);
}

TEST(DecodeUpdateTaskTest, ClearsFieldsThatAreNamedAndNotSet) {
  const auto input = DecodeUpdateTask(Update({"*"}));
  ASSERT_THAT(input, IsOk());
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

TEST(DecodeUpdateTaskTest, AMaskWithOneFormOfDueDateLeavesTheOther) {
  v1::UpdateTaskRequest request = Update({"due_date"});
  request.mutable_task()->mutable_due_date()->set_seconds(5);
  request.mutable_task()->set_due_local("2026-10-24");
  const auto input = DecodeUpdateTask(request);
  ASSERT_THAT(input, IsOk());
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
              UnorderedElementsAre(Violation("update_mask", "must name the fields to change"),
                                   Violation("task", "must be given")));
  EXPECT_THAT(ViolationsOf(DecodeUpdateTask(Update({""}))),
              ElementsAre(Violation("update_mask", "")));
}

TEST(DecodeTaskSelectorTest, IdEtagAndRequestIdAreChecked) {
  v1::CompleteTaskRequest request;
  request.set_id(7);
  request.set_etag("v2");
  request.set_request_id(kUuid);
  const auto ref = DecodeTaskSelector(request);
  ASSERT_THAT(ref, IsOk());
  EXPECT_EQ(ref->id.value, 7);
  EXPECT_EQ(ref->expected_version, 2);

  request.set_id(-7);
  request.set_etag("v-2");
  request.set_request_id("?");
  EXPECT_THAT(ViolationsOf(DecodeTaskSelector(request)),
              UnorderedElementsAre(Violation("id", ""), Violation("etag", ""),
                                   Violation("request_id", "")));
  EXPECT_THAT(ViolationsOf(DecodeTaskSelector(v1::UncompleteTaskRequest())),
              ElementsAre(Violation("id", "")));
  EXPECT_THAT(ViolationsOf(DecodeTaskSelector(v1::DeleteTaskRequest())),
              ElementsAre(Violation("id", "")));
  EXPECT_THAT(ViolationsOf(DecodeTaskSelector(v1::GetTaskRequest())),
              ElementsAre(Violation("id", "")));
}

TEST(DecodeListChangesTest, ChecksItsNumbers) {
  v1::ListChangesRequest request;
  request.set_after_seq(9);
  const auto query = DecodeListChanges(request);
  ASSERT_THAT(query, IsOk());
  EXPECT_EQ(query->after_seq, 9);
  EXPECT_EQ(query->limit, 50);
  EXPECT_EQ(query->task, std::nullopt);
  request.set_task_id(7);
  EXPECT_THAT(DecodeListChanges(request)->task, Optional(domain::TaskId{7}));
  request.set_after_seq(-1);
  request.set_page_size(1'000);
  request.set_task_id(-1);
  EXPECT_THAT(ViolationsOf(DecodeListChanges(request)),
              UnorderedElementsAre(Violation("after_seq", ""), Violation("page_size", "is 1000"),
                                   Violation("task_id", "")));
}

}  // namespace
}  // namespace todo::api

#include "api/task_batch.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <variant>

#include "support/status_matchers.h"
#include "violations.h"

namespace todo::api {
namespace {

using support::IsOk;
using testing::ElementsAre;
using testing::Optional;

v1::TaskChange& Add(v1::BatchUpdateTasksRequest& request, std::int64_t id) {
  v1::TaskChange& change = *request.add_changes();
  change.set_id(id);
  change.set_etag("v3");
  return change;
}

TEST(DecodeBatchTest, EachChangeBecomesThatOfItsCall) {
  v1::BatchUpdateTasksRequest request;
  Add(request, 1).set_completed(true);
  Add(request, 2).set_completed(false);
  Add(request, 3).set_deleted(true);
  Add(request, 4).set_deleted(false);
  v1::TaskChange::Update& update = *Add(request, 5).mutable_update();
  update.mutable_task()->set_priority(v1::PRIORITY_HIGH);
  update.mutable_task()->set_id(99);
  update.mutable_task()->set_etag("v99");
  update.mutable_update_mask()->add_paths("priority");
  v1::TaskChange::Tags& tags = *Add(request, 6).mutable_tags();
  tags.add_add("a");
  tags.add_remove("b");

  const auto changes = DecodeBatchUpdateTasks(request);
  ASSERT_THAT(changes, IsOk());
  ASSERT_EQ(changes->size(), 6u);
  const auto& completion = std::get<service::TaskCompletion>((*changes)[0]);
  EXPECT_TRUE(completion.completed);
  EXPECT_EQ(completion.id.value, 1);
  EXPECT_THAT(completion.expected_version, Optional(3));
  EXPECT_FALSE(std::get<service::TaskCompletion>((*changes)[1]).completed);
  EXPECT_EQ(std::get<service::TaskDeletion>((*changes)[2]).id.value, 3);
  EXPECT_THAT(std::get<service::TaskRestoration>((*changes)[3]).expected_version, Optional(3));
  const auto& input = std::get<service::UpdateTaskInput>((*changes)[4]);
  EXPECT_EQ(input.id.value, 5);
  EXPECT_THAT(input.expected_version, Optional(3));
  EXPECT_THAT(input.priority, Optional(domain::Priority::kHigh));
  const auto& tagged = std::get<service::TagChange>((*changes)[5]);
  EXPECT_THAT(tagged.added, ElementsAre("a"));
  EXPECT_THAT(tagged.removed, ElementsAre("b"));
}

TEST(DecodeBatchTest, EveryViolationNamesItsChange) {
  v1::BatchUpdateTasksRequest request;
  request.set_request_id("no uuid");
  Add(request, 0).set_completed(true);
  Add(request, 1);
  v1::TaskChange& update = Add(request, -1);
  update.set_etag("x");
  update.mutable_update()->mutable_update_mask()->add_paths("id");
  Add(request, 2).mutable_tags();
  EXPECT_THAT(
      ViolationsOf(DecodeBatchUpdateTasks(request)),
      ElementsAre(Violation("request_id", ""), Violation("changes[0].id", ""),
                  Violation("changes[1].change", "completed, deleted, update and tags"),
                  Violation("changes[2].update.update_mask", ""), Violation("changes[2].id", ""),
                  Violation("changes[2].etag", ""), Violation("changes[3].tags", "to add or")));
}

TEST(DecodeBatchTest, TakesOneToFiftyChanges) {
  v1::BatchUpdateTasksRequest request;
  EXPECT_THAT(ViolationsOf(DecodeBatchUpdateTasks(request)),
              ElementsAre(Violation("changes", "has 0 changes; it must have 1 to 50")));
  for (int i = 1; i <= 50; ++i) Add(request, i).set_completed(true);
  EXPECT_THAT(DecodeBatchUpdateTasks(request), IsOk());
  Add(request, 51).set_completed(true);
  EXPECT_THAT(ViolationsOf(DecodeBatchUpdateTasks(request)),
              ElementsAre(Violation("changes", "has 51 changes")));
}

TEST(BatchFailureTest, PathsBeginWithTheChange) {
  v1::BatchUpdateTasksRequest request;
  Add(request, 1).mutable_update();
  Add(request, 2).mutable_tags();
  const auto moved = [&request](std::size_t index, std::string field) {
    const absl::Status status =
        util::WithIndex(util::InvalidFields({{std::move(field), "is wrong"}}), index);
    return BatchFailure(status, request);
  };
  EXPECT_THAT(util::FieldViolationsOf(moved(0, "task.title")),
              ElementsAre(Violation("changes[0].update.task.title", "is wrong")));
  EXPECT_THAT(util::FieldViolationsOf(moved(1, "task.tags[20]")),
              ElementsAre(Violation("changes[1].tags", "is wrong")));
  EXPECT_THAT(util::IndexOf(moved(1, "task.tags")), Optional(1));
}

TEST(BatchFailureTest, OtherFailuresStayAsTheyAre) {
  v1::BatchUpdateTasksRequest request;
  Add(request, 1).set_completed(true);
  const absl::Status missing = util::WithIndex(absl::NotFoundError("none"), 0);
  EXPECT_EQ(BatchFailure(missing, request), missing);
  const absl::Status whole = absl::UnavailableError("away");
  EXPECT_EQ(BatchFailure(whole, request), whole);
}

}  // namespace
}  // namespace todo::api

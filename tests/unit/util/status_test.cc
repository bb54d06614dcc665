#include "util/status.h"

#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <string>
#include <vector>

namespace todo::util {
namespace {

TEST(Annotate, PutsTheContextBeforeTheMessageAndKeepsTheCode) {
  EXPECT_EQ(Annotate(absl::AbortedError("deadlock"), "store: claim"),
            absl::AbortedError("store: claim: deadlock"));
}

TEST(Annotate, KeepsPayloads) {
  const absl::Status status = WithReason(InvalidFields({{"task.title", "is empty"}}), "WHY");
  const absl::Status annotated = Annotate(status, "api");
  EXPECT_EQ(ReasonOf(annotated), "WHY");
  EXPECT_EQ(FieldViolationsOf(annotated), FieldViolationsOf(status));
  EXPECT_EQ(FieldViolationsOf(annotated).size(), 1u);
}

TEST(Annotate, OkStaysOk) { EXPECT_EQ(Annotate(absl::OkStatus(), "api"), absl::OkStatus()); }

TEST(InvalidFields, NamesEveryFieldInTheMessage) {
  const absl::Status status = InvalidFields({{"task.title", "is empty"}, {"page_size", "is -1"}});
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(status.message(), "task.title: is empty; page_size: is -1");
}

TEST(InvalidFields, ViolationsComeBackAsTheyWere) {
  const std::vector<FieldViolation> violations = {
      {"task.title", "says \"no\", \\ and {}"}, {"task.tags[3]", "\u00e4\u20ac\n"}, {"", ""}};
  EXPECT_EQ(FieldViolationsOf(InvalidFields(violations)), violations);
}

TEST(InvalidFields, BytesThatAreNotUtf8AreReplaced) {
  EXPECT_EQ(FieldViolationsOf(InvalidFields({{"zone", "is \xff"}})),
            (std::vector<FieldViolation>{{"zone", "is \ufffd"}}));
}

TEST(FieldViolationsOf, AreNoneWhereNoneWereGiven) {
  EXPECT_TRUE(FieldViolationsOf(absl::OkStatus()).empty());
  EXPECT_TRUE(FieldViolationsOf(absl::InvalidArgumentError("no")).empty());
}

TEST(WithReason, GivesAReasonToErrorsOnly) {
  EXPECT_EQ(ReasonOf(WithReason(absl::NotFoundError("no"), "TASK_NOT_FOUND")), "TASK_NOT_FOUND");
  EXPECT_EQ(ReasonOf(WithReason(WithReason(absl::NotFoundError("no"), "A"), "B")), "B");
  EXPECT_EQ(WithReason(absl::OkStatus(), "WHY"), absl::OkStatus());
  EXPECT_EQ(ReasonOf(absl::OkStatus()), "");
  EXPECT_EQ(ReasonOf(absl::NotFoundError("no")), "");
}

TEST(WithIndex, SaysWhichItemOfAListAnErrorIsAbout) {
  const absl::Status status = WithReason(absl::NotFoundError("no"), "TASK_NOT_FOUND");
  EXPECT_EQ(IndexOf(WithIndex(status, 12)), 12u);
  EXPECT_EQ(ReasonOf(WithIndex(status, 12)), "TASK_NOT_FOUND");
  EXPECT_EQ(WithIndex(absl::OkStatus(), 1), absl::OkStatus());
  EXPECT_EQ(IndexOf(status), std::nullopt);
  EXPECT_EQ(IndexOf(absl::OkStatus()), std::nullopt);
}

TEST(WithRetryAfter, SaysHowLongToWait) {
  const absl::Status status = WithReason(absl::UnavailableError("no"), "SERVER_STOPPING");
  EXPECT_EQ(RetryAfterOf(WithRetryAfter(status, std::chrono::milliseconds(2'500))),
            std::chrono::milliseconds(2'500));
  EXPECT_EQ(ReasonOf(WithRetryAfter(status, std::chrono::seconds(1))), "SERVER_STOPPING");
  EXPECT_EQ(WithRetryAfter(absl::OkStatus(), std::chrono::seconds(1)), absl::OkStatus());
  EXPECT_EQ(RetryAfterOf(status), std::nullopt);
}

absl::StatusOr<std::unique_ptr<int>> Half(int number) {
  if (number % 2 != 0) return absl::OutOfRangeError("odd");
  return std::make_unique<int>(number / 2);
}

absl::StatusOr<int> Quarter(int number) {
  TODO_ASSIGN_OR_RETURN(const std::unique_ptr<int> half, Half(number));
  TODO_ASSIGN_OR_RETURN(std::unique_ptr<int> quarter, Half(*half));
  TODO_RETURN_IF_ERROR(*quarter == 0 ? absl::NotFoundError("zero") : absl::OkStatus());
  return *quarter;
}

TEST(Macros, PassErrorsOnAndValuesThrough) {
  EXPECT_EQ(Quarter(8).value(), 2);
  EXPECT_EQ(Quarter(7).status(), absl::OutOfRangeError("odd"));
  EXPECT_EQ(Quarter(6).status(), absl::OutOfRangeError("odd"));
  EXPECT_EQ(Quarter(0).status(), absl::NotFoundError("zero"));
}

}  // namespace
}  // namespace todo::util

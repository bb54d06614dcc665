#include "api/status_encoding.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <vector>

#include "domain/task/task.h"
#include "google/rpc/error_details.pb.h"
#include "util/status.h"
#include "util/utf8.h"

namespace todo::api {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

template <typename Detail>
std::optional<Detail> DetailOf(const google::rpc::Status& status) {
  Detail detail;
  for (const auto& any : status.details()) {
    if (any.UnpackTo(&detail)) return detail;
  }
  return std::nullopt;
}

struct Row {
  absl::Status status;
  absl::StatusCode code;
  std::string message;
  std::string reason;
  bool retry;
};

TEST(StatusEncodingTest, EveryCodeHasItsRow) {
  const auto with_reason = [](absl::Status status) {
    return util::WithReason(std::move(status), "WHY");
  };
  const Row rows[] = {
      {absl::CancelledError("m"), absl::StatusCode::kCancelled, "m", "CANCELLED", false},
      {absl::InvalidArgumentError("m"), absl::StatusCode::kInvalidArgument, "m", "INVALID_ARGUMENT",
       false},
      {absl::NotFoundError("m"), absl::StatusCode::kNotFound, "m", "NOT_FOUND", false},
      {absl::PermissionDeniedError("m"), absl::StatusCode::kPermissionDenied, "m",
       "PERMISSION_DENIED", false},
      {absl::UnauthenticatedError("m"), absl::StatusCode::kUnauthenticated, "m", "UNAUTHENTICATED",
       false},
      {absl::OutOfRangeError("m"), absl::StatusCode::kOutOfRange, "m", "OUT_OF_RANGE", false},
      {absl::UnimplementedError("m"), absl::StatusCode::kUnimplemented, "m", "UNIMPLEMENTED",
       false},
      // Made for callers: they have a reason.
      {with_reason(absl::NotFoundError("m")), absl::StatusCode::kNotFound, "m", "WHY", false},
      {with_reason(absl::AlreadyExistsError("m")), absl::StatusCode::kAlreadyExists, "m", "WHY",
       false},
      {with_reason(absl::FailedPreconditionError("m")), absl::StatusCode::kFailedPrecondition, "m",
       "WHY", false},
      {with_reason(absl::AbortedError("m")), absl::StatusCode::kAborted, "m", "WHY", false},
      {with_reason(absl::UnavailableError("m")), absl::StatusCode::kUnavailable, "m", "WHY", true},
      {with_reason(absl::ResourceExhaustedError("m")), absl::StatusCode::kResourceExhausted, "m",
       "WHY", true},
      {util::WithReason(absl::ResourceExhaustedError("m"), "TOO_MANY_OPEN_TASKS"),
       absl::StatusCode::kResourceExhausted, "m", "TOO_MANY_OPEN_TASKS", false},
      {with_reason(absl::DeadlineExceededError("m")), absl::StatusCode::kDeadlineExceeded, "m",
       "WHY", false},
      // Only passed through: their texts speak of machines.
      {absl::UnavailableError("store: m"), absl::StatusCode::kUnavailable,
       "the service cannot do this right now: try again", "UNAVAILABLE", true},
      {absl::ResourceExhaustedError("store: m"), absl::StatusCode::kResourceExhausted,
       "the service is overloaded: try again in a second", "RESOURCE_EXHAUSTED", true},
      {absl::DeadlineExceededError("store: m"), absl::StatusCode::kDeadlineExceeded,
       "the call took too long: try again", "DEADLINE_EXCEEDED", false},
      {absl::AbortedError("store: m"), absl::StatusCode::kAborted,
       "other changes of the same data came between: try again", "ABORTED", false},
      {util::WithReason(absl::AbortedError("store: m"), "CONTENTION"), absl::StatusCode::kAborted,
       "other changes of the same data came between: try again", "CONTENTION", false},
      {absl::UnknownError("store: m"), absl::StatusCode::kUnknown,
       "the outcome is unknown: repeat the call with the same request_id, or, without one, look "
       "whether it took effect before you repeat it",
       "UNKNOWN", false},
      {absl::FailedPreconditionError("store: m"), absl::StatusCode::kFailedPrecondition,
       "the call does not fit the stored state: read it again", "FAILED_PRECONDITION", false},
      {absl::AlreadyExistsError("store: m"), absl::StatusCode::kAlreadyExists, "it exists already",
       "ALREADY_EXISTS", false},
      // Withheld, whatever they have.
      {absl::InternalError("m"), absl::StatusCode::kInternal, "internal error", "INTERNAL", false},
      {with_reason(absl::InternalError("m")), absl::StatusCode::kInternal, "internal error", "WHY",
       false},
      {absl::DataLossError("m"), absl::StatusCode::kDataLoss, "internal error", "DATA_LOSS", false},
  };
  for (const Row& row : rows) {
    const google::rpc::Status status = EncodeStatus(row.status);
    const std::string name = row.status.ToString();
    EXPECT_EQ(status.code(), static_cast<int>(row.code)) << name;
    EXPECT_EQ(status.message(), row.message) << name;
    const auto info = DetailOf<google::rpc::ErrorInfo>(status);
    ASSERT_TRUE(info.has_value()) << name;
    EXPECT_EQ(info->reason(), row.reason) << name;
    EXPECT_EQ(info->domain(), "todo-service") << name;
    const auto retry = DetailOf<google::rpc::RetryInfo>(status);
    EXPECT_EQ(retry.has_value(), row.retry) << name;
    if (retry) {
      EXPECT_EQ(retry->retry_delay().seconds(), 1) << name;
    }
    EXPECT_FALSE(DetailOf<google::rpc::BadRequest>(status).has_value()) << name;
  }
}

TEST(StatusEncodingTest, AStatusMaySayHowLongToWait) {
  const auto retry = DetailOf<google::rpc::RetryInfo>(EncodeStatus(
      util::WithRetryAfter(util::WithReason(absl::UnavailableError("stopping"), "SERVER_STOPPING"),
                           std::chrono::milliseconds(2'500))));
  ASSERT_TRUE(retry.has_value());
  EXPECT_EQ(retry->retry_delay().seconds(), 2);
  EXPECT_EQ(retry->retry_delay().nanos(), 500'000'000);
}

TEST(StatusEncodingTest, OkIsOk) {
  const google::rpc::Status status = EncodeStatus(absl::OkStatus());
  EXPECT_EQ(status.code(), 0);
  EXPECT_EQ(status.ByteSizeLong(), 0U);
}

TEST(StatusEncodingTest, ViolatedFieldsAreNamed) {
  const google::rpc::Status status = EncodeStatus(
      util::InvalidFields({{"task.title", "is empty"}, {"page_size", "is too large"}}));
  EXPECT_EQ(status.code(), static_cast<int>(absl::StatusCode::kInvalidArgument));
  const auto bad = DetailOf<google::rpc::BadRequest>(status);
  ASSERT_TRUE(bad.has_value());
  ASSERT_EQ(bad->field_violations_size(), 2);
  EXPECT_EQ(bad->field_violations(0).field(), "task.title");
  EXPECT_EQ(bad->field_violations(1).description(), "is too large");
  EXPECT_EQ(DetailOf<google::rpc::ErrorInfo>(status)->reason(), "INVALID_FIELDS");
}

TEST(StatusEncodingTest, LongAnswersAreCutToFitTheTrailers) {
  // On the wire the message is percent-encoded, up to three times as long, and the details are in
  // base64.
  const auto on_the_wire = [](const google::rpc::Status& status) {
    return 3 * status.message().size() + (status.ByteSizeLong() + 2) / 3 * 4;
  };
  std::vector<util::FieldViolation> many;
  for (int i = 0; i < 10'000; ++i)
    many.push_back({"task.tags[" + std::to_string(i) + "]", "is empty"});
  const google::rpc::Status cut = EncodeStatus(util::InvalidFields(many));
  EXPECT_LT(on_the_wire(cut), 7'500U);
  const auto bad = DetailOf<google::rpc::BadRequest>(cut);
  ASSERT_TRUE(bad.has_value());
  EXPECT_THAT(bad->field_violations().rbegin()->description(),
              AllOf(StartsWith("and 9"), HasSubstr("more")));

  std::string text;
  for (int i = 0; i < 100'000; ++i) text += "ö";
  for (std::size_t shift = 0; shift < 2; ++shift) {
    const google::rpc::Status wide =
        EncodeStatus(util::InvalidFields({{std::string(shift, 'x') + text, text}, {text, text}}));
    EXPECT_LT(on_the_wire(wide), 7'500U);
    EXPECT_TRUE(util::CountCharacters(wide.message()).has_value());
  }
}

TEST(StatusEncodingTest, ReplacesBytesThatAreNotUtf8) {
  const google::rpc::Status status = EncodeStatus(absl::InvalidArgumentError("a\xff b"));
  EXPECT_EQ(status.message(), "a? b");
}

}  // namespace
}  // namespace todo::api

#include "api/status_encoding.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <vector>

#include "domain/task/task.h"
#include "google/rpc/error_details.pb.h"
#include "google/rpc/status.pb.h"
#include "util/status.h"
#include "util/utf8.h"

namespace todo::api {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

template <typename Detail>
std::optional<Detail> DetailOf(const grpc::Status& status) {
  google::rpc::Status rich;
  EXPECT_TRUE(rich.ParseFromString(status.error_details()));
  Detail detail;
  for (const auto& any : rich.details()) {
    if (any.UnpackTo(&detail)) return detail;
  }
  return std::nullopt;
}

struct Row {
  absl::Status status;
  grpc::StatusCode code;
  std::string message;
  std::string reason;
  bool retry;
};

TEST(StatusEncodingTest, EveryCodeHasItsRow) {
  const auto with_reason = [](absl::Status status) {
    return util::WithReason(std::move(status), "WHY");
  };
  const Row rows[] = {
      {absl::CancelledError("m"), grpc::CANCELLED, "m", "CANCELLED", false},
      {absl::InvalidArgumentError("m"), grpc::INVALID_ARGUMENT, "m", "INVALID_ARGUMENT", false},
      {absl::NotFoundError("m"), grpc::NOT_FOUND, "m", "NOT_FOUND", false},
      {absl::PermissionDeniedError("m"), grpc::PERMISSION_DENIED, "m", "PERMISSION_DENIED", false},
      {absl::UnauthenticatedError("m"), grpc::UNAUTHENTICATED, "m", "UNAUTHENTICATED", false},
      {absl::OutOfRangeError("m"), grpc::OUT_OF_RANGE, "m", "OUT_OF_RANGE", false},
      {absl::UnimplementedError("m"), grpc::UNIMPLEMENTED, "m", "UNIMPLEMENTED", false},
      // Made for callers: they have a reason.
      {with_reason(absl::NotFoundError("m")), grpc::NOT_FOUND, "m", "WHY", false},
      {with_reason(absl::AlreadyExistsError("m")), grpc::ALREADY_EXISTS, "m", "WHY", false},
      {with_reason(absl::FailedPreconditionError("m")), grpc::FAILED_PRECONDITION, "m", "WHY",
       false},
      {with_reason(absl::AbortedError("m")), grpc::ABORTED, "m", "WHY", false},
      {with_reason(absl::UnavailableError("m")), grpc::UNAVAILABLE, "m", "WHY", true},
      {with_reason(absl::ResourceExhaustedError("m")), grpc::RESOURCE_EXHAUSTED, "m", "WHY", true},
      {with_reason(absl::DeadlineExceededError("m")), grpc::DEADLINE_EXCEEDED, "m", "WHY", false},
      // Only passed through: their texts speak of machines.
      {absl::UnavailableError("store: m"), grpc::UNAVAILABLE,
       "the service cannot do this right now: try again", "UNAVAILABLE", true},
      {absl::ResourceExhaustedError("store: m"), grpc::RESOURCE_EXHAUSTED,
       "the service has too much to do right now: try again", "RESOURCE_EXHAUSTED", true},
      {absl::DeadlineExceededError("store: m"), grpc::DEADLINE_EXCEEDED,
       "this took too long: try again", "DEADLINE_EXCEEDED", false},
      {absl::AbortedError("store: m"), grpc::ABORTED,
       "this met with other changes of the same data: try again", "ABORTED", false},
      {util::WithReason(absl::AbortedError("store: m"), "CONTENTION"), grpc::ABORTED,
       "this met with other changes of the same data: try again", "CONTENTION", false},
      {absl::UnknownError("store: m"), grpc::UNKNOWN,
       "whether this took effect is not known: repeat the call with the same request_id, or look "
       "before you repeat it "
       "without one",
       "UNKNOWN", false},
      {absl::FailedPreconditionError("store: m"), grpc::FAILED_PRECONDITION,
       "this does not fit what is stored: look at it again", "FAILED_PRECONDITION", false},
      {absl::AlreadyExistsError("store: m"), grpc::ALREADY_EXISTS, "this exists already",
       "ALREADY_EXISTS", false},
      // Withheld, whatever they have.
      {absl::InternalError("m"), grpc::INTERNAL, "internal error", "INTERNAL", false},
      {with_reason(absl::InternalError("m")), grpc::INTERNAL, "internal error", "WHY", false},
      {absl::DataLossError("m"), grpc::DATA_LOSS, "internal error", "DATA_LOSS", false},
  };
  for (const Row& row : rows) {
    const grpc::Status status = ToGrpcStatus(row.status);
    const std::string name = row.status.ToString();
    EXPECT_EQ(status.error_code(), row.code) << name;
    EXPECT_EQ(status.error_message(), row.message) << name;
    google::rpc::Status rich;
    ASSERT_TRUE(rich.ParseFromString(status.error_details())) << name;
    EXPECT_EQ(rich.code(), static_cast<int>(row.code)) << name;
    EXPECT_EQ(rich.message(), row.message) << name;
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

TEST(StatusEncodingTest, OkIsOk) {
  const grpc::Status status = ToGrpcStatus(absl::OkStatus());
  EXPECT_TRUE(status.ok());
  EXPECT_EQ(status.error_details(), "");
}

TEST(StatusEncodingTest, ViolatedFieldsAreNamed) {
  const grpc::Status status = ToGrpcStatus(
      util::InvalidFields({{"task.title", "is empty"}, {"page_size", "is too large"}}));
  EXPECT_EQ(status.error_code(), grpc::INVALID_ARGUMENT);
  const auto bad = DetailOf<google::rpc::BadRequest>(status);
  ASSERT_TRUE(bad.has_value());
  ASSERT_EQ(bad->field_violations_size(), 2);
  EXPECT_EQ(bad->field_violations(0).field(), "task.title");
  EXPECT_EQ(bad->field_violations(1).description(), "is too large");
  EXPECT_EQ(DetailOf<google::rpc::ErrorInfo>(status)->reason(), "INVALID_FIELDS");
}

TEST(StatusEncodingTest, NothingOutgrowsTheTrailers) {
  // What arrives: the message in percent-encoding, up to three times as long, and the details in
  // base64.
  const auto on_the_wire = [](const grpc::Status& status) {
    return 3 * status.error_message().size() + (status.error_details().size() + 2) / 3 * 4;
  };
  std::vector<util::FieldViolation> many;
  for (int i = 0; i < 10'000; ++i)
    many.push_back({"task.tags[" + std::to_string(i) + "]", "is empty"});
  const grpc::Status cut = ToGrpcStatus(util::InvalidFields(many));
  EXPECT_LT(on_the_wire(cut), 7'500U);
  const auto bad = DetailOf<google::rpc::BadRequest>(cut);
  ASSERT_TRUE(bad.has_value());
  EXPECT_THAT(bad->field_violations().rbegin()->description(),
              AllOf(StartsWith("and 9"), HasSubstr("more")));

  std::string text;
  for (int i = 0; i < 100'000; ++i) text += "ö";
  for (std::size_t shift = 0; shift < 2; ++shift) {
    const grpc::Status wide =
        ToGrpcStatus(util::InvalidFields({{std::string(shift, 'x') + text, text}, {text, text}}));
    EXPECT_LT(on_the_wire(wide), 7'500U);
    EXPECT_TRUE(util::CountCharacters(wide.error_message()).has_value());
  }
}

TEST(StatusEncodingTest, TextThatIsNotUtf8IsMadeReadable) {
  const grpc::Status status = ToGrpcStatus(absl::InvalidArgumentError("a\xff b"));
  EXPECT_EQ(status.error_message(), "a? b");
}

}  // namespace
}  // namespace todo::api

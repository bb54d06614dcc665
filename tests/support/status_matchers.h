#pragma once

#include <gmock/gmock.h>

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "util/status.h"

// What a call answered, for EXPECT_THAT: of absl::Status and absl::StatusOr<T> alike. A failure
// prints the whole status.

namespace todo::support {

inline const absl::Status& StatusIn(const absl::Status& status) { return status; }
template <typename T>
const absl::Status& StatusIn(const absl::StatusOr<T>& result) {
  return result.status();
}

MATCHER(IsOk, negation ? "is not OK" : "is OK") {
  const absl::Status& status = StatusIn(arg);
  *result_listener << status.ToString();
  return status.ok();
}

/// A StatusOr with a value that is equal to `value` or matches it.
MATCHER_P(IsOkAndHolds, value, "is OK and its value is as expected") {
  if (!arg.ok()) {
    *result_listener << arg.status().ToString();
    return false;
  }
  return testing::ExplainMatchResult(value, *arg, result_listener);
}

MATCHER_P(StatusIs, code, "is " + absl::StatusCodeToString(code)) {
  const absl::Status& status = StatusIn(arg);
  *result_listener << status.ToString();
  return status.code() == code;
}
/// The same with a message that is equal to `message` or matches it.
MATCHER_P2(StatusIs, code, message,
           "is " + absl::StatusCodeToString(code) + " with the expected message") {
  const absl::Status& status = StatusIn(arg);
  *result_listener << status.ToString();
  return status.code() == code &&
         testing::ExplainMatchResult(message, std::string(util::FromAbsl(status.message())),
                                     result_listener);
}
/// The reason for programs (util::WithReason) is equal to `reason` or matches it.
MATCHER_P(HasReason, reason, "has the expected reason") {
  const absl::Status& status = StatusIn(arg);
  *result_listener << status.ToString();
  return testing::ExplainMatchResult(reason, util::ReasonOf(status), result_listener);
}

}  // namespace todo::support

#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "util/status.h"

namespace todo::api {

/// Matches a violation of `field` whose description contains `description`.
inline auto Violation(std::string field, std::string description) {
  using util::FieldViolation;
  return testing::AllOf(
      testing::Field(&FieldViolation::field, field),
      testing::Field(&FieldViolation::description, testing::HasSubstr(description)));
}

template <typename T>
std::vector<util::FieldViolation> ViolationsOf(const absl::StatusOr<T>& result) {
  EXPECT_EQ(result.status().code(), absl::StatusCode::kInvalidArgument)
      << result.status().ToString();
  return util::FieldViolationsOf(result.status());
}

}  // namespace todo::api

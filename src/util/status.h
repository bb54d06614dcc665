#pragma once

#include <chrono>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

// The one place where std::string_view meets the packaged Abseil's own, and where a status gains
// the details that the network edge turns into google.rpc messages.

namespace todo::util {

inline absl::string_view ToAbsl(std::string_view text) { return {text.data(), text.size()}; }
inline std::string_view FromAbsl(absl::string_view text) { return {text.data(), text.size()}; }

/// A status with a message of any of our string types.
inline absl::Status MakeStatus(absl::StatusCode code, std::string_view message) {
  return absl::Status(code, ToAbsl(message));
}

/// `status` with "context: " before its message, code and payloads kept. OK stays OK.
absl::Status Annotate(const absl::Status& status, std::string_view context);

/// One thing that is wrong with a request: where, and what to do about it.
struct FieldViolation {
  std::string field;  // path as in the API: "task.title"
  std::string description;

  bool operator==(const FieldViolation&) const = default;
};

/// kInvalidArgument that names every violated field. Precondition: not empty.
absl::Status InvalidFields(const std::vector<FieldViolation>& violations);
/// The violations inside `status`; empty when it carries none.
std::vector<FieldViolation> FieldViolationsOf(const absl::Status& status);

/// `status` with a reason in UPPER_SNAKE_CASE that programs can switch on.
absl::Status WithReason(absl::Status status, std::string_view reason);
/// The reason inside `status`; empty when it carries none.
std::string ReasonOf(const absl::Status& status);

/// `status` with the index (from 0) of the item that it is about, for calls that take a list.
absl::Status WithIndex(absl::Status status, std::size_t index);
/// The index inside `status`; nullopt when it carries none.
std::optional<std::size_t> IndexOf(const absl::Status& status);

/// `status` with a pause that the caller should make before trying again. Whole milliseconds.
absl::Status WithRetryAfter(absl::Status status, std::chrono::milliseconds pause);
/// The pause inside `status`; nullopt when it carries none.
std::optional<std::chrono::milliseconds> RetryAfterOf(const absl::Status& status);

}  // namespace todo::util

#define TODO_STATUS_CONCAT_(a, b) a##b
#define TODO_STATUS_CONCAT(a, b) TODO_STATUS_CONCAT_(a, b)

#define TODO_RETURN_IF_ERROR(expression)                                                     \
  do {                                                                                       \
    if (::absl::Status todo_status_ = (expression); !todo_status_.ok()) return todo_status_; \
  } while (false)

#define TODO_ASSIGN_OR_RETURN(declaration, expression) \
  TODO_ASSIGN_OR_RETURN_(TODO_STATUS_CONCAT(todo_statusor_, __LINE__), declaration, expression)
#define TODO_ASSIGN_OR_RETURN_(result, declaration, expression) \
  auto result = (expression);                                   \
  if (!result.ok()) return std::move(result).status();          \
  declaration = *std::move(result)

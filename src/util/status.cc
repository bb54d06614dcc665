#include "util/status.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <optional>

#include "absl/strings/cord.h"

namespace todo::util {
namespace {

constexpr char kViolationsUrl[] = "todo/field-violations";
constexpr char kReasonUrl[] = "todo/reason";
constexpr char kIndexUrl[] = "todo/index";
constexpr char kRetryAfterUrl[] = "todo/retry-after";  // in milliseconds

}  // namespace

absl::Status Annotate(const absl::Status& status, std::string_view context) {
  if (status.ok()) return status;
  absl::Status annotated(status.code(), fmt::format("{}: {}", context, FromAbsl(status.message())));
  status.ForEachPayload([&annotated](absl::string_view url, const absl::Cord& payload) {
    annotated.SetPayload(url, payload);
  });
  return annotated;
}

absl::Status InvalidFields(const std::vector<FieldViolation>& violations) {
  std::string message;
  nlohmann::json payload = nlohmann::json::array();
  for (const FieldViolation& violation : violations) {
    message += fmt::format("{}{}: {}", message.empty() ? "" : "; ", violation.field,
                           violation.description);
    payload.push_back({violation.field, violation.description});
  }
  absl::Status status = absl::InvalidArgumentError(message);
  // Descriptions may quote hostile input, so bytes that are not UTF-8 are replaced, never thrown
  // on.
  status.SetPayload(kViolationsUrl, absl::Cord(payload.dump(
                                        -1, ' ', false, nlohmann::json::error_handler_t::replace)));
  return status;
}

std::vector<FieldViolation> FieldViolationsOf(const absl::Status& status) {
  std::vector<FieldViolation> violations;
  if (auto payload = status.GetPayload(kViolationsUrl)) {
    for (const auto& entry : nlohmann::json::parse(std::string(*payload))) {
      violations.push_back({entry[0], entry[1]});
    }
  }
  return violations;
}

absl::Status WithReason(absl::Status status, std::string_view reason) {
  if (!status.ok()) status.SetPayload(kReasonUrl, absl::Cord(ToAbsl(reason)));
  return status;
}

std::string ReasonOf(const absl::Status& status) {
  auto payload = status.GetPayload(kReasonUrl);
  return payload ? std::string(*payload) : std::string();
}

absl::Status WithIndex(absl::Status status, std::size_t index) {
  if (!status.ok()) status.SetPayload(kIndexUrl, absl::Cord(std::to_string(index)));
  return status;
}

std::optional<std::size_t> IndexOf(const absl::Status& status) {
  const auto payload = status.GetPayload(kIndexUrl);
  if (!payload) return std::nullopt;
  return std::stoull(std::string(*payload));
}

absl::Status WithRetryAfter(absl::Status status, std::chrono::milliseconds pause) {
  if (!status.ok()) status.SetPayload(kRetryAfterUrl, absl::Cord(std::to_string(pause.count())));
  return status;
}

std::optional<std::chrono::milliseconds> RetryAfterOf(const absl::Status& status) {
  const auto payload = status.GetPayload(kRetryAfterUrl);
  if (!payload) return std::nullopt;
  return std::chrono::milliseconds(std::stoll(std::string(*payload)));
}

}  // namespace todo::util

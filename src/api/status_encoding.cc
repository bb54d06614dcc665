#include "api/status_encoding.h"

#include <fmt/format.h>

#include <chrono>
#include <string>
#include <string_view>
#include <vector>

#include "api/connect/error.h"
#include "google/rpc/error_details.pb.h"
#include "util/status.h"
#include "util/utf8.h"

namespace todo::api {
namespace {

// The message is sent twice (as text, where a byte may take three, and inside the details, in
// base64).
constexpr std::size_t kMaxMessageBytes = 800;
constexpr std::size_t kMaxViolationBytes = 300;
constexpr std::size_t kMaxViolationsBytes = 2'000;

/// At most `limit` bytes of `text` and "…". In text that is not UTF-8 every byte outside of ASCII
/// becomes a question mark.
std::string Cut(std::string_view text, std::size_t limit) {
  std::string cut = util::CutText(text, limit);
  if (!util::CountCharacters(cut).has_value()) {
    for (char& c : cut) {
      if (c < ' ' || c > '~') c = '?';
    }
  }
  return cut;
}

google::rpc::BadRequest BadRequestOf(const std::vector<util::FieldViolation>& violations) {
  google::rpc::BadRequest bad_request;
  std::size_t bytes = 0;
  for (std::size_t i = 0; i < violations.size(); ++i) {
    auto* entry = bad_request.add_field_violations();
    entry->set_field(Cut(violations[i].field, kMaxViolationBytes));
    entry->set_description(Cut(violations[i].description, kMaxViolationBytes));
    bytes += entry->ByteSizeLong();
    if (bytes > kMaxViolationsBytes && i + 1 < violations.size()) {
      bad_request.add_field_violations()->set_description(
          fmt::format("and {} more, left out here", violations.size() - i - 1));
      break;
    }
  }
  return bad_request;
}

/// The general text for callers that takes the place of one written for our logs. Empty: messages
/// with this code are always for callers.
std::string_view TextInstead(absl::StatusCode code) {
  switch (code) {
    case absl::StatusCode::kInternal:
    case absl::StatusCode::kDataLoss: return "internal error";
    case absl::StatusCode::kUnavailable: return "the service cannot do this right now: try again";
    case absl::StatusCode::kResourceExhausted:
      return "the service is overloaded: try again in a second";
    case absl::StatusCode::kDeadlineExceeded: return "the call took too long: try again";
    case absl::StatusCode::kAborted:
      return "other changes of the same data came between: try again";
    case absl::StatusCode::kUnknown:
      return "the outcome is unknown: repeat the call with the same request_id, or, without one, "
             "look whether it took effect before you repeat it";
    case absl::StatusCode::kFailedPrecondition:
      return "the call does not fit the stored state: read it again";
    case absl::StatusCode::kAlreadyExists: return "it exists already";
    default: return "";
  }
}

/// Whether the message of a status was written for callers: then it has a reason. A message that
/// only passed through names our machines and modules, and has none, or the store's CONTENTION.
bool IsForCallers(absl::StatusCode code, std::string_view reason) {
  if (code == absl::StatusCode::kInternal || code == absl::StatusCode::kDataLoss) return false;
  return (!reason.empty() && reason != "CONTENTION") || TextInstead(code).empty();
}

/// Whether the same call may succeed after a moment, without the caller doing anything else.
bool PassesByItself(absl::StatusCode code, std::string_view reason) {
  if (code == absl::StatusCode::kResourceExhausted)
    return reason != "TOO_MANY_OPEN_TASKS" && reason != connect::kMessageTooLong;
  return code == absl::StatusCode::kUnavailable;
}

}  // namespace

google::rpc::Status EncodeStatus(const absl::Status& status) {
  google::rpc::Status rich;
  if (status.ok()) return rich;
  const std::string reason = util::ReasonOf(status);
  std::string_view text = util::FromAbsl(status.message());
  if (!IsForCallers(status.code(), reason)) text = TextInstead(status.code());
  rich.set_code(static_cast<int>(status.code()));
  rich.set_message(Cut(text, kMaxMessageBytes));

  const std::vector<util::FieldViolation> violations = util::FieldViolationsOf(status);
  google::rpc::ErrorInfo info;
  info.set_domain("todo-service");
  info.set_reason(!reason.empty()       ? reason
                  : !violations.empty() ? "INVALID_FIELDS"
                                        : absl::StatusCodeToString(status.code()));
  if (const auto index = util::IndexOf(status))
    info.mutable_metadata()->insert({"index", fmt::to_string(*index)});
  rich.add_details()->PackFrom(info);
  if (!violations.empty()) rich.add_details()->PackFrom(BadRequestOf(violations));
  if (PassesByItself(status.code(), reason)) {
    const auto pause = util::RetryAfterOf(status).value_or(std::chrono::seconds(1));
    google::rpc::RetryInfo retry;
    retry.mutable_retry_delay()->set_seconds(pause.count() / 1'000);
    retry.mutable_retry_delay()->set_nanos(static_cast<int>(pause.count() % 1'000 * 1'000'000));
    rich.add_details()->PackFrom(retry);
  }
  return rich;
}

}  // namespace todo::api

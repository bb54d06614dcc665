#include "api/status_encoding.h"

#include <fmt/format.h>

#include <string>
#include <string_view>

#include "domain/task/task.h"
#include "google/rpc/error_details.pb.h"
#include "google/rpc/status.pb.h"
#include "util/status.h"
#include "util/utf8.h"

namespace todo::api {
namespace {

// The message is sent twice (as text, where a byte may take three, and inside the details, in
// base64).
constexpr std::size_t kMaxMessageBytes = 800;
constexpr std::size_t kMaxViolationBytes = 300;
constexpr std::size_t kMaxViolationsBytes = 2'000;

/// At most `limit` bytes of `text`, as UTF-8.
std::string Cut(std::string_view text, std::size_t limit) {
  std::string cut(text.substr(0, limit));
  if (text.size() > limit) {
    // Bytes 10xxxxxx continue a character: none may stand behind the cut.
    std::size_t end = limit;
    while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xc0) == 0x80) --end;
    cut.resize(end);
    cut += "…";
  }
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

/// What callers are told instead of a text that was written for our own logs; empty: nothing else.
std::string_view TextInstead(absl::StatusCode code) {
  switch (code) {
    case absl::StatusCode::kInternal:
    case absl::StatusCode::kDataLoss: return "internal error";
    case absl::StatusCode::kUnavailable: return "the service cannot do this right now: try again";
    case absl::StatusCode::kResourceExhausted:
      return "the service has too much to do right now: try again";
    case absl::StatusCode::kDeadlineExceeded: return "this took too long: try again";
    case absl::StatusCode::kAborted:
      return "this met with other changes of the same data: try again";
    case absl::StatusCode::kUnknown:
      return "whether this took effect is not known: repeat the call with the same request_id, or "
             "look "
             "before you repeat it without one";
    case absl::StatusCode::kFailedPrecondition:
      return "this does not fit what is stored: look at it again";
    case absl::StatusCode::kAlreadyExists: return "this exists already";
    default: return "";
  }
}

/// Whether a status was made for whoever called. One that only passed through says which part of
/// the service tried what with which machine, and has no reason.
bool IsForCallers(absl::StatusCode code, std::string_view reason) {
  if (code == absl::StatusCode::kInternal || code == absl::StatusCode::kDataLoss) return false;
  return (!reason.empty() && reason != "CONTENTION") || TextInstead(code).empty();
}

}  // namespace

grpc::Status ToGrpcStatus(const absl::Status& status) {
  if (status.ok()) return grpc::Status::OK;
  const std::string reason = util::ReasonOf(status);
  std::string_view text = util::FromAbsl(status.message());
  if (!IsForCallers(status.code(), reason)) text = TextInstead(status.code());
  const std::string message = Cut(text, kMaxMessageBytes);

  google::rpc::Status rich;
  rich.set_code(static_cast<int>(status.code()));
  rich.set_message(message);

  const std::vector<util::FieldViolation> violations = util::FieldViolationsOf(status);
  google::rpc::ErrorInfo info;
  info.set_domain("todo-service");
  info.set_reason(!reason.empty()       ? reason
                  : !violations.empty() ? "INVALID_FIELDS"
                                        : absl::StatusCodeToString(status.code()));
  rich.add_details()->PackFrom(info);
  if (!violations.empty()) rich.add_details()->PackFrom(BadRequestOf(violations));
  if (status.code() == absl::StatusCode::kUnavailable ||
      status.code() == absl::StatusCode::kResourceExhausted) {
    google::rpc::RetryInfo retry;
    retry.mutable_retry_delay()->set_seconds(1);
    rich.add_details()->PackFrom(retry);
  }
  return grpc::Status(static_cast<grpc::StatusCode>(status.code()), message,
                      rich.SerializeAsString());
}

}  // namespace todo::api

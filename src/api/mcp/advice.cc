#include "api/mcp/advice.h"

#include <fmt/format.h>

#include "api/status_encoding.h"
#include "google/rpc/error_details.pb.h"
#include "google/rpc/status.pb.h"
#include "util/status.h"

namespace todo::api::mcp {
namespace {

/// The argument that stands for a field of a request: "due_local" for "task.due_local".
std::string ArgumentOf(std::string_view field) {
  if (field == "filter.text") return "words";
  if (field == "reminder") return "at";
  return std::string(field.substr(field.rfind('.') + 1));
}

/// The step after a failure that the message of the API leaves open; empty: none.
std::string NextStep(const absl::Status& status, std::string_view request_id) {
  const std::string again = request_id.empty()
                                ? "call again"
                                : fmt::format("call again with the request_id {}", request_id);
  switch (status.code()) {
    case absl::StatusCode::kInvalidArgument: return "Correct this and call again.";
    case absl::StatusCode::kNotFound:
      return "Call find_tasks for the ids of the user's tasks. restore_task brings back a task "
             "that "
             "the user has deleted.";
    case absl::StatusCode::kAborted:
      return "Call find_tasks, look whether the change is still wanted, and call again with the "
             "etag that it shows.";
    case absl::StatusCode::kAlreadyExists:
      return "If this is a new change, call again with a new request_id. Else call find_tasks and "
             "look what the first call did.";
    case absl::StatusCode::kUnknown:
      return fmt::format("To be sure, {}: a change that was made is not made twice.", again);
    case absl::StatusCode::kUnavailable:
    case absl::StatusCode::kDeadlineExceeded:
    case absl::StatusCode::kCancelled: return fmt::format("Wait a few seconds, then {}.", again);
    case absl::StatusCode::kPermissionDenied:
    case absl::StatusCode::kUnimplemented:
    case absl::StatusCode::kInternal:
      return "Do not repeat the call. Tell the user that it failed.";
    default: return "";
  }
}

}  // namespace

std::string AdviceFor(const absl::Status& status, std::string_view request_id) {
  const google::rpc::Status rich = EncodeStatus(status);
  std::string text;
  google::rpc::BadRequest bad_request;
  for (const auto& detail : rich.details()) {
    if (!detail.UnpackTo(&bad_request)) continue;
    for (const auto& violation : bad_request.field_violations())
      text += fmt::format("{}: {}\n", ArgumentOf(violation.field()), violation.description());
  }
  if (text.empty()) text = fmt::format("{}.\n", rich.message());
  return text + NextStep(status, request_id);
}

}  // namespace todo::api::mcp

#include "api/mcp/argument_times.h"

#include <string>

#include "api/request_parts.h"
#include "util/status.h"

namespace todo::api::mcp {

void TakeZone(ToolCall& call) {
  const std::string name = call.arguments.Text("time_zone");
  if (name.empty()) return;
  if (const absl::Status status = call.user.SetZone(name); !status.ok())
    call.arguments.AddViolation("time_zone", std::string(util::FromAbsl(status.message())));
}

absl::StatusOr<std::optional<google::protobuf::Timestamp>> TakeInstant(ToolCall& call,
                                                                       const char* name) {
  const std::string text = call.arguments.Text(name);
  if (text.empty()) return std::nullopt;
  const absl::StatusOr<domain::Instant> instant = call.user.InstantOf(text);
  if (absl::IsInvalidArgument(instant.status())) {
    call.arguments.AddViolation(name, std::string(util::FromAbsl(instant.status().message())));
    return std::nullopt;
  }
  if (!instant.ok()) return instant.status();
  return EncodeInstant(*instant);
}

}  // namespace todo::api::mcp

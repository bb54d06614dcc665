#pragma once

#include <optional>

#include "absl/status/statusor.h"
#include "api/mcp/tool.h"
#include "google/protobuf/timestamp.pb.h"

// Arguments that are times of the user's clock.

namespace todo::api::mcp {

/// Takes the argument `time_zone`, when it is given, for the zone of the call's times. Adds a
/// violation when there is no such zone.
void TakeZone(ToolCall& call);

/// The instant of the argument `name`. nullopt: it is not given, or is no time, which adds a
/// violation. Errors are those of reading the preferences.
absl::StatusOr<std::optional<google::protobuf::Timestamp>> TakeInstant(ToolCall& call,
                                                                       const char* name);

}  // namespace todo::api::mcp

#pragma once

#include "absl/status/statusor.h"
#include "api/mcp/json_rpc.h"
#include "api/mcp/tool.h"
#include "todo/v1/todo_service.pb.h"

// The work of the tools: from arguments to calls of the API, and from their answers to the
// structured content of a result. All block as the methods do that they call.

namespace todo::api::mcp {

absl::StatusOr<Json> FindTasks(ToolCall& call);
absl::StatusOr<Json> AddTask(ToolCall& call);
absl::StatusOr<Json> ChangeTask(ToolCall& call);
absl::StatusOr<Json> CompleteTask(ToolCall& call);
absl::StatusOr<Json> PostponeTask(ToolCall& call);
absl::StatusOr<Json> Remind(ToolCall& call);
absl::StatusOr<Json> DeleteTask(ToolCall& call);
absl::StatusOr<Json> RestoreTask(ToolCall& call);
absl::StatusOr<Json> PreviewRule(ToolCall& call);
absl::StatusOr<Json> ShowUsage(ToolCall& call);

/// A task as assistants see it: without the fields that only programs need.
Json TaskJson(const v1::Task& task);

}  // namespace todo::api::mcp

#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "api/mcp/arguments.h"
#include "api/mcp/json_rpc.h"
#include "api/mcp/method_calls.h"
#include "api/mcp/user_profile.h"
#include "ports/task_finder.h"

namespace todo::api::mcp {

/// One call of a tool. `request_id` is that of the call, or a fresh one.
struct ToolCall {
  Arguments& arguments;
  const MethodCalls& methods;
  UserProfile& user;
  ports::TaskFinder* finder = nullptr;  // nullptr: words are looked for as they are
  std::string request_id = {};
};

/// A tool that assistants may call.
struct Tool {
  std::string name;
  Json listing;  // as tools/list shows it: title, description, schemas, annotations
  /// The structured content of the result. An error is told to the assistant, in words.
  absl::StatusOr<Json> (*run)(ToolCall& call) = nullptr;
  bool changes = true;  // has the argument request_id
};

/// All tools, in the order in which they are listed. Thread safety: immutable.
const std::vector<Tool>& Tools();

}  // namespace todo::api::mcp

#pragma once

#include <string>
#include <string_view>

#include "absl/status/status.h"

namespace todo::api::mcp {

/// What an assistant is told when a call of a tool fails: what is wrong, in the words of the API,
/// and what to do differently. Wrong fields are named as arguments of the tool. `request_id`: of
/// the call, so that it can be repeated; empty for a call that only reads. A pure function.
std::string AdviceFor(const absl::Status& status, std::string_view request_id);

}  // namespace todo::api::mcp

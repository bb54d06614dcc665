#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "api/mcp/json_rpc.h"
#include "api/mcp/method_calls.h"
#include "api/mcp/user_profile.h"

namespace todo::api::mcp {

/// The resources that have a fixed URI, and the forms of the others, as the protocol lists them.
Json ListedResources();
Json ListedTemplates();

/// The content of the resource at `uri`, as JSON. kNotFound: there is none; other statuses are
/// those of the API. Blocks as the methods do that it calls.
absl::StatusOr<Json> ReadResource(const std::string& uri, const MethodCalls& methods,
                                  UserProfile& user);

}  // namespace todo::api::mcp

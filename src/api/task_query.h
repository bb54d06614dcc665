#pragma once

#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "ports/task_store.h"
#include "todo/v1/todo_service.pb.h"

// The list of tasks: its filter, order and page tokens. All are pure functions.

namespace todo::api {

/// kInvalidArgument with every violation, a page token of another query included.
absl::StatusOr<ports::TaskQuery> DecodeListTasks(const v1::ListTasksRequest& request);

/// The token of the page after the one that answers `request`. It is good for this query only.
/// `cursor` is that of the store; empty, as the token then is, when there is no further page.
std::string EncodePageToken(const v1::ListTasksRequest& request, std::string_view cursor);

/// The answer when a page token is well-formed but the store does not know the cursor inside.
absl::Status UnknownPageToken();

}  // namespace todo::api

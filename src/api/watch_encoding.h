#pragma once

#include <optional>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "domain/event/event.h"
#include "ports/change_feed.h"
#include "todo/v1/todo_service.pb.h"

// Watches, between the messages of the API and the types of the change feed. All are pure
// functions.

namespace todo::api {

/// The part of a watch that the caller chooses.
struct WatchWish {
  std::optional<domain::ChangeCursor> cursor;
  ports::SnapshotScope scope = ports::SnapshotScope::kAll;
};

/// kInvalidArgument names the wrong fields.
absl::StatusOr<WatchWish> DecodeWatchTasks(const v1::WatchTasksRequest& request);

/// kInternal: the change log holds a task that cannot be read.
absl::StatusOr<v1::WatchTasksResponse> EncodeFeedMessage(const ports::FeedMessage& message);

/// The status of the end of a watch, with the pause that the watcher should make.
absl::Status StatusOf(const ports::FeedEnd& end);

}  // namespace todo::api

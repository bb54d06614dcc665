#include "api/watch_encoding.h"

#include <memory>
#include <utility>
#include <variant>

#include "api/request_parts.h"
#include "api/task_encoding.h"
#include "api/task_enums.h"
#include "util/status.h"

namespace todo::api {
namespace {

using Response = v1::WatchTasksResponse;

const EnumTable<ports::SnapshotScope, v1::SnapshotScope> kSnapshotScopes{
    {{ports::SnapshotScope::kAll, v1::SNAPSHOT_SCOPE_ALL},
     {ports::SnapshotScope::kOpen, v1::SNAPSHOT_SCOPE_OPEN},
     {ports::SnapshotScope::kNone, v1::SNAPSHOT_SCOPE_NONE}}};

v1::ChangeCursor EncodeCursor(const domain::ChangeCursor& cursor) {
  v1::ChangeCursor out;
  out.set_seq(cursor.seq);
  if (cursor.seq > 0) out.set_event_id(cursor.event_id.value());
  return out;
}

domain::ChangeCursor DecodeCursor(const v1::ChangeCursor& cursor, Violations& violations) {
  if (cursor.seq() < 0) violations.Add("cursor.seq", "must not be less than zero");
  if (cursor.seq() == 0) {
    if (!cursor.event_id().empty())
      violations.Add("cursor.event_id", "must be empty when cursor.seq is 0");
    return {};
  }
  return {.seq = cursor.seq(),
          .event_id = {DecodeUuid(cursor.event_id(), "cursor.event_id", violations)}};
}

Response::Resync::Reason EncodeReason(ports::FeedResync::Reason reason) {
  return reason == ports::FeedResync::Reason::kUnknownCursor
             ? Response::Resync::REASON_UNKNOWN_CURSOR
             : Response::Resync::REASON_TOO_FAR_BEHIND;
}

/// Writes one kind of message each into `out`.
struct Encoder {
  Response& out;

  absl::Status operator()(const ports::FeedResumed& resumed) const {
    *out.mutable_resumed()->mutable_head() = EncodeCursor(resumed.head);
    return absl::OkStatus();
  }
  absl::Status operator()(const ports::FeedResync& resync) const {
    out.mutable_resync()->set_reason(EncodeReason(resync.reason));
    return absl::OkStatus();
  }
  absl::Status operator()(const ports::FeedSnapshot& snapshot) const {
    auto& encoded = *out.mutable_snapshot();
    for (const domain::Task& task : snapshot.tasks) *encoded.add_tasks() = EncodeTask(task);
    encoded.set_last(snapshot.last);
    *encoded.mutable_cursor() = EncodeCursor(snapshot.cursor);
    return absl::OkStatus();
  }
  absl::Status operator()(const std::shared_ptr<const domain::LiveChange>& change) const {
    TODO_ASSIGN_OR_RETURN(*out.mutable_update(), EncodeChange(change->change()));
    // A deleted task is not shown, wherever the change was read.
    if (change->change().kind == domain::ChangeKind::kDeleted) out.mutable_update()->clear_task();
    return absl::OkStatus();
  }
  absl::Status operator()(const ports::FeedNotification& notification) const {
    auto& encoded = *out.mutable_notification();
    encoded.set_notification_id(notification.notification_id.value());
    if (notification.task_id) encoded.set_task_id(notification.task_id->value);
    *encoded.mutable_timestamp() = EncodeInstant(notification.at);
    return absl::OkStatus();
  }
  absl::Status operator()(const ports::FeedHead& head) const {
    *out.mutable_ping()->mutable_head() = EncodeCursor(head.head);
    return absl::OkStatus();
  }
  absl::Status operator()(const ports::FeedAlive&) const {
    out.mutable_ping();
    return absl::OkStatus();
  }
};

}  // namespace

absl::StatusOr<WatchWish> DecodeWatchTasks(const v1::WatchTasksRequest& request) {
  Violations violations;
  WatchWish wish;
  if (request.has_cursor()) wish.cursor = DecodeCursor(request.cursor(), violations);
  wish.scope = kSnapshotScopes.Decode(request.snapshot(), "snapshot", violations)
                   .value_or(ports::SnapshotScope::kAll);
  TODO_RETURN_IF_ERROR(violations.ToStatus());
  return wish;
}

absl::StatusOr<v1::WatchTasksResponse> EncodeFeedMessage(const ports::FeedMessage& message) {
  Response response;
  TODO_RETURN_IF_ERROR(std::visit(Encoder{response}, message));
  return response;
}

absl::Status StatusOf(const ports::FeedEnd& end) {
  return end.retry_after ? util::WithRetryAfter(end.status, *end.retry_after) : end.status;
}

}  // namespace todo::api

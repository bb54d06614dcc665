#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string_view>
#include <variant>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "domain/event/event.h"
#include "domain/event/live_change.h"
#include "domain/ids.h"
#include "domain/task/task.h"
#include "domain/time.h"

// The changes of a user as they happen, for the screens that watch them: between the doors (api)
// and the one who knows the changes (live).

namespace todo::ports {

/// The first answer to a watcher with a cursor: the cursor is right, so the changes behind it
/// follow, one after another.
struct FeedResumed {
  domain::ChangeCursor head;  // of the user, when the changes were read
};

/// The cursor is worth nothing, so the watcher has to forget what it knows; a snapshot follows. May
/// come at any time.
struct FeedResync {
  enum class Reason {
    kUnknownCursor,  // no such change: the database was set back, or the change is too old to be
                     // kept
    kTooFarBehind,   // a snapshot is shorter than the changes
  };
  Reason reason = Reason::kUnknownCursor;
};

/// "UNKNOWN_CURSOR" or "TOO_FAR_BEHIND"
constexpr std::string_view ToString(FeedResync::Reason reason) {
  return reason == FeedResync::Reason::kUnknownCursor ? "UNKNOWN_CURSOR" : "TOO_FAR_BEHIND";
}

/// A part of the user's tasks, with at most 256 KiB of their JSON or a single task. After the last
/// part the watcher knows all tasks at least as they were at `cursor`, perhaps some later ones. The
/// changes behind the cursor follow, however many, so applying them in their order gives the
/// present state. Nothing comes between the parts but FeedAlive and a FeedResync, which begins
/// anew.
struct FeedSnapshot {
  std::vector<domain::Task> tasks;
  bool last = false;
  domain::ChangeCursor cursor;  // the same in all parts
};

/// A notification was added to the user's list.
struct FeedNotification {
  domain::Uuid notification_id;
  std::optional<domain::TaskId> task_id;
  domain::Instant at;
};

/// A sign of life, every 15 s while the database answers and the watcher has been sent everything:
/// the user's newest change, as the database has it. All changes up to it have been sent before.
struct FeedHead {
  domain::ChangeCursor head;
};

/// A sign of life when nothing was sent for about 15 s and there is no FeedHead to send, because
/// the database cannot be asked or the watcher has not been sent everything yet. May come at any
/// time, also before the first answer and between the parts of a snapshot; but not while the feed
/// waits for OnDrained.
struct FeedAlive {};

using FeedMessage =
    std::variant<FeedResumed, FeedResync, FeedSnapshot, std::shared_ptr<const domain::LiveChange>,
                 FeedNotification, FeedHead, FeedAlive>;

/// How a watch ends.
struct FeedEnd {
  /// kUnavailable with reason SERVER_STOPPING: come back; kUnauthenticated with reason
  /// TOKEN_EXPIRED; others, for the watcher. A watcher that reads too slowly gets none: its door
  /// cuts it off.
  absl::Status status;
  /// When to come back: the watchers of a server that stops are spread over some seconds.
  std::optional<std::chrono::milliseconds> retry_after;
};

/// One watcher's end, at its door. The feed calls the functions one after another, from any thread,
/// perhaps before ChangeFeed::Watch has returned; after End, or after a Send that answered false,
/// it calls none. They must not block, and may call nothing of the feed before they return.
class FeedSink {
 public:
  FeedSink() = default;
  virtual ~FeedSink() = default;
  FeedSink(const FeedSink&) = delete;
  FeedSink& operator=(const FeedSink&) = delete;

  /// False: the watcher has gone, or reads too slowly; nothing more is sent.
  virtual bool Send(const FeedMessage& message) = 0;
  /// `callback` is called once, from any thread, when everything sent so far has left; at once when
  /// it has. The feed sends the next part of a snapshot then, or the next portion of the changes
  /// behind it. May call the callback from inside.
  virtual void OnDrained(std::function<void()> callback) = 0;
  virtual void End(const FeedEnd& end) = 0;
};

/// One watch. Its destruction ends it, without a call of End, and waits for nothing: a call of the
/// sink that has begun on another thread goes on, and the feed holds the sink until then. A watch
/// that has ended may be kept. Thread safety: any thread.
class FeedWatch {
 public:
  FeedWatch() = default;
  virtual ~FeedWatch() = default;
  FeedWatch(const FeedWatch&) = delete;
  FeedWatch& operator=(const FeedWatch&) = delete;

  /// The watch ends with TOKEN_EXPIRED at this time; nullopt: never. Takes the place of what
  /// WatchRequest said.
  virtual void SetExpiry(std::optional<domain::Instant> expiry) = 0;
};

enum class SnapshotScope { kAll, kOpen, kNone };

struct WatchRequest {
  domain::UserId user;
  /// What the watcher knows. nullopt: nothing, so it gets a snapshot.
  std::optional<domain::ChangeCursor> cursor;
  /// Which tasks a snapshot has. kNone: one part without tasks, which says where the changes begin.
  SnapshotScope scope = SnapshotScope::kAll;
  std::optional<domain::Instant> expiry;  // of the proof of identity
};

/// The changes of all users as they happen. Thread safety: any thread. Never blocks: other threads
/// do the reading.
class ChangeFeed {
 public:
  ChangeFeed() = default;
  virtual ~ChangeFeed() = default;
  ChangeFeed(const ChangeFeed&) = delete;
  ChangeFeed& operator=(const ChangeFeed&) = delete;

  /// Begins to send to `sink`: FeedResumed, FeedSnapshot or FeedResync first, then every change,
  /// once and in order. The sink lives as long as the watch uses it. kResourceExhausted: there are
  /// too many watchers. kUnavailable: the feed has ended.
  virtual absl::StatusOr<std::unique_ptr<FeedWatch>> Watch(WatchRequest request,
                                                           std::shared_ptr<FeedSink> sink) = 0;
};

}  // namespace todo::ports

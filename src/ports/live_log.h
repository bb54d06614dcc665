#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "absl/status/statusor.h"
#include "domain/event/event.h"
#include "domain/ids.h"

namespace todo::ports {

/// What a reader has missed.
struct MissedChanges {
  domain::ChangeCursor head;            // of the user; {0, nil}: nothing ever changed
  bool cursor_known = false;            // the change log has the reader's cursor
  bool complete = false;                // `changes` are all changes behind the cursor
  std::vector<domain::Change> changes;  // in order; empty unless the cursor is known
};

/// A reader's cursor, for a check.
struct CursorOfUser {
  domain::UserId user;
  domain::ChangeCursor cursor;
};

struct CheckedCursor {
  domain::ChangeCursor head;  // of the user
  bool known = false;         // the change log has the cursor
};

/// The change log for readers that keep up with it.
/// Thread safety: all methods may be called from many threads at once. All block on the database.
/// Statuses: kUnavailable, kResourceExhausted, kDeadlineExceeded: try again later; kInternal
/// (logged).
class LiveLog {
 public:
  LiveLog() = default;
  virtual ~LiveLog() = default;
  LiveLog(const LiveLog&) = delete;
  LiveLog& operator=(const LiveLog&) = delete;

  /// One query: the user's head, whether the log has `cursor` ({0, nil} is always known), and the
  /// first changes behind it: at most `max_changes`, and as many as it takes for their tasks' JSON
  /// to reach `max_bytes`. So a single change is read however large it is; with 0 and 0, only the
  /// head.
  virtual absl::StatusOr<MissedChanges> ReadMissed(const domain::UserId& user,
                                                   const domain::ChangeCursor& cursor,
                                                   int max_changes, std::size_t max_bytes) = 0;

  /// One query for all: one result for each of `cursors`, in order, also where a user is named more
  /// than once. At most kMaxChecked.
  virtual absl::StatusOr<std::vector<CheckedCursor>> Check(
      const std::vector<CursorOfUser>& cursors) = 0;
  static constexpr std::size_t kMaxChecked = 10'000;
};

}  // namespace todo::ports

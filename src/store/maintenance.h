#pragma once

#include <chrono>
#include <functional>

#include "absl/status/status.h"
#include "store/connection_pool.h"

namespace todo::store {

/// For how long things are kept, all by the database's clock.
struct KeepOptions {
  int inbox_days = 30;                  // after an event's day, or its arrival (see MakeInboxDays)
  std::chrono::hours requests{7 * 24};  // so long a repeated request id is recognised
  std::chrono::hours messages{7 * 24};  // after they were posted; unpublished ones stay
  std::chrono::hours deliveries{30 * 24};  // after their end
  std::chrono::hours notifications{90 * 24};
  std::chrono::hours resolved{90 * 24};    // dead letters, after they were replayed or discarded
  std::chrono::hours unreadable{30 * 24};  // open dead letters that are no events
  std::chrono::hours in_hand{24};  // what a process had in its hands that never came back; crashes
};

/// Makes room for the inbox rows of the coming days, each in a short transaction of its own. To be
/// called at start, before the first event is consumed, and then several times a day; several
/// replicas may do so at once. Harmless to repeat, and nothing is lost without it: rows of a day
/// without a partition lie in the default one, move to their day's when it is made, and else go
/// `inbox_days` after they came. A day of which more lies there than can be moved quickly (50,000
/// rows) gets no partition (`inbox_day_stays_in_default` in the log). One day that fails stops no
/// other; the answer is the first failure. Blocks. kAborted: the inbox was too busy; the next call
/// will do. Others as of ConnectionPool::Acquire. Thread safety: may be called from any thread.
absl::Status MakeInboxDays(ConnectionPool& pool);

/// Drops and deletes all that is too old: days of the inbox; what lies there under no such day,
/// request ids, published messages, finished deliveries, notifications, resolved dead letters, what
/// a process had in its hands that never came back, crashes, and what foreign producers said of
/// tasks, once neither the inbox nor an open task made from it needs that. Unreadable dead letters
/// are discarded, and lose their records.
///
/// Goes on until nothing is left, however much there is, in portions, and rests after each by
/// calling `rest(duration)` for as long as the portion took; false from `rest` ends it. One kind
/// that fails does not stop the others: the answer is the first failure, with the statuses of
/// MakeInboxDays. Blocks, perhaps for long; holds one connection at a time and none while it
/// rests. Several replicas may do so at once, and leave each other's portions alone.
/// Thread safety: may be called from any thread.
absl::Status CleanUp(ConnectionPool& pool,
                     const std::function<bool(std::chrono::milliseconds)>& rest,
                     const KeepOptions& keep = {});

}  // namespace todo::store

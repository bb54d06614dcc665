#pragma once

#include <chrono>
#include <functional>

#include "absl/status/status.h"
#include "store/connection_pool.h"

namespace todo::store {

/// How long rows are kept, by the database's clock.
struct KeepOptions {
  int inbox_days = 30;  // after an event's day, or after its arrival (see MakeInboxDays)
  std::chrono::hours requests{7 * 24};     // a request id is recognised when it is repeated in time
  std::chrono::hours messages{7 * 24};     // after they were posted; unpublished messages stay
  std::chrono::hours deliveries{30 * 24};  // after their end
  std::chrono::hours notifications{90 * 24};
  std::chrono::hours resolved{90 * 24};    // dead letters, after they were replayed or discarded
  std::chrono::hours unreadable{30 * 24};  // open dead letters of records that are no events
  std::chrono::hours in_hand{24};  // events in flight of an instance that never came back; crashes
};

/// Makes room for the inbox rows of the coming days, each in a short transaction of its own. To be
/// called at start, before the first event is consumed, and then several times a day. Harmless to
/// repeat, also by several replicas at once.
///
/// Nothing is lost without it: rows of a day without a partition lie in the default partition. They
/// move to their day's partition when it is made, and otherwise are deleted `inbox_days` after they
/// came. A day with more rows in the default partition than can be moved quickly (50,000) gets no
/// partition (`inbox_day_stays_in_default` in the log).
///
/// A day that fails does not stop the others; the answer is the first failure. kAborted: the inbox
/// was too busy, so leave it to the next call. Other statuses as ConnectionPool::Acquire.
/// Thread safety: may be called from any thread. Blocks on the database.
absl::Status MakeInboxDays(ConnectionPool& pool);

/// Deletes rows that are too old: days of the inbox and rows in its default partition, request ids,
/// published messages, finished deliveries, notifications, resolved dead letters, events in flight
/// of instances that never came back, crashes, and notes about tasks of other programs once neither
/// the inbox nor an open task needs them. Old dead letters of unreadable records are discarded and
/// lose their records.
///
/// Works in portions until no such row is left. After each portion it calls `rest(duration)`, for
/// as long as the portion took; false from `rest` ends the work. A kind of rows that fails does not
/// stop the others: the answer is the first failure, with the statuses of MakeInboxDays. Several
/// replicas may work at once; each takes portions of its own.
/// Thread safety: may be called from any thread. Blocks on the database, perhaps for long; holds
/// one connection at a time, and none while it rests.
absl::Status CleanUp(ConnectionPool& pool,
                     const std::function<bool(std::chrono::milliseconds)>& rest,
                     const KeepOptions& keep = {});

}  // namespace todo::store

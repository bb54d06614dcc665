#pragma once

#include <functional>
#include <set>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "domain/event/received_event.h"
#include "domain/ids.h"
#include "domain/time.h"
#include "ports/notification_writer.h"
#include "ports/recurrence_writer.h"
#include "ports/retry_queue.h"
#include "ports/usage_writer.h"

namespace todo::ports {

/// The outcome of InboxTransaction::Claim.
struct Claimed {
  std::set<domain::EventId> fresh;  // to be applied now
  /// Ids that were known already, for another event: a producer has used an id twice within a day.
  /// The second event has no effect. Found only where both events' identities are known.
  std::set<domain::EventId> reused;
};

/// One transaction of a consumer: claims of events, and one writer for each subject of effects. It
/// commits when the function given to EventInbox::Transact answers OK, and leaves no trace
/// otherwise.
/// Thread safety: belongs to the thread that runs the function, for as long as it runs. All methods
/// block on the database; statuses as EventInbox::Transact. After the first failure nothing can be
/// committed, and every method answers that failure.
class InboxTransaction {
 public:
  virtual ~InboxTransaction() = default;

  /// Marks the events as taken by `consumer`. Fresh are those that it has not taken before; of two
  /// copies in one call only one counts. An event whose task has others in the consumer's retry
  /// queue is put behind them and is not fresh.
  ///
  /// An event is known by its id and the UTC day of its time, which every redelivery repeats. The
  /// same id with the time of another day is another event, unless the first one still waits.
  virtual absl::StatusOr<Claimed> Claim(
      std::string_view consumer, const std::vector<domain::ReceivedEvent>& received_events) = 0;

  /// Takes up an entry of the retry queue and locks its task's queue. False: another thread or
  /// replica is trying the entry, or has tried it since it was read.
  virtual absl::StatusOr<bool> TakeUp(const RetryEntry& entry) = 0;

  /// Removes the entry taken up from its queue. The next entry of its task is then due at `now`.
  virtual absl::Status LeaveQueue(const RetryEntry& entry, domain::Instant now) = 0;

  /// The writers live as long as the transaction.
  virtual RecurrenceWriter& recurrence() = 0;
  virtual NotificationWriter& notifications() = 0;
  virtual UsageWriter& usage() = 0;
};

/// Exactly-once effects: the claims and the effects of a batch of events share one transaction.
/// Thread safety: Transact may be called from many threads at once. It blocks on the database.
class EventInbox {
 public:
  virtual ~EventInbox() = default;

  /// Runs `work` in a transaction. When `work` answers OK, the transaction is committed and the
  /// relay is woken. Otherwise it is rolled back and the status of `work` is returned. kAborted
  /// (deadlock, serialisation): the same call may succeed when repeated. kUnavailable,
  /// kResourceExhausted, kUnknown: the store is away, or its answer was lost; the bus must deliver
  /// the events again.
  virtual absl::Status Transact(const std::function<absl::Status(InboxTransaction&)>& work) = 0;
};

}  // namespace todo::ports

#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "domain/ids.h"
#include "domain/reminder/reminder.h"
#include "domain/time.h"
#include "ports/clock.h"
#include "ports/reminder_store.h"
#include "service/call_context.h"
#include "service/reminders/reminder_input.h"
#include "util/histogram.h"

namespace todo::service {

/// The users' reminders: what users do with them, and how they follow time and changes of tasks.
///
/// Settling a task means to bring its reminders to the state that they should have: planned for the
/// task as it is now, and fired if they are due. The rows of the task and its reminders, read under
/// the user's lock, decide alone; the occasion (a job, the sweep, a change of the task) does not
/// matter. So a stale, early, repeated or unknown trigger does no harm, and each date of a reminder
/// fires once.
///
/// Thread safety: all methods may be called from many threads at once, except PlanBacklog and
/// Sweep, which belong to one thread. All block on the database.
///
/// Statuses besides those of the store: kInvalidArgument with every violated field
/// (util::FieldViolationsOf); kNotFound: the user has no such task or reminder;
/// kFailedPrecondition: the task's state does not allow the change.
class ReminderService {
 public:
  /// A trigger may come this much before the reminder's time, because of differing clocks. A
  /// trigger that comes earlier does not belong to that time.
  static constexpr std::chrono::minutes kMaxEarly{5};

  struct Options {
    std::string topic = "reminders";
    /// How long the sweep leaves a due reminder to its job.
    std::chrono::milliseconds grace{3'000};
    /// How many tasks are settled in one transaction (> 0).
    int batch = 100;
  };
  /// `store`, `clock` and `ids` must outlive the service. `on_change` is called when jobs may have
  /// to be written or deleted; it must not block.
  ReminderService(ports::ReminderStore& store, const ports::Clock& clock, ports::IdSource& ids,
                  Options options, std::function<void()> on_change = {});

  /// A time that has passed is refused, except a `before` of a task that has another occurrence to
  /// come: the reminder is then kept for the next occurrences, and its state is kCancelled.
  absl::StatusOr<domain::Reminder> Create(const CallContext& call, domain::TaskId task_id,
                                          const ReminderInput& input);
  /// The reminders of the task, by number.
  absl::StatusOr<std::vector<domain::Reminder>> List(const domain::UserId& user,
                                                     domain::TaskId task_id);
  /// Answers the reminder's last state.
  absl::StatusOr<domain::Reminder> Delete(const CallContext& call, domain::TaskId task_id,
                                          int number);
  /// Moves the reminder, fired or not; the due date stays.
  absl::StatusOr<domain::Reminder> Snooze(const CallContext& call, domain::TaskId task_id,
                                          int number, const SnoozeInput& input);

  /// The scheduler says that it is time for reminders of these tasks: settles the tasks, in one
  /// transaction if possible. Answers one status for each task. OK: the outcome is durable. Any
  /// other status asks for the trigger to come again: the store could not do it now, or no reminder
  /// is due yet and one will be within kMaxEarly, because the scheduler's clock is ahead of ours.
  [[nodiscard]] std::vector<absl::Status> Trigger(const std::vector<domain::TaskId>& tasks);

  /// Settles up to a batch of tasks that have changed since their reminders were planned. True:
  /// some were settled, and there may be more. A task that cannot be settled is skipped, here and
  /// by Sweep, for half a minute.
  absl::StatusOr<bool> PlanBacklog();

  struct Swept {
    int fired = 0;      // reminders
    bool more = false;  // there may be more to fire
  };
  /// Settles up to a batch of tasks with reminders that have been due for longer than
  /// Options::grace, because their trigger did not come.
  absl::StatusOr<Swept> Sweep();

  /// How long after their time reminders fired, since the start.
  util::HistogramValues lateness() const { return lateness_.Read(); }

 private:
  using Change = std::function<absl::Status(const domain::Task&, std::vector<domain::Reminder>&,
                                            domain::Reminder& answer)>;

  /// Changes a task's reminders for one call: under the user's lock, at most once for each request.
  absl::StatusOr<domain::Reminder> Apply(const CallContext& call, domain::TaskId task_id,
                                         const Change& change);
  /// One try of Apply.
  absl::StatusOr<domain::Reminder> TryToApply(const ports::RequestName& request,
                                              domain::TaskId task_id, const Change& change);

  /// What settling one task came to.
  struct Outcome {
    int fired = 0;
    std::optional<domain::Instant> next;  // when its next pending reminder is due
  };
  /// Settles the tasks in one transaction. Answers one outcome for each.
  absl::StatusOr<std::vector<Outcome>> Settle(const std::vector<ports::TaskRef>& refs);
  struct Settled {
    int fired = 0;
    std::vector<absl::Status> statuses;  // of each task
    std::vector<Outcome> outcomes;       // of each task; empty where the status is not OK
  };
  /// Settles the tasks together; if that fails, each alone, so that a task that cannot be settled,
  /// or whose user is locked, delays no other.
  Settled SettleEach(const std::vector<ports::TaskRef>& refs);
  /// SettleEach for tasks that were found by polling: skips tasks on hold, and puts tasks that fail
  /// on hold.
  Settled SettleFound(std::vector<ports::TaskRef> refs);
  /// How many tasks to look for, so that a full batch remains without those on hold.
  int Limit() const { return options_.batch + static_cast<int>(on_hold_.size()); }

  ports::ReminderStore& store_;
  const ports::Clock& clock_;
  ports::IdSource& ids_;
  std::map<domain::TaskId, domain::Instant> on_hold_;  // until when
  const Options options_;
  const std::function<void()> on_change_;
  util::Histogram lateness_;
};

}  // namespace todo::service

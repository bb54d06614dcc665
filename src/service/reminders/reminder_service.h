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
#include "service/tasks/task_service.h"

namespace todo::service {

/// When to remind, as a user gives it: `at` or `before`, not both.
struct ReminderInput {
  std::optional<domain::Instant> at;
  std::optional<std::string> before;       // "PT1H", "P1D"
  std::optional<std::string> time_of_day;  // "09:00", with a `before` in whole days
};

/// Until when a reminder is put off: one of the two.
struct SnoozeInput {
  std::optional<domain::Instant> until;
  std::optional<std::string> duration;  // "PT10M", from now; days are those of the task's calendar
};

/// Users' reminders, and what becomes of them when time passes and tasks change.
///
/// Level-triggered, as the recurrence is: whatever gives the occasion (the scheduler's job, the
/// sweep, a change of the task), the rows of task and reminder, read under the user's lock, say
/// what should be. So a stale, early, repeated or unknown trigger does nothing, and each date of a
/// reminder fires once.
///
/// Thread safety: all methods may be called from many threads at once. All block on the database.
/// Statuses besides those of the store: kInvalidArgument with every violated field
/// (util::FieldViolationsOf); kNotFound: the user has no such task or reminder;
/// kFailedPrecondition when the task's state does not allow it.
class ReminderService {
 public:
  /// A trigger that comes earlier has nothing to do with the reminder's time.
  static constexpr std::chrono::minutes kMaxEarly{5};

  struct Options {
    std::string topic = "reminders";
    /// The sweep leaves a reminder to its job for so long.
    std::chrono::milliseconds grace{3'000};
    /// How many tasks are settled in one transaction.
    int batch = 100;
  };
  /// `store`, `clock` and `ids` must outlive the service. `on_change` is called when jobs may have
  /// to be written or deleted; it must not block.
  ReminderService(ports::ReminderStore& store, const ports::Clock& clock, ports::IdSource& ids,
                  Options options, std::function<void()> on_change = {});

  /// A `before` whose time has passed is taken for the occurrences to come, where any follows, and
  /// answered as kCancelled. Any other time that has passed is refused.
  absl::StatusOr<domain::Reminder> Create(const CallContext& call, domain::TaskId task_id,
                                          const ReminderInput& input);
  /// By number.
  absl::StatusOr<std::vector<domain::Reminder>> List(const domain::UserId& user,
                                                     domain::TaskId task_id);
  /// Answers its last state.
  absl::StatusOr<domain::Reminder> Delete(const CallContext& call, domain::TaskId task_id,
                                          int number);
  /// Moves the reminder, fired or not; the due date stays.
  absl::StatusOr<domain::Reminder> Snooze(const CallContext& call, domain::TaskId task_id,
                                          int number, const SnoozeInput& input);

  /// Somebody says that it is time for reminders of these tasks: fires what is due, and nothing
  /// else, in one transaction if it can be. Answers for each task. OK: it is durable. Anything
  /// else: the trigger must come again, because the store could not do it now, or because nothing
  /// was due yet and something will be within kMaxEarly: the scheduler's clock is ahead of ours.
  [[nodiscard]] std::vector<absl::Status> Trigger(const std::vector<domain::TaskId>& tasks);

  /// Plans up to a batch of tasks' reminders after their tasks changed. True: some were planned,
  /// and there may be more. This and Sweep are for one thread; a task that cannot be settled is
  /// left aside for half a minute.
  absl::StatusOr<bool> PlanBacklog();

  /// What a sweep came across.
  struct Swept {
    int fired = 0;
    bool more = false;  // perhaps
  };
  /// Fires up to a batch of what was due some time ago and has not fired, because its trigger did
  /// not come.
  absl::StatusOr<Swept> Sweep();

 private:
  using Change = std::function<absl::Status(const domain::Task&, std::vector<domain::Reminder>&,
                                            domain::Reminder& answer)>;

  /// One call that changes a task's reminders: under the user's lock, at most once for each
  /// request.
  absl::StatusOr<domain::Reminder> Apply(const CallContext& call, domain::TaskId task_id,
                                         const Change& change);
  /// What became of a task's reminders.
  struct Outcome {
    int fired = 0;
    std::optional<domain::Instant> next;  // when the soonest that is pending will fire
  };
  /// Plans and fires what is to be, of all reminders of the tasks. Answers for each task.
  absl::StatusOr<std::vector<Outcome>> Settle(const std::vector<ports::TaskRef>& refs);
  struct Settled {
    int fired = 0;
    std::vector<absl::Status> statuses;  // of each task
    std::vector<Outcome> outcomes;       // of each task; empty where the status is not OK
  };
  /// The same; a task that cannot be settled, or whose user somebody else has locked, holds up no
  /// other.
  Settled SettleEach(const std::vector<ports::TaskRef>& refs);

  /// The same, of what was found by looking, but for what was left aside; leaves aside what cannot
  /// be settled.
  Settled SettleFound(std::vector<ports::TaskRef> refs);
  /// So many must be looked for that a batch remains.
  int Limit() const { return options_.batch + static_cast<int>(left_aside_.size()); }

  ports::ReminderStore& store_;
  const ports::Clock& clock_;
  ports::IdSource& ids_;
  std::map<domain::TaskId, domain::Instant> left_aside_;  // until when
  const Options options_;
  const std::function<void()> on_change_;
};

}  // namespace todo::service

#include "service/reminders/reminder_service.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>
#include <utility>

#include "domain/event/event_writer.h"
#include "ports/failure.h"
#include "ports/no_such_task.h"
#include "ports/reminder_failures.h"
#include "service/reminders/reminder_input_checks.h"
#include "util/log.h"
#include "util/require.h"
#include "util/span.h"
#include "util/status.h"
#include "util/trace_context.h"

namespace todo::service {
namespace {

using domain::Instant;
using domain::Reminder;
using domain::ReminderState;
using domain::Task;
using ports::TaskRef;
using ports::TaskReminders;

constexpr int kAttempts = 4;

absl::StatusOr<Reminder*> Find(std::vector<Reminder>& reminders, domain::TaskId task_id,
                               int number) {
  const auto found = std::ranges::find_if(reminders, [number](const Reminder& reminder) {
    return reminder.id.number == number && reminder.state != ReminderState::kDeleted;
  });
  if (found != reminders.end()) return &*found;
  return ports::NoSuchReminder(task_id, number);
}

/// What one settling writes.
struct Writes {
  std::vector<Reminder> changed;
  std::vector<ports::OutboxMessage> messages;
};

/// How a reminder fires in one settling.
struct Firing {
  const std::string& topic;
  Instant now;
  domain::EventId event_id;
  const util::Span& span;
};

void Fire(Reminder& reminder, const Task& task, const Firing& firing, Writes& writes) {
  writes.messages.push_back(
      {.topic = firing.topic,
       .key = task.user.value,
       .id = firing.event_id.uuid,
       .payload = domain::WithTraceparent(
           domain::ReminderEventRecord(reminder, task, firing.event_id, firing.now),
           util::FormatTraceparent(firing.span.context())),
       .at = firing.now});
  reminder.state = ReminderState::kFired;
  reminder.fired_at = firing.now;
}

/// Weeks may have passed since the change of the task that set the reminder's time: the firing
/// begins a trace, with a link to it, and to what made the reminder fire now.
util::Span FiringSpan(const TaskReminders& held) {
  const std::array causes = {util::ParseTraceContext(held.traceparent)};
  util::Span span = util::Span::Linked("fire reminder", util::SpanKind::kInternal, causes);
  span.Link(util::CurrentTrace());
  return span;
}

constexpr std::chrono::seconds kHold{30};
constexpr std::array<double, 11> kLatenessBounds = {0.05, 0.1, 0.25, 0.5,  1.0,   2.5,
                                                    5.0,  10,  30,   60.0, 3600.0};
constexpr std::size_t kMaxOnHold = 1'000;

/// Whether any task was settled; if none was, the failure of one that may be settled later.
absl::StatusOr<bool> Progress(const std::vector<absl::Status>& statuses) {
  if (std::ranges::any_of(statuses, [](const absl::Status& status) { return status.ok(); }))
    return true;
  const auto temporary = std::ranges::find_if(statuses, ports::IsTemporary);
  if (temporary != statuses.end()) return *temporary;
  return false;
}

}  // namespace

ReminderService::ReminderService(ports::ReminderStore& store, const ports::Clock& clock,
                                 ports::IdSource& ids, Options options,
                                 std::function<void()> on_change)
    : store_(store),
      clock_(clock),
      ids_(ids),
      options_(std::move(options)),
      on_change_(std::move(on_change)),
      lateness_(kLatenessBounds) {
  TODO_REQUIRE(options_.batch > 0);
}

absl::StatusOr<Reminder> ReminderService::Create(const CallContext& call, domain::TaskId task_id,
                                                 const ReminderInput& input) {
  Violations violations;
  const domain::ReminderTime time = TimeOf(input, violations);
  if (!violations.empty()) return util::InvalidFields(violations);
  return Apply(
      call, task_id,
      [&](const Task& task, std::vector<Reminder>& reminders, Reminder& answer) -> absl::Status {
        TODO_RETURN_IF_ERROR(CheckTakesReminders(task));
        const auto kept = std::ranges::count_if(reminders, [](const Reminder& reminder) {
          return reminder.state != ReminderState::kDeleted;
        });
        if (kept >= domain::kMaxRemindersPerTask) return ports::TooManyReminders();
        TODO_ASSIGN_OR_RETURN(answer, NewReminder(task, time, clock_.Now()));
        answer.id.number = reminders.empty() ? 1 : reminders.back().id.number + 1;
        reminders.push_back(answer);
        return absl::OkStatus();
      });
}

absl::StatusOr<std::vector<Reminder>> ReminderService::List(const domain::UserId& user,
                                                            domain::TaskId task_id) {
  TODO_ASSIGN_OR_RETURN(TaskReminders held, store_.Get({user, task_id}));
  std::erase_if(held.reminders,
                [](const Reminder& reminder) { return reminder.state == ReminderState::kDeleted; });
  // The task may have changed a moment ago.
  for (Reminder& reminder : held.reminders) domain::Plan(reminder, held.task);
  return std::move(held.reminders);
}

absl::StatusOr<Reminder> ReminderService::Delete(const CallContext& call, domain::TaskId task_id,
                                                 int number) {
  return Apply(
      call, task_id,
      [&](const Task&, std::vector<Reminder>& reminders, Reminder& answer) -> absl::Status {
        TODO_ASSIGN_OR_RETURN(Reminder* const reminder, Find(reminders, task_id, number));
        answer = *reminder;
        reminder->state = ReminderState::kDeleted;
        return absl::OkStatus();
      });
}

absl::StatusOr<Reminder> ReminderService::Snooze(const CallContext& call, domain::TaskId task_id,
                                                 int number, const SnoozeInput& input) {
  Violations violations;
  const std::optional<domain::Period> duration = DurationOf(input, violations);
  if (!violations.empty()) return util::InvalidFields(violations);
  return Apply(
      call, task_id,
      [&](const Task& task, std::vector<Reminder>& reminders, Reminder& answer) -> absl::Status {
        TODO_ASSIGN_OR_RETURN(Reminder* const reminder, Find(reminders, task_id, number));
        TODO_RETURN_IF_ERROR(CheckTakesReminders(task));
        const Instant now = clock_.Now();
        const Instant until =
            duration ? domain::After(WholeSecond(now), *duration, task.fields.time_zone)
                     : WholeSecond(*input.until);
        if (!duration && (until <= now || until > now + domain::kMaxReminderOffset)) {
          return util::InvalidFields(
              {{"until", fmt::format("must lie in the future, at most {} days ahead",
                                     domain::kMaxReminderOffset.count())}});
        }
        reminder->remind_at = until;
        reminder->state = ReminderState::kPending;
        answer = *reminder;
        return absl::OkStatus();
      });
}

absl::StatusOr<Reminder> ReminderService::Apply(const CallContext& call, domain::TaskId task_id,
                                                const Change& change) {
  const ports::RequestName request{
      .user = call.user,
      .request_id = call.request_id ? *call.request_id : domain::RequestId{ids_.NewId()},
      .fingerprint = call.fingerprint};
  // The request id makes repeating harmless, also when the outcome is in doubt.
  absl::StatusOr<Reminder> answer = TryToApply(request, task_id, change);
  for (int n = 1;
       n < kAttempts && (absl::IsAborted(answer.status()) || absl::IsUnknown(answer.status()));
       ++n) {
    answer = TryToApply(request, task_id, change);
  }
  if (answer.ok() && on_change_) on_change_();
  return answer;
}

absl::StatusOr<Reminder> ReminderService::TryToApply(const ports::RequestName& request,
                                                     domain::TaskId task_id, const Change& change) {
  Reminder answer;
  const absl::Status done =
      store_.Transact([&](ports::ReminderTransaction& transaction) -> absl::Status {
        answer = {};
        TODO_ASSIGN_OR_RETURN(auto loaded, transaction.LockAndLoad({{request.user, task_id}}));
        TODO_ASSIGN_OR_RETURN(std::optional<Reminder> first, transaction.FirstAnswer(request));
        if (first) {
          answer = *std::move(first);
          return absl::OkStatus();
        }
        std::optional<TaskReminders>& held = loaded.front();
        if (!held || held->task.deleted) return ports::NoSuchTask(task_id);
        for (Reminder& reminder : held->reminders) domain::Plan(reminder, held->task);
        TODO_RETURN_IF_ERROR(change(held->task, held->reminders, answer));
        TODO_RETURN_IF_ERROR(transaction.Save(held->reminders));
        return transaction.Remember(request, answer, clock_.Now());
      });
  TODO_RETURN_IF_ERROR(done);
  return answer;
}

absl::StatusOr<std::vector<ReminderService::Outcome>> ReminderService::Settle(
    const std::vector<TaskRef>& refs) {
  std::vector<Outcome> outcomes;
  std::vector<std::chrono::microseconds> lateness;  // of the reminders that fire
  std::vector<util::Span> spans;                    // of each of them
  const absl::Status status =
      store_.Transact([&](ports::ReminderTransaction& transaction) -> absl::Status {
        outcomes.assign(refs.size(), {});
        lateness.clear();
        spans.clear();
        TODO_ASSIGN_OR_RETURN(auto loaded, transaction.LockAndLoad(refs));
        const Instant now = clock_.Now();
        Writes writes;
        for (std::size_t i = 0; i < loaded.size(); ++i) {
          if (!loaded[i]) continue;
          Outcome& outcome = outcomes[i];
          for (Reminder& reminder : loaded[i]->reminders) {
            const Reminder was = reminder;
            domain::Plan(reminder, loaded[i]->task);
            if (domain::IsDue(reminder, now)) {
              lateness.push_back(now - *reminder.remind_at);
              const Firing firing{.topic = options_.topic,
                                  .now = now,
                                  .event_id = domain::EventId{ids_.NewId()},
                                  .span = spans.emplace_back(FiringSpan(*loaded[i]))};
              Fire(reminder, loaded[i]->task, firing, writes);
              ++outcome.fired;
            } else if (reminder.state == ReminderState::kPending) {
              outcome.next =
                  std::min(outcome.next.value_or(*reminder.remind_at), *reminder.remind_at);
            }
            if (reminder != was) writes.changed.push_back(std::move(reminder));
          }
        }
        TODO_RETURN_IF_ERROR(transaction.Save(writes.changed));
        return transaction.Post(writes.messages);
      });
  for (util::Span& span : spans) span.End(status);
  if (!status.ok()) return status;
  for (const std::chrono::microseconds late : lateness) lateness_.Note(late);
  return outcomes;
}

ReminderService::Settled ReminderService::SettleEach(const std::vector<TaskRef>& refs) {
  Settled settled{.statuses = std::vector<absl::Status>(refs.size()),
                  .outcomes = std::vector<Outcome>(refs.size())};
  if (refs.empty()) return settled;
  absl::StatusOr<std::vector<Outcome>> together = Settle(refs);
  if (together.ok()) {
    settled.outcomes = *std::move(together);
  } else if (ports::IsOutage(together.status())) {
    settled.statuses.assign(refs.size(), together.status());
  } else {
    absl::Status outage;
    for (std::size_t i = 0; i < refs.size(); ++i) {
      const absl::StatusOr<std::vector<Outcome>> alone = outage.ok() ? Settle({refs[i]}) : outage;
      if (alone.ok()) settled.outcomes[i] = alone->front();
      settled.statuses[i] = alone.status();
      if (ports::IsOutage(alone.status())) outage = alone.status();
      if (!alone.ok() && !ports::IsTemporary(alone.status())) {
        util::Log(util::Severity::kError, "reminder_failed",
                  {{"task_id", refs[i].task_id.value}, {"status", alone.status().ToString()}});
      }
    }
  }
  for (const Outcome& outcome : settled.outcomes) settled.fired += outcome.fired;
  return settled;
}

std::vector<absl::Status> ReminderService::Trigger(const std::vector<domain::TaskId>& tasks) {
  const absl::StatusOr<std::vector<TaskRef>> refs = store_.Owned(tasks);
  if (!refs.ok()) return std::vector<absl::Status>(tasks.size(), refs.status());
  const Settled settled = SettleEach(*refs);
  const Instant now = clock_.Now();
  // After any other failure a repeated trigger would not help: the sweep finds the task until it
  // can be settled.
  std::map<domain::TaskId, absl::Status> again;
  for (std::size_t i = 0; i < refs->size(); ++i) {
    const Outcome& outcome = settled.outcomes[i];
    if (ports::IsTemporary(settled.statuses[i])) {
      again[(*refs)[i].task_id] = settled.statuses[i];
    } else if (outcome.fired == 0 && outcome.next && *outcome.next <= now + kMaxEarly) {
      again[(*refs)[i].task_id] = util::MakeStatus(
          absl::StatusCode::kUnavailable, fmt::format("too early: the reminder is due at {}",
                                                      domain::FormatInstant(*outcome.next)));
    }
  }
  std::vector<absl::Status> statuses;
  for (const domain::TaskId task : tasks) {
    const auto found = again.find(task);
    statuses.push_back(found == again.end() ? absl::OkStatus() : found->second);
  }
  return statuses;
}

ReminderService::Settled ReminderService::SettleFound(std::vector<TaskRef> refs) {
  const domain::Instant now = clock_.Now();
  std::erase_if(on_hold_, [now](const auto& entry) { return entry.second <= now; });
  std::erase_if(refs, [this](const TaskRef& ref) { return on_hold_.contains(ref.task_id); });
  Settled settled = SettleEach(refs);
  for (std::size_t i = 0; i < refs.size(); ++i) {
    const absl::Status& status = settled.statuses[i];
    if (!status.ok() && !ports::IsTemporary(status) && on_hold_.size() < kMaxOnHold)
      on_hold_[refs[i].task_id] = now + kHold;
  }
  return settled;
}

absl::StatusOr<bool> ReminderService::PlanBacklog() {
  TODO_ASSIGN_OR_RETURN(std::vector<TaskRef> refs, store_.Unplanned(Limit()));
  const Settled settled = SettleFound(std::move(refs));
  TODO_ASSIGN_OR_RETURN(const bool some, Progress(settled.statuses));
  if (some && on_change_) on_change_();
  return some;
}

absl::StatusOr<ReminderService::Swept> ReminderService::Sweep() {
  TODO_ASSIGN_OR_RETURN(std::vector<TaskRef> refs,
                        store_.Due(clock_.Now() - options_.grace, Limit()));
  const Settled settled = SettleFound(std::move(refs));
  TODO_RETURN_IF_ERROR(Progress(settled.statuses).status());
  return Swept{.fired = settled.fired, .more = settled.fired > 0};
}

}  // namespace todo::service

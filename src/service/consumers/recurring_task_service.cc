#include "service/consumers/recurring_task_service.h"

#include <fmt/format.h>

#include <map>
#include <optional>
#include <set>
#include <utility>

#include "domain/event/event_writer.h"
#include "domain/recurrence/recurring_task.h"
#include "domain/task/task.h"
#include "util/digest.h"
#include "util/log.h"
#include "util/status.h"

namespace todo::service {
namespace {

using domain::ChangeKind;
using domain::Task;
using domain::TaskEvent;
using ports::ConsumerChange;
using ports::HeldTask;
using ports::TaskRef;

/// The events of a batch that each task has, in their order.
using EventsByTask = std::map<TaskRef, std::vector<const TaskEvent*>>;

bool ConcernsRecurrence(const TaskEvent& event) {
  if (event.kind == ChangeKind::kCompleted || event.kind == ChangeKind::kUncompleted) return true;
  if (event.source != domain::kEventSource || !event.task) return false;
  const bool skipped = event.kind == ChangeKind::kDeleted && event.task->skipped_at;
  const bool restored = event.kind == ChangeKind::kCreated && event.task->version > 1;
  return skipped || restored;
}

/// The task of an event from another program, as the event tells it. Our own tasks are known even
/// when they are deleted, so an unknown id is never one of ours. kInvalidArgument: the event can
/// never succeed.
absl::StatusOr<Task> ForeignTask(const TaskEvent& event) {
  Task task = event.task.value_or(Task{});
  task.id = event.task_id;
  task.user = event.user;
  task.completed = event.kind == ChangeKind::kCompleted;
  task.series.reset();  // another program's series is none of ours
  if (!task.completed || !task.fields.recurrence_rule) return task;

  std::vector<util::FieldViolation> violations;
  domain::CheckTitle(task.fields.title, "task_data.", violations);
  domain::CheckDescription(task.fields.description, "task_data.", violations);
  domain::CheckTags(task.fields.tags, "task_data.", violations);
  if (!violations.empty()) return util::InvalidFields(violations);
  const domain::Due due = task.fields.due;
  const absl::StatusOr<domain::Due> resolved =
      domain::ResolveInstantDue(due.kind == domain::DueKind::kNone ? event.at : due.at);
  if (!resolved.ok()) {
    return util::InvalidFields({{"task_data.due_date", std::string(resolved.status().message())}});
  }
  if (due.kind == domain::DueKind::kNone) task.fields.due = *resolved;
  absl::StatusOr<domain::SeriesPosition> series =
      domain::StartSeries(task.fields, ForeignSeriesId(event.source, event.user, event.task_id));
  if (absl::IsOutOfRange(series.status())) return task;  // this was its last occurrence
  if (absl::IsInvalidArgument(series.status())) {
    // The status itself quotes the rule or the zone, which may be private, and is logged.
    return absl::InvalidArgumentError(
        "task_data.recurrence_rule and task_data.time_zone do not form a series: call "
        "PreviewRecurrence with the same values to see why");
  }
  TODO_RETURN_IF_ERROR(series.status());
  task.series = *std::move(series);
  return task;
}

/// Those of `refs` without an entry in `held` that are tasks of another user.
absl::StatusOr<std::set<domain::TaskId>> TasksOfOthers(
    ports::RecurrenceWriter& writer, const std::vector<TaskRef>& refs,
    const std::vector<std::optional<HeldTask>>& held) {
  std::vector<domain::TaskId> unknown;
  for (std::size_t i = 0; i < refs.size(); ++i) {
    if (!held[i]) unknown.push_back(refs[i].task_id);
  }
  if (unknown.empty()) return std::set<domain::TaskId>();
  return writer.Existing(unknown);
}

void LogIgnored(const std::vector<const TaskEvent*>& events) {
  for (const TaskEvent* event : events) {
    util::Log(util::Severity::kWarning, "event_ignored",
              {{"event_id", event->id.value()},
               {"task_id", event->task_id.value},
               {"source", event->source},
               {"reason", "the task belongs to another user than the event says"}});
  }
}

}  // namespace

domain::Uuid ForeignSeriesId(std::string_view source, const domain::UserId& owner,
                             domain::TaskId task_id) {
  // Lengths keep the parts apart, whatever they contain.
  const std::string name = fmt::format("{}:{}{}:{}{}", source.size(), source, owner.value.size(),
                                       owner.value, task_id.value);
  return domain::Uuid::FromBytes(util::Sha256(name).substr(0, 16), 8);
}

absl::Status RecurringTaskService::Apply(ports::InboxTransaction& transaction,
                                         const std::vector<TaskEvent>& events) {
  EventsByTask by_task;
  for (const TaskEvent& event : events) {
    if (ConcernsRecurrence(event)) by_task[{event.user, event.task_id}].push_back(&event);
  }
  if (by_task.empty()) return absl::OkStatus();

  ports::RecurrenceWriter& writer = transaction.recurrence();
  std::vector<TaskRef> refs;
  for (const auto& [ref, task_events] : by_task) refs.push_back(ref);
  TODO_ASSIGN_OR_RETURN(std::vector<std::optional<HeldTask>> held, writer.LockAndLoad(refs));
  TODO_ASSIGN_OR_RETURN(const std::set<domain::TaskId> of_others,
                        TasksOfOthers(writer, refs, held));

  // An event about a task that we do not hold can itself be wrong. That is found out before
  // anything is written.
  std::map<const TaskEvent*, Task> foreign;
  for (std::size_t i = 0; i < refs.size(); ++i) {
    if (held[i] || of_others.contains(refs[i].task_id)) continue;
    for (const TaskEvent* event : by_task.at(refs[i])) {
      absl::StatusOr<Task> task = ForeignTask(*event);
      if (!task.ok()) return Blame(task.status(), event->id);
      foreign.emplace(event, *std::move(task));
    }
  }

  std::set<domain::TaskId> rewritten;  // by the lines below
  for (std::size_t i = 0; i < refs.size(); ++i) {
    const std::vector<const TaskEvent*>& task_events = by_task.at(refs[i]);
    absl::Status status;
    if (held[i]) {
      // The task before, of the same batch, has just removed or restored this one.
      if (rewritten.contains(refs[i].task_id)) {
        TODO_ASSIGN_OR_RETURN(auto now, writer.LockAndLoad({refs[i]}));
        held[i] = std::move(now.front());
      }
      status = UpdateSuccessor(writer, held[i]->task, domain::PassedAt(held[i]->task),
                               held[i]->successor, task_events.back()->traceparent, rewritten);
    } else if (of_others.contains(refs[i].task_id)) {
      LogIgnored(task_events);
    } else {
      for (const TaskEvent* event : task_events) {
        status = ApplyForeign(writer, *event, foreign.at(event), rewritten);
        if (!status.ok()) break;
      }
    }
    // Blames the first event of the task, so that none of the task's events is applied before it.
    if (!status.ok()) return Blame(status, task_events.front()->id);
  }
  return absl::OkStatus();
}

absl::Status RecurringTaskService::ApplyForeign(ports::RecurrenceWriter& writer,
                                                const TaskEvent& event, const Task& task,
                                                std::set<domain::TaskId>& rewritten) {
  const domain::Uuid series_id = ForeignSeriesId(event.source, event.user, event.task_id);
  TODO_ASSIGN_OR_RETURN(const bool is_news,
                        writer.AdvanceForeignTask(event.user, series_id, task.version, event.at));
  if (!is_news) return absl::OkStatus();
  TODO_ASSIGN_OR_RETURN(const std::optional<ports::Successor> successor,
                        writer.FindOccurrence(event.user, series_id, 2));
  const bool goes_on = task.completed && task.series;
  return UpdateSuccessor(writer, task, goes_on ? std::optional(event.at) : std::nullopt, successor,
                         event.traceparent, rewritten);
}

absl::Status RecurringTaskService::UpdateSuccessor(ports::RecurrenceWriter& writer,
                                                   const Task& task,
                                                   std::optional<domain::Instant> passed_at,
                                                   const std::optional<ports::Successor>& successor,
                                                   const std::string& traceparent,
                                                   std::set<domain::TaskId>& rewritten) {
  ConsumerChange change;
  change.user = task.user;
  change.event_id = domain::EventId{ids_.NewId()};
  change.now = clock_.Now();
  change.traceparent = traceparent;

  if (!passed_at) {
    if (!successor || successor->task.deleted || !successor->untouched) return absl::OkStatus();
    change.kind = ConsumerChange::Kind::kRemoveSuccessor;
    change.task_id = successor->task.id;
    rewritten.insert(change.task_id);
    return writer.Write({change});
  }

  if (successor && (!successor->task.deleted || !successor->untouched)) return absl::OkStatus();
  if (successor && successor->task.series) {
    // A deleted occurrence that was completed may have a successor by now: the series goes on
    // there.
    const domain::SeriesPosition& position = *successor->task.series;
    TODO_ASSIGN_OR_RETURN(
        const std::optional<ports::Successor> later,
        writer.FindOccurrence(task.user, position.series_id, position.occurrence + 1));
    if (later && !later->task.deleted) return absl::OkStatus();
  }
  TODO_ASSIGN_OR_RETURN(std::optional<domain::NextOccurrence> next,
                        domain::NextOccurrenceOf(task, *passed_at));
  if (!next) return absl::OkStatus();  // the series has ended
  change.kind =
      successor ? ConsumerChange::Kind::kReviveSuccessor : ConsumerChange::Kind::kCreateSuccessor;
  if (successor) {
    change.task_id = successor->task.id;
    rewritten.insert(change.task_id);
  }
  change.fields = std::move(next->fields);
  change.series = next->series;
  return writer.Write({change});
}

}  // namespace todo::service

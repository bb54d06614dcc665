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

/// The changes that a batch of events makes. They are collected, to be written together, for as
/// long as nothing is read that depends on them.
class Changes {
 public:
  explicit Changes(ports::RecurrenceWriter& writer) : writer_(writer) {}

  void Add(ConsumerChange change) {
    users_.insert(change.user);
    if (change.kind != ConsumerChange::Kind::kCreateSuccessor) rewritten_.insert(change.task_id);
    collected_.push_back(std::move(change));
  }
  /// Whether a change removed or restored the task: what was read of it before is not true any
  /// more.
  bool Rewrote(domain::TaskId task) const { return rewritten_.contains(task); }

  /// To be called before tasks are read.
  absl::Status Write() {
    if (collected_.empty()) return absl::OkStatus();
    TODO_RETURN_IF_ERROR(writer_.Write(collected_));
    collected_.clear();
    users_.clear();
    return absl::OkStatus();
  }
  /// To be called before tasks of `user` are read.
  absl::Status WriteThoseOf(const domain::UserId& user) {
    return users_.contains(user) ? Write() : absl::OkStatus();
  }

 private:
  ports::RecurrenceWriter& writer_;
  std::vector<ConsumerChange> collected_;
  std::set<domain::UserId> users_;      // of those collected
  std::set<domain::TaskId> rewritten_;  // by any
};

void LogIgnored(const std::vector<const TaskEvent*>& events) {
  for (const TaskEvent* event : events) {
    util::Log(util::Severity::kWarning, "event_ignored",
              {{"event_id", event->id.value()},
               {"task_id", event->task_id.value},
               {"source", event->source},
               {"reason", "the task belongs to another user than the event says"}});
  }
}

/// Applies the events of a batch, in one transaction.
class Applying {
 public:
  Applying(ports::RecurrenceWriter& writer, const ports::Clock& clock, ports::IdSource& ids,
           const EventsByTask& by_task)
      : writer_(writer), clock_(clock), ids_(ids), by_task_(by_task), changes_(writer) {}

  absl::Status Run();

 private:
  /// Reads the tasks as our database holds them, and as the events tell those that it does not
  /// hold.
  absl::Status Read();
  /// Applies the event number `round` of each task of another program, and answers whether there
  /// are any.
  absl::StatusOr<bool> ApplyForeign(std::size_t round);
  /// Applies the events of a task that our database holds.
  absl::Status ApplyOwn(std::size_t i);
  /// Makes the successor of a task that passed at `passed_at` (domain::PassedAt), and removes the
  /// successor of a task that did not pass.
  absl::Status UpdateSuccessor(const Task& task, std::optional<domain::Instant> passed_at,
                               const std::optional<ports::Successor>& successor,
                               const std::string& traceparent);
  /// Blames the first event of the task, so that none of the task's events is applied before it.
  absl::Status BlameFirst(const absl::Status& status, const TaskRef& ref) const {
    return status.ok() ? status : Blame(status, by_task_.at(ref).front()->id);
  }

  ports::RecurrenceWriter& writer_;
  const ports::Clock& clock_;
  ports::IdSource& ids_;
  const EventsByTask& by_task_;
  Changes changes_;
  std::vector<TaskRef> refs_;
  std::vector<std::optional<HeldTask>> held_;  // of each ref
  std::set<domain::TaskId> of_others_;
  std::map<const TaskEvent*, Task> foreign_;
};

absl::Status Applying::Run() {
  TODO_RETURN_IF_ERROR(Read());
  for (std::size_t round = 0;; ++round) {
    TODO_ASSIGN_OR_RETURN(const bool any, ApplyForeign(round));
    if (!any) break;
  }
  for (std::size_t i = 0; i < refs_.size(); ++i) {
    if (held_[i])
      TODO_RETURN_IF_ERROR(BlameFirst(ApplyOwn(i), refs_[i]));
    else if (of_others_.contains(refs_[i].task_id))
      LogIgnored(by_task_.at(refs_[i]));
  }
  return changes_.Write();
}

absl::Status Applying::Read() {
  for (const auto& [ref, task_events] : by_task_) refs_.push_back(ref);
  TODO_ASSIGN_OR_RETURN(held_, writer_.LockAndLoad(refs_));
  TODO_ASSIGN_OR_RETURN(of_others_, TasksOfOthers(writer_, refs_, held_));
  // An event about a task that we do not hold can itself be wrong. That is found out before
  // anything is written.
  for (std::size_t i = 0; i < refs_.size(); ++i) {
    if (held_[i] || of_others_.contains(refs_[i].task_id)) continue;
    for (const TaskEvent* event : by_task_.at(refs_[i])) {
      absl::StatusOr<Task> task = ForeignTask(*event);
      if (!task.ok()) return Blame(task.status(), event->id);
      foreign_.emplace(event, *std::move(task));
    }
  }
  return absl::OkStatus();
}

absl::StatusOr<bool> Applying::ApplyForeign(std::size_t round) {
  std::vector<const TaskEvent*> events;
  std::vector<ports::ForeignEvent> times;
  for (const auto& [ref, task_events] : by_task_) {
    if (task_events.size() <= round || !foreign_.contains(task_events[round])) continue;
    const TaskEvent& event = *events.emplace_back(task_events[round]);
    times.push_back({event.user, ForeignSeriesId(event.source, event.user, event.task_id),
                     foreign_.at(&event).version, event.at});
  }
  if (events.empty()) return false;
  TODO_RETURN_IF_ERROR(changes_.Write());
  TODO_ASSIGN_OR_RETURN(const std::vector<bool> news, writer_.AdvanceForeignTasks(times));
  std::vector<ports::SeriesPlace> places;
  for (const ports::ForeignEvent& time : times) places.push_back({time.user, time.series_id, 2});
  TODO_ASSIGN_OR_RETURN(const auto successors, writer_.FindOccurrences(places));
  for (std::size_t i = 0; i < events.size(); ++i) {
    if (!news[i]) continue;
    const TaskEvent& event = *events[i];
    const Task& task = foreign_.at(&event);
    const bool goes_on = task.completed && task.series;
    TODO_RETURN_IF_ERROR(
        BlameFirst(UpdateSuccessor(task, goes_on ? std::optional(event.at) : std::nullopt,
                                   successors[i], event.traceparent),
                   {event.user, event.task_id}));
  }
  return true;
}

absl::Status Applying::ApplyOwn(std::size_t i) {
  // Another task of the same batch has just removed or restored this one.
  if (changes_.Rewrote(refs_[i].task_id)) {
    TODO_RETURN_IF_ERROR(changes_.Write());
    TODO_ASSIGN_OR_RETURN(auto now, writer_.LockAndLoad({refs_[i]}));
    held_[i] = std::move(now.front());
  }
  return UpdateSuccessor(held_[i]->task, domain::PassedAt(held_[i]->task), held_[i]->successor,
                         by_task_.at(refs_[i]).back()->traceparent);
}

absl::Status Applying::UpdateSuccessor(const Task& task, std::optional<domain::Instant> passed_at,
                                       const std::optional<ports::Successor>& successor,
                                       const std::string& traceparent) {
  ConsumerChange change;
  change.user = task.user;
  change.event_id = domain::EventId{ids_.NewId()};
  change.now = clock_.Now();
  change.traceparent = traceparent;

  if (!passed_at) {
    if (!successor || successor->task.deleted || !successor->untouched) return absl::OkStatus();
    change.kind = ConsumerChange::Kind::kRemoveSuccessor;
    change.task_id = successor->task.id;
    changes_.Add(std::move(change));
    return absl::OkStatus();
  }

  if (successor && (!successor->task.deleted || !successor->untouched)) return absl::OkStatus();
  if (successor && successor->task.series) {
    // A deleted occurrence that was completed may have a successor by now: the series goes on
    // there.
    const domain::SeriesPosition& position = *successor->task.series;
    TODO_RETURN_IF_ERROR(changes_.WriteThoseOf(task.user));
    TODO_ASSIGN_OR_RETURN(
        const auto later,
        writer_.FindOccurrences({{task.user, position.series_id, position.occurrence + 1}}));
    if (later.front() && !later.front()->task.deleted) return absl::OkStatus();
  }
  TODO_ASSIGN_OR_RETURN(std::optional<domain::NextOccurrence> next,
                        domain::NextOccurrenceOf(task, *passed_at));
  if (!next) return absl::OkStatus();  // the series has ended
  change.kind =
      successor ? ConsumerChange::Kind::kReviveSuccessor : ConsumerChange::Kind::kCreateSuccessor;
  if (successor) change.task_id = successor->task.id;
  change.fields = std::move(next->fields);
  change.series = next->series;
  changes_.Add(std::move(change));
  return absl::OkStatus();
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

  return Applying(transaction.recurrence(), clock_, ids_, by_task).Run();
}

}  // namespace todo::service

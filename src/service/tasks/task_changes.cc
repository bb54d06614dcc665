#include "service/tasks/task_changes.h"

#include <algorithm>
#include <map>
#include <utility>

#include "ports/no_such_task.h"
#include "ports/stale_task.h"
#include "service/reminders/reminder_input_checks.h"
#include "service/tasks/series_editing.h"
#include "service/tasks/task_service.h"
#include "util/require.h"
#include "util/status.h"

namespace todo::service {
namespace {

using domain::ChangeKind;
using domain::Task;
using ports::Mutation;

/// The times of new reminders of `task`.
absl::StatusOr<std::vector<domain::ReminderTime>> RemindersOf(
    const Task& task, const std::vector<ReminderInput>& inputs, domain::Instant now) {
  std::vector<domain::ReminderTime> times;
  for (const ReminderInput& input : inputs) {
    Violations violations;
    times.push_back(TimeOf(input, violations));
    if (!violations.empty()) return util::InvalidFields(violations);
    TODO_RETURN_IF_ERROR(NewReminder(task, times.back(), now).status());
  }
  return times;
}

/// `task` after `mutation`, as far as later changes look at it.
void Apply(const Mutation& mutation, Task& task) {
  switch (mutation.kind) {
    case ChangeKind::kCreated:
      task.deleted = false;
      task.skipped_at.reset();
      break;
    case ChangeKind::kUpdated: break;
    case ChangeKind::kCompleted:
      if (!task.completed) task.completed_at = mutation.now;
      task.completed = true;
      break;
    case ChangeKind::kUncompleted:
      task.completed = false;
      task.completed_at.reset();
      break;
    case ChangeKind::kDeleted: task.deleted = true; break;
  }
  domain::ApplyPatch(mutation.patch, task);
}

}  // namespace

/// The mutations of a ChangeAll, one for each change. Each is planned for its task as the mutations
/// before it will leave that.
class TaskService::ListPlan {
 public:
  ListPlan(TaskService& service, const CallContext& call) : service_(service), call_(call) {}

  absl::Status Add(const TaskChange& change) {
    return std::visit([this](const auto& each) { return Plan(each); }, change);
  }
  const std::vector<Mutation>& mutations() const { return mutations_; }
  std::vector<ChangedTask> Answers(std::vector<ports::MutationResult> results) {
    std::vector<ChangedTask> answers;
    for (std::size_t i = 0; i < results.size(); ++i) {
      answers.push_back({.before = std::move(before_[i]),
                         .after = std::move(results[i].task),
                         .changed = results[i].changed,
                         .reminder_numbers = std::move(results[i].reminder_numbers)});
    }
    return answers;
  }

 private:
  struct PlannedTask {
    Task task;                 // as it will be
    std::int64_t version = 0;  // as it was read
    bool guarded = false;      // a mutation is made only if the task still has that version
  };

  absl::Status Plan(const TaskCreation& creation) {
    TODO_ASSIGN_OR_RETURN(Mutation mutation, service_.PlanCreate(call_, creation.task));
    Task task;
    task.fields = mutation.fields;
    task.series = mutation.series;
    TODO_ASSIGN_OR_RETURN(mutation.reminders.added,
                          RemindersOf(task, creation.reminders, mutation.now));
    before_.emplace_back();
    mutations_.push_back(std::move(mutation));
    return absl::OkStatus();
  }

  absl::Status Plan(const UpdateTaskInput& input) {
    TODO_REQUIRE(input.scope == SeriesScope::kDefault);
    TODO_ASSIGN_OR_RETURN(Mutation mutation, service_.UpdateAsAsked(call_, input));
    TODO_ASSIGN_OR_RETURN(PlannedTask* const planned, Find(input.id, input.expected_version));
    if (ChangesSchedule(input)) {
      TODO_ASSIGN_OR_RETURN(TaskService::Plan plan,
                            service_.PlanUpdate(std::move(mutation), input, planned->task));
      if (plan.series) {
        return util::WithReason(
            absl::FailedPreconditionError("a new rule for a task that recurs, or did, cannot be "
                                          "made together with other changes: change it alone"),
            "CHANGE_ALONE");
      }
      mutation = std::move(plan.one);
    }
    Push(std::move(mutation), *planned);
    return absl::OkStatus();
  }

  absl::Status Plan(const TaskCompletion& completion) {
    return PlanKind(completion.completed ? ChangeKind::kCompleted : ChangeKind::kUncompleted,
                    Find(completion.id, completion.expected_version));
  }
  absl::Status Plan(const TaskDeletion& deletion) {
    return PlanKind(ChangeKind::kDeleted, Find(deletion.id, deletion.expected_version));
  }
  absl::Status Plan(const TaskRestoration& restoration) {
    return PlanKind(ChangeKind::kCreated,
                    FindEvenDeleted(restoration.id, restoration.expected_version));
  }
  absl::Status PlanKind(ChangeKind kind, const absl::StatusOr<PlannedTask*>& planned) {
    TODO_RETURN_IF_ERROR(planned.status());
    Mutation mutation = service_.NewMutation(kind, call_);
    mutation.restores = kind == ChangeKind::kCreated;
    Push(std::move(mutation), **planned);
    return absl::OkStatus();
  }

  absl::Status Plan(const TagChange& change) {
    TODO_ASSIGN_OR_RETURN(PlannedTask* const planned, Find(change.id, change.expected_version));
    UpdateTaskInput input;
    input.id = change.id;
    input.tags = planned->task.fields.tags;
    for (const std::string& tag : change.removed) std::erase(*input.tags, tag);
    for (const std::string& tag : change.added)
      if (std::ranges::find(*input.tags, tag) == input.tags->end()) input.tags->push_back(tag);
    return Plan(input);
  }

  absl::Status Plan(const ReminderAddition& addition) {
    TODO_ASSIGN_OR_RETURN(PlannedTask* const planned, Find(addition.id, {}));
    TODO_RETURN_IF_ERROR(CheckTakesReminders(planned->task));
    Mutation mutation = service_.NewMutation(ChangeKind::kUpdated, call_);
    TODO_ASSIGN_OR_RETURN(mutation.reminders.added,
                          RemindersOf(planned->task, addition.reminders, mutation.now));
    Push(std::move(mutation), *planned);
    return absl::OkStatus();
  }
  absl::Status Plan(const ReminderRemoval& removal) {
    TODO_ASSIGN_OR_RETURN(PlannedTask* const planned, Find(removal.id, {}));
    Mutation mutation = service_.NewMutation(ChangeKind::kUpdated, call_);
    mutation.reminders.removed = removal.numbers;
    Push(std::move(mutation), *planned);
    return absl::OkStatus();
  }

  absl::StatusOr<PlannedTask*> Find(domain::TaskId id,
                                    const std::optional<std::int64_t>& expected_version) {
    TODO_ASSIGN_OR_RETURN(PlannedTask* const planned, FindEvenDeleted(id, expected_version));
    if (planned->task.deleted) return ports::NoSuchTask(id);
    return planned;
  }
  absl::StatusOr<PlannedTask*> FindEvenDeleted(
      domain::TaskId id, const std::optional<std::int64_t>& expected_version) {
    auto found = tasks_.find(id);
    if (found == tasks_.end()) {
      TODO_ASSIGN_OR_RETURN(Task task, service_.store_.GetEvenDeleted(call_.user, id));
      const std::int64_t version = task.version;
      found = tasks_.emplace(id, PlannedTask{.task = std::move(task), .version = version}).first;
    }
    PlannedTask& planned = found->second;
    if (expected_version && *expected_version != planned.version) return ports::StaleTask(id);
    return &planned;
  }

  void Push(Mutation mutation, PlannedTask& planned) {
    mutation.task_id = planned.task.id;
    mutation.expected_version.reset();
    if (!planned.guarded) mutation.expected_version = planned.version;
    planned.guarded = true;
    before_.emplace_back(planned.task);
    Apply(mutation, planned.task);
    mutations_.push_back(std::move(mutation));
  }

  TaskService& service_;
  const CallContext& call_;
  std::map<domain::TaskId, PlannedTask> tasks_;
  std::vector<Mutation> mutations_;
  std::vector<std::optional<Task>> before_;
};

absl::StatusOr<Task> TaskService::Restore(const CallContext& call, domain::TaskId id) {
  Mutation mutation = NewMutation(ChangeKind::kCreated, call);
  mutation.task_id = id;
  mutation.restores = true;
  TODO_ASSIGN_OR_RETURN(ports::MutationResult result, store_.Apply(mutation));
  return std::move(result.task);
}

absl::StatusOr<std::vector<ChangedTask>> TaskService::ChangeAll(
    const CallContext& call, const std::vector<TaskChange>& changes) {
  TODO_REQUIRE(!changes.empty() && changes.size() <= ports::TaskStore::kMaxMutations);
  const domain::RequestId request_id =
      call.request_id ? *call.request_id : domain::RequestId{ids_.NewId()};
  for (int attempt = 1;; ++attempt) {
    ListPlan plan(*this, call);
    for (std::size_t i = 0; i < changes.size(); ++i) {
      const absl::Status status = plan.Add(changes[i]);
      if (status.ok()) continue;
      // The call may repeat one that succeeded.
      if (call.request_id) {
        if (auto first = FirstAnswers(call); first.ok() && *first) return **std::move(first);
      }
      return util::WithIndex(status, i);
    }
    absl::StatusOr<std::vector<ports::MutationResult>> results = store_.ApplyAll(
        {.request_id = request_id, .fingerprint = call.fingerprint, .mutations = plan.mutations()});
    if (!results.ok()) {
      // With the version that the caller expects, planning again finds that it is another.
      if (util::ReasonOf(results.status()) == "STALE_ETAG" && attempt < kAttempts) continue;
      return results.status();
    }
    if (std::ranges::any_of(*results, &ports::MutationResult::repeated)) {
      TODO_ASSIGN_OR_RETURN(auto first, FirstAnswers(call));
      if (first) return *std::move(first);
    }
    return plan.Answers(*std::move(results));
  }
}

absl::StatusOr<std::optional<std::vector<ChangedTask>>> TaskService::FirstAnswers(
    const CallContext& call) {
  using Answers = std::optional<std::vector<ChangedTask>>;
  TODO_REQUIRE(call.request_id);
  TODO_ASSIGN_OR_RETURN(auto results, store_.FirstAnswers({.user = call.user,
                                                           .request_id = *call.request_id,
                                                           .fingerprint = call.fingerprint}));
  if (!results) return Answers();
  std::vector<ChangedTask> answers;
  for (ports::MutationResult& result : *results) {
    answers.push_back({.before = {},
                       .after = std::move(result.task),
                       .changed = result.changed,
                       .reminder_numbers = std::move(result.reminder_numbers)});
  }
  return Answers(std::move(answers));
}

}  // namespace todo::service

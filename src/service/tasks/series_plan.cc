#include "service/tasks/series_plan.h"

#include <algorithm>
#include <utility>

#include "domain/recurrence/recurring_task.h"

namespace todo::service {
namespace {

using domain::Task;
using ports::SeriesMember;

/// Whether the next occurrence of `task` is still to come.
bool GoesOn(const Task& task) {
  const std::optional<domain::Instant> passed = domain::PassedAt(task);
  if (!passed) return false;
  const auto next = domain::NextOccurrenceOf(task, *passed);
  return next.ok() && next->has_value();
}

SeriesRole RoleOf(const Task& task, const std::vector<SeriesMember>& members) {
  if (!task.completed && !task.deleted) return SeriesRole::kOpen;
  const auto member =
      std::ranges::find(members, task.id, [](const SeriesMember& each) { return each.task.id; });
  if (member == members.end()) return SeriesRole::kHistory;
  if (member + 1 != members.end()) return SeriesRole::kBefore;  // else it would not be in the list
  return GoesOn(task) ? SeriesRole::kLast : SeriesRole::kHistory;
}

/// Whether the consumer is about to take `member` away: untouched, and the one before it is open
/// again.
bool IsLeaving(const SeriesMember& member, const std::vector<SeriesMember>& members) {
  return member.untouched && std::ranges::any_of(members, [&member](const SeriesMember& other) {
           return !other.task.completed && !other.task.deleted &&
                  other.task.series->occurrence + 1 == member.task.series->occurrence;
         });
}

}  // namespace

bool IsNewest(const Task& task, const std::vector<SeriesMember>& members) {
  return std::ranges::all_of(members, [&](const SeriesMember& member) {
    return member.task.series->occurrence <= task.series->occurrence ||
           (member.untouched && member.task.series->occurrence == task.series->occurrence + 1);
  });
}

const Task* TaskBefore(const Task& task, const std::vector<SeriesMember>& members) {
  const Task* before = nullptr;
  for (const SeriesMember& member : members) {  // by occurrence
    if (member.task.series->occurrence >= task.series->occurrence) break;
    if (!member.task.deleted) before = &member.task;
  }
  return before;
}

ports::SeriesMutation PlanForSeries(
    const Task& task, std::vector<SeriesMember> members, SeriesScope scope,
    const std::function<ports::Mutation(const Task&, SeriesRole)>& change) {
  const auto planned = [&change](const Task& each, SeriesRole role) {
    ports::Mutation mutation = change(each, role);
    mutation.task_id = each.id;
    return mutation;
  };
  ports::SeriesMutation plan;
  plan.series_id = task.series->series_id;
  plan.first = planned(task, RoleOf(task, members));
  for (const SeriesMember& member : members) {
    const bool reached =
        scope == SeriesScope::kAll || member.task.series->occurrence > task.series->occurrence;
    if (member.task.id == task.id || !reached || IsLeaving(member, members)) continue;
    const SeriesRole role = RoleOf(member.task, members);
    if (role != SeriesRole::kHistory) plan.others.push_back(planned(member.task, role));
  }
  plan.seen = std::move(members);
  return plan;
}

}  // namespace todo::service

#include "chat/finding.h"

#include <algorithm>
#include <functional>
#include <optional>
#include <utility>

#include "util/require.h"
#include "util/status.h"

namespace todo::chat {
namespace {

using domain::Task;
using ports::Fit;
using ports::FoundTask;

/// More tasks that fit equally well are not counted.
constexpr int kMaxFound = 30;
/// Half the score or more: all words are in the title, and not only in the description or a tag.
bool IsTitled(const FoundTask& found) { return found.score >= 0.5; }

/// The tasks that fit as well as the first one. A task whose description has the words is only
/// near: its title names something else.
Candidates Judge(const std::vector<FoundTask>& found) {
  Candidates candidates;
  if (found.empty()) return candidates;
  const FoundTask& best = found.front();
  const bool near = best.fit == Fit::kSimilar || !IsTitled(best);
  for (const FoundTask& one : found) {
    if (one.fit == best.fit && (one.fit == Fit::kSimilar || IsTitled(one) == IsTitled(best)))
      (near ? candidates.near : candidates.fitting).push_back(one.task);
  }
  return candidates;
}

bool AreOneSeries(const std::vector<Task>& tasks) {
  return std::ranges::all_of(tasks, [&](const Task& task) {
    return task.series && tasks.front().series &&
           task.series->series_id == tasks.front().series->series_id;
  });
}

/// Open tasks go before completed ones, and of a series one occurrence stands for all: the first
/// that is due, or the last that was completed.
void Narrow(std::vector<Task>& tasks, Wanted wanted) {
  const bool completed = wanted == Wanted::kCompleted;
  const auto is_wanted = [&](const Task& task) { return task.completed == completed; };
  if (std::ranges::any_of(tasks, is_wanted))
    std::erase_if(tasks, [&](const Task& task) { return !is_wanted(task); });
  if (tasks.size() < 2 || !AreOneSeries(tasks)) return;
  const Task one = completed ? *std::ranges::max_element(tasks, {}, &Task::completed_at)
                             : *std::ranges::min_element(
                                   tasks, {}, [](const Task& task) { return task.fields.due.at; });
  tasks = {one};
}

}  // namespace

absl::CivilDay DueDayOf(const Task& task, const domain::TimeZone& zone) {
  const domain::Due& due = task.fields.due;
  TODO_REQUIRE(due.kind != domain::DueKind::kNone);
  return absl::CivilDay(due.kind == domain::DueKind::kDate ? due.local : zone.ToLocal(due.at));
}

bool IsOverdue(const Task& task, const domain::TimeZone& zone, domain::Instant now) {
  const domain::Due& due = task.fields.due;
  if (due.kind == domain::DueKind::kNone) return false;
  return due.kind == domain::DueKind::kDate
             ? DueDayOf(task, zone) < absl::CivilDay(zone.ToLocal(now))
             : due.at < now;
}

absl::StatusOr<std::vector<FoundTask>> Finding::Ask(const std::string& words,
                                                    std::optional<bool> completed) {
  ports::FindQuery query = query_;
  query.words = words;
  query.completed = completed;
  query.limit = kMaxFound;
  return finder_.Find(user_, query);
}

absl::StatusOr<Candidates> Finding::Find(const std::string& words, Wanted wanted,
                                         const std::function<bool(const Task&)>& preferred) {
  std::optional<bool> first;
  if (wanted != Wanted::kAny) first = wanted == Wanted::kCompleted;
  TODO_ASSIGN_OR_RETURN(const std::vector<FoundTask> found, Ask(words, first));
  Candidates candidates = Judge(found);
  if (candidates.fitting.empty() && first) {
    TODO_ASSIGN_OR_RETURN(const std::vector<FoundTask> found_others, Ask(words, !*first));
    Candidates others = Judge(found_others);
    if (!others.fitting.empty()) candidates = std::move(others);
  }
  if (preferred && std::ranges::any_of(candidates.fitting, preferred))
    std::erase_if(candidates.fitting, std::not_fn(preferred));
  Narrow(candidates.fitting, wanted);
  return candidates;
}

absl::StatusOr<std::vector<Task>> Finding::Search(const std::string& words, int limit) {
  ports::FindQuery query = query_;
  query.words = words;
  query.limit = limit;
  TODO_ASSIGN_OR_RETURN(const std::vector<FoundTask> found, finder_.Find(user_, query));
  std::vector<Task> tasks;
  for (const FoundTask& one : found) tasks.push_back(one.task);
  return tasks;
}

}  // namespace todo::chat

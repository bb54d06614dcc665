#include "chat/lookups.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <span>
#include <utility>

#include "chat/words.h"
#include "util/status.h"

namespace todo::chat {
namespace {

using domain::DueKind;
using domain::Instant;
using domain::Task;

constexpr int kPageSize = 500;
/// A list is not read further than this.
constexpr std::size_t kMaxTasks = 500;
constexpr std::size_t kMaxLines = 20;
/// The days of all zones at an instant differ by at most this much from those of UTC.
constexpr std::chrono::hours kZoneSlack{26};

/// "3 tasks", or "At least 500 tasks" when there may be more.
std::string CountOf(const std::vector<Task>& tasks, bool may_be_more) {
  return (may_be_more ? "At least " : "") + Count(static_cast<std::int64_t>(tasks.size()), "task");
}

std::string Lines(const std::vector<Task>& tasks, bool may_be_more, const GrammarContext& context) {
  std::string lines;
  for (const Task& task : std::span(tasks).first(std::min(kMaxLines, tasks.size())))
    lines += fmt::format("\n- {}", TaskWords(task, context));
  if (tasks.size() > kMaxLines) {
    lines +=
        fmt::format("\n…and {}{} more.", may_be_more ? "at least " : "", tasks.size() - kMaxLines);
  }
  return lines;
}

std::string DayWords(absl::CivilDay day) {
  return Describe({.local = absl::CivilSecond(day), .has_time = false}, {});
}

std::string RangeWords(const DayRange& range) {
  return range.first == range.last
             ? DayWords(range.first)
             : fmt::format("{} to {}", DayWords(range.first), DayWords(range.last));
}

}  // namespace

absl::StatusOr<std::string> Lookups::Look(const Intent& intent, Action& action) {
  if (const auto* const list = std::get_if<ListIntent>(&intent)) return List(*list, action);
  if (const auto* const search = std::get_if<SearchIntent>(&intent)) return Search(*search, action);
  if (std::holds_alternative<HelpIntent>(intent)) return HelpWords();
  if (!input_.usage) return std::string("Numbers are not available on this server.");
  return Usage(std::get<UsageIntent>(intent), action);
}

absl::StatusOr<std::string> Lookups::Usage(const UsageIntent& intent, Action& action) {
  const absl::CivilDay today(input_.context.zone.ToLocal(input_.context.now));
  std::optional<service::UsageDays> days;
  if (intent.days) {
    if (intent.days->first > today) {
      return fmt::format("{} is still to come, so there are no numbers.", RangeWords(*intent.days));
    }
    days = service::UsageDays{.first = intent.days->first, .last = intent.days->last};
  }
  TODO_ASSIGN_OR_RETURN(action.usage, input_.usage(input_.user, input_.context.zone, days));
  return UsageWords(intent.days ? RangeWords(*intent.days) : "In the last seven days",
                    *action.usage);
}

absl::StatusOr<Lookups::Tasks> Lookups::OpenTasks(std::optional<Instant> from,
                                                  std::optional<Instant> before,
                                                  const std::function<bool(const Task&)>& fits) {
  ports::TaskQuery query;
  query.completed = false;
  query.due_from = from;
  query.due_before = before;
  query.order = ports::TaskOrder::kDueDate;
  query.limit = kPageSize;
  query.cancellation = input_.cancellation;
  Tasks tasks;
  do {
    TODO_ASSIGN_OR_RETURN(const ports::TaskPage page, input_.tasks.List(input_.user, query));
    for (const Task& task : page.tasks) {
      if (fits(task)) tasks.found.push_back(task);
    }
    query.page_cursor = page.next_cursor;
  } while (!query.page_cursor.empty() && tasks.found.size() < kMaxTasks);
  tasks.may_be_more = !query.page_cursor.empty();
  return tasks;
}

absl::StatusOr<Lookups::Tasks> Lookups::DoneTasks() {
  ports::TaskQuery query;
  query.completed = true;
  query.order = ports::TaskOrder::kUpdatedAt;
  query.descending = true;
  query.limit = static_cast<int>(kMaxLines);
  query.cancellation = input_.cancellation;
  TODO_ASSIGN_OR_RETURN(ports::TaskPage page, input_.tasks.List(input_.user, query));
  return Tasks{.found = std::move(page.tasks), .may_be_more = !page.next_cursor.empty()};
}

absl::StatusOr<std::string> Lookups::List(const ListIntent& intent, Action& action) {
  const domain::TimeZone& zone = input_.context.zone;
  const Instant now = input_.context.now;
  Tasks tasks;
  std::string what;
  std::string none;
  if (intent.what == ListIntent::What::kDone) {
    TODO_ASSIGN_OR_RETURN(tasks, DoneTasks());
    what = "done, the latest first";
    none = "Nothing is done yet.";
  } else if (intent.what == ListIntent::What::kAllOpen) {
    TODO_ASSIGN_OR_RETURN(tasks, OpenTasks({}, {}, [&](const Task& task) {
                            return !intent.priority || task.fields.priority == *intent.priority;
                          }));
    what = intent.priority
               ? fmt::format("open with {} priority", domain::ToString(*intent.priority))
               : "open";
    none = fmt::format("Nothing is {}.", what);
  } else if (intent.what == ListIntent::What::kOverdue) {
    TODO_ASSIGN_OR_RETURN(tasks, OpenTasks({}, now + kZoneSlack, [&](const Task& task) {
                            return IsOverdue(task, zone, now);
                          }));
    what = "overdue";
    none = "Nothing is overdue.";
  } else if (intent.range) {
    const DayRange& range = *intent.range;
    action.resolved = {{.phrase = intent.range_text,
                        .meaning = RangeWords(range),
                        .time = zone.ToInstant(absl::CivilSecond(range.first))}};
    TODO_ASSIGN_OR_RETURN(tasks,
                          OpenTasks(zone.ToInstant(absl::CivilSecond(range.first)) - kZoneSlack,
                                    zone.ToInstant(absl::CivilSecond(range.last + 1)) + kZoneSlack,
                                    [&](const Task& task) {
                                      const absl::CivilDay day = DueDayOf(task, zone);
                                      return range.first <= day && day <= range.last;
                                    }));
    what = "due " + RangeWords(range);
    none = fmt::format("Nothing is due {}.", RangeWords(range));
  }
  action.tasks = std::move(tasks.found);
  if (action.tasks.empty()) return none;
  return fmt::format("{} {}:{}", CountOf(action.tasks, tasks.may_be_more), what,
                     Lines(action.tasks, tasks.may_be_more, input_.context));
}

absl::StatusOr<std::string> Lookups::Search(const SearchIntent& intent, Action& action) {
  constexpr std::size_t kLimit = 50;
  TODO_ASSIGN_OR_RETURN(action.tasks, input_.finding.Search(intent.words, kLimit));
  // "#work tasks": the last word may be no word of a title.
  for (const std::string_view noun : {" tasks", " task"}) {
    if (!action.tasks.empty() || !intent.words.ends_with(noun)) continue;
    const std::string rest = intent.words.substr(0, intent.words.size() - noun.size());
    TODO_ASSIGN_OR_RETURN(action.tasks, input_.finding.Search(rest, kLimit));
  }
  if (action.tasks.empty()) return fmt::format("Nothing is found for {}.", Quoted(intent.words));
  const bool may_be_more = action.tasks.size() == kLimit;
  return fmt::format("{} found for {}:{}", CountOf(action.tasks, may_be_more), Quoted(intent.words),
                     Lines(action.tasks, may_be_more, input_.context));
}

}  // namespace todo::chat

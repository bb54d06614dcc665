#include "support/fake_task_store.h"

#include <fmt/format.h>
#include <unicode/coll.h>

#include <algorithm>
#include <chrono>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>

#include "domain/event/event_reader.h"
#include "domain/event/event_writer.h"
#include "ports/mutated_task.h"
#include "ports/no_such_task.h"
#include "ports/reminder_failures.h"
#include "ports/stale_task.h"
#include "ports/too_many_open_tasks.h"
#include "util/require.h"
#include "util/status.h"
#include "util/unicode.h"

namespace todo::support {
namespace {

using domain::Task;
using ports::TaskOrder;
using ports::TaskQuery;
using Outcome = FakeDatabase::Outcome;

/// Less than 0, 0 or more than 0: as the database's collation title_order compares.
int CompareTitles(const std::string& a, const std::string& b) {
  static const std::unique_ptr<const icu::Collator> collator = [] {
    UErrorCode error = U_ZERO_ERROR;
    std::unique_ptr<icu::Collator> root(
        icu::Collator::createInstance(icu::Locale::getRoot(), error));
    root->setStrength(icu::Collator::SECONDARY);
    return root;
  }();
  UErrorCode error = U_ZERO_ERROR;
  return collator->compareUTF8(a, b, error);
}

bool Matches(const Task& task, const TaskQuery& query) {
  const domain::TaskFields& fields = task.fields;
  const bool due = fields.due.kind != domain::DueKind::kNone;
  if (query.completed && task.completed != *query.completed) return false;
  if (query.priority && fields.priority != *query.priority) return false;
  if (query.tag && std::count(fields.tags.begin(), fields.tags.end(), *query.tag) == 0)
    return false;
  if (query.due_from && (!due || fields.due.at < *query.due_from)) return false;
  if (query.due_before && (!due || fields.due.at >= *query.due_before)) return false;
  const std::string text = util::FoldForSearch(query.text);
  const auto holds = [&text](const std::string& where) {
    return util::FoldForSearch(where).find(text) != std::string::npos;
  };
  return holds(fields.title) || holds(fields.description.value_or(""));
}

/// By the query's order, ties by id, both in its direction; without due date last in either.
bool Before(const TaskQuery& query, const Task& a, const Task& b) {
  const auto less = [&query](const auto& left, const auto& right) {
    return query.descending ? right < left : left < right;
  };
  const auto by = [&](const auto& left, const auto& right) {
    return left == right ? less(a.id, b.id) : less(left, right);
  };
  switch (query.order) {
    case TaskOrder::kCreatedAt: return by(a.created_at, b.created_at);
    case TaskOrder::kPriority: return by(a.fields.priority, b.fields.priority);
    case TaskOrder::kTitle: return by(CompareTitles(a.fields.title, b.fields.title), 0);
    case TaskOrder::kUpdatedAt: return by(a.updated_at, b.updated_at);
    case TaskOrder::kDueDate: break;
  }
  const bool a_due = a.fields.due.kind != domain::DueKind::kNone;
  const bool b_due = b.fields.due.kind != domain::DueKind::kNone;
  if (a_due != b_due) return a_due;
  return a_due ? by(a.fields.due.at, b.fields.due.at) : less(a.id, b.id);
}

std::string FingerprintOf(const domain::UserId& user, const TaskQuery& query) {
  const auto at = [](const std::optional<domain::Instant>& instant) {
    return instant ? instant->time_since_epoch().count() : -1;
  };
  const std::string text =
      fmt::format("{}|{}|{}|{}|{}|{}|{}|{}|{}", user.value, query.completed ? *query.completed : 2,
                  query.priority ? static_cast<int>(*query.priority) : -1, query.tag.value_or("|"),
                  at(query.due_from), at(query.due_before), query.text,
                  static_cast<int>(query.order), query.descending);
  return fmt::format("{:016x}", std::hash<std::string>()(text));
}

FakeDatabase::ChangeCall CallOf(const ports::Mutation& mutation) {
  return {
      .user = mutation.user,
      .request = std::pair(mutation.request_id, mutation.fingerprint),
      .kind = mutation.kind,
      .task_id = mutation.creates() ? std::nullopt : std::optional(mutation.task_id),
      .expected_version = mutation.expected_version,
      .patch = [&mutation](
                   Task& patched) { patched = ports::MutatedTask(mutation, std::move(patched)); },
      .event_id = mutation.event_id,
      .now = mutation.now,
      .traceparent = mutation.traceparent};
}

std::vector<ports::SeriesMember> Members(const FakeDatabase::Tables& tables,
                                         const domain::UserId& user,
                                         const domain::Uuid& series_id) {
  std::map<std::int64_t, const FakeDatabase::TaskRow*> rows;
  for (const auto& [key, row] : tables.tasks) {
    if (key.first == user && row.task.series && row.task.series->series_id == series_id)
      rows[row.task.series->occurrence] = &row;
  }
  std::int64_t last = 0;
  for (const auto& [occurrence, row] : rows) {
    if (!row->task.deleted || !row->untouched()) last = occurrence;
  }
  std::set<std::int64_t> open_or_before;
  std::optional<std::int64_t> before;
  for (const auto& [occurrence, row] : rows) {
    if (row->task.deleted) continue;
    if (!row->task.completed) {
      open_or_before.insert(occurrence);
      if (before) open_or_before.insert(*before);
    }
    before = occurrence;
  }
  std::vector<ports::SeriesMember> members;
  for (const auto& [occurrence, row] : rows) {
    if (open_or_before.contains(occurrence) || occurrence == last)
      members.push_back({row->task, row->untouched()});
  }
  return members;
}

absl::Status RequestReused() {
  return util::WithReason(absl::AlreadyExistsError("fake store: reused"), "REQUEST_ID_REUSED");
}

/// The results of a repeated request.
std::vector<ports::MutationResult> FirstResults(const FakeDatabase::Request& request,
                                                bool with_changed) {
  std::vector<ports::MutationResult> results;
  for (const FakeDatabase::Answer& answer : request.answers) {
    results.push_back({.task = answer.task,
                       .changed = with_changed && answer.changed,
                       .repeated = true,
                       .reminder_numbers = answer.reminder_numbers});
  }
  return results;
}

/// Does what the database's function change_reminders does. Precondition: the task in `result` is
/// that after `mutation`.
Outcome ChangeReminders(FakeDatabase::Tables& tables, const ports::Mutation& mutation,
                        ports::MutationResult& result) {
  const domain::TaskId task_id = result.task.id;
  for (const int number : mutation.reminders.removed) {
    const auto row = tables.reminders.find({mutation.user, task_id, number});
    if (row == tables.reminders.end() ||
        row->second.reminder.state == domain::ReminderState::kDeleted) {
      result.reminder_numbers = {number};
      return Outcome::kNoSuchReminder;
    }
    row->second.reminder.state = domain::ReminderState::kDeleted;
    row->second.reminder.unplanned_since.reset();
    if (!row->second.job_at) tables.reminders.erase(row);
  }
  int kept = 0;
  int last = 0;
  for (const auto& [id, row] : tables.reminders) {
    if (id.user != mutation.user || id.task_id != task_id) continue;
    last = std::max(last, id.number);
    if (row.reminder.state != domain::ReminderState::kDeleted) ++kept;
  }
  for (const domain::ReminderTime& time : mutation.reminders.added) {
    if (++kept > domain::kMaxRemindersPerTask) return Outcome::kTooManyReminders;
    domain::Reminder reminder;
    reminder.id = {mutation.user, task_id, ++last};
    reminder.time = time;
    reminder.state = domain::ReminderState::kCancelled;
    reminder.unplanned_since = reminder.created_at = mutation.now;
    tables.reminders[reminder.id].reminder = reminder;
    result.reminder_numbers.push_back(last);
  }
  return Outcome::kChanged;
}

}  // namespace

absl::StatusOr<ports::MutationResult> FakeTaskStore::Apply(const ports::Mutation& mutation) {
  TODO_REQUIRE(mutation.reminders.empty());
  const ports::MutationList list{.request_id = mutation.request_id,
                                 .fingerprint = mutation.fingerprint,
                                 .mutations = {mutation}};
  TODO_ASSIGN_OR_RETURN(const auto results, ApplyAll(list));
  return results.front();
}

absl::StatusOr<std::vector<ports::MutationResult>> FakeTaskStore::ApplyAll(
    const ports::MutationList& list) {
  TODO_REQUIRE(!list.mutations.empty() && list.mutations.size() <= kMaxMutations);
  return Write(list.mutations,
               [&](FakeDatabase::Tables& tables) { return ApplyList(tables, list); });
}

absl::StatusOr<ports::MutationResult> FakeTaskStore::ApplyToSeries(
    const ports::SeriesMutation& mutation) {
  TODO_ASSIGN_OR_RETURN(const auto results,
                        Write(std::span(&mutation.first, 1), [&](FakeDatabase::Tables& tables) {
                          return ApplySeries(tables, mutation);
                        }));
  return results.front();
}

FakeTaskStore::Written FakeTaskStore::ApplyList(FakeDatabase::Tables& tables,
                                                const ports::MutationList& list) const {
  const domain::UserId& user = list.mutations.front().user;
  Written written;
  FakeDatabase::Request& request = tables.requests[{user, list.request_id}];
  if (!request.answers.empty()) {  // the request is known
    if (request.fingerprint != list.fingerprint || request.answers.size() != list.mutations.size())
      return {.outcome = Outcome::kRequestReused, .results = {}};
    return {.outcome = Outcome::kRepeated, .results = FirstResults(request, false)};
  }
  request.fingerprint = list.fingerprint;
  for (const ports::Mutation& mutation : list.mutations) {
    FakeDatabase::ChangeCall call = CallOf(mutation);
    call.request.reset();
    call.part_of = list.request_id;
    call.open_limit = open_task_limit_;
    const auto row = tables.tasks.find({user, mutation.task_id});
    const bool is_gone =
        call.task_id && !mutation.restores && row != tables.tasks.end() && row->second.task.deleted;
    auto [outcome, task] =
        is_gone ? std::pair(Outcome::kNotFound, Task()) : FakeDatabase::ApplyChange(tables, call);
    ports::MutationResult result{.task = task, .changed = outcome == Outcome::kChanged};
    if (outcome == Outcome::kChanged || outcome == Outcome::kUnchanged) {
      const Outcome told = ChangeReminders(tables, mutation, result);
      if (told != Outcome::kChanged) outcome = told;
    }
    if (outcome != Outcome::kChanged && outcome != Outcome::kUnchanged)
      return {.outcome = outcome, .results = {result}, .failed = written.results.size()};
    request.answers.push_back(
        {.task = task, .changed = result.changed, .reminder_numbers = result.reminder_numbers});
    written.results.push_back(std::move(result));
  }
  return written;
}

FakeTaskStore::Written FakeTaskStore::ApplySeries(FakeDatabase::Tables& tables,
                                                  const ports::SeriesMutation& mutation) const {
  const ports::Mutation& first = mutation.first;
  if (!tables.requests.contains({first.user, first.request_id}) &&
      Members(tables, first.user, mutation.series_id) != mutation.seen) {
    return {.outcome = Outcome::kSeriesChanged, .results = {}};
  }
  FakeDatabase::ChangeCall first_call = CallOf(first);
  first_call.open_limit = open_task_limit_;
  auto [outcome, task] = FakeDatabase::ApplyChange(tables, first_call);
  if (outcome == Outcome::kChanged || outcome == Outcome::kUnchanged) {
    for (const ports::Mutation& other : mutation.others) {
      FakeDatabase::ChangeCall call = CallOf(other);
      call.request.reset();
      call.part_of = first.request_id;
      const Outcome other_outcome = FakeDatabase::ApplyChange(tables, call).first;
      if (other_outcome == Outcome::kUnchanged) continue;
      outcome = other_outcome;
      if (outcome != Outcome::kChanged) break;
    }
  }
  return {.outcome = outcome,
          .results = {{.task = task,
                       .changed = outcome == Outcome::kChanged,
                       .repeated = outcome == Outcome::kRepeated}}};
}

absl::StatusOr<std::vector<ports::MutationResult>> FakeTaskStore::Write(
    std::span<const ports::Mutation> mutations,
    const std::function<Written(FakeDatabase::Tables&)>& apply) {
  Written written;
  const absl::Status status = database_.Write([&](FakeDatabase::Tables& tables) -> absl::Status {
    written = apply(tables);
    switch (written.outcome) {
      case Outcome::kNotFound:
        return util::WithIndex(ports::NoSuchTask(mutations[written.failed].task_id),
                               written.failed);
      case Outcome::kStale:
        return util::WithIndex(ports::StaleTask(mutations[written.failed].task_id), written.failed);
      case Outcome::kNoSuchReminder:
        return util::WithIndex(
            ports::NoSuchReminder(mutations[written.failed].task_id,
                                  written.results.front().reminder_numbers.front()),
            written.failed);
      case Outcome::kTooManyReminders:
        return util::WithIndex(ports::TooManyReminders(), written.failed);
      case Outcome::kSeriesChanged:
        return util::WithReason(absl::AbortedError("fake store: not as seen"), "SERIES_CHANGED");
      case Outcome::kRequestReused: return RequestReused();
      case Outcome::kTooManyOpen: return util::WithIndex(ports::TooManyOpenTasks(), written.failed);
      case Outcome::kOccurrenceExists:
        return absl::AlreadyExistsError("fake store: exists already");
      case Outcome::kChanged:
      case Outcome::kUnchanged:
      case Outcome::kRepeated: break;
    }
    return absl::OkStatus();
  });
  TODO_RETURN_IF_ERROR(status);
  const bool changed =
      std::ranges::any_of(written.results, [](const ports::MutationResult& result) {
        return result.changed || (!result.repeated && !result.reminder_numbers.empty());
      });
  if (changed && on_change_) on_change_(FakeDatabase::ShardOf(mutations.front().user));
  TODO_RETURN_IF_ERROR(database_.AnswerOrLose());
  return std::move(written.results);
}

absl::StatusOr<std::vector<ports::SeriesMember>> FakeTaskStore::ListSeries(
    const domain::UserId& user, const domain::Uuid& series_id) {
  TODO_RETURN_IF_ERROR(database_.failure());
  std::vector<ports::SeriesMember> members = Members(*database_.Read(), user, series_id);
  if (members.size() > kMaxSeriesMembers) members.resize(kMaxSeriesMembers);
  return members;
}

absl::StatusOr<std::optional<std::vector<ports::MutationResult>>> FakeTaskStore::FirstAnswers(
    const ports::RequestName& request) {
  using Results = std::optional<std::vector<ports::MutationResult>>;
  TODO_RETURN_IF_ERROR(database_.failure());
  auto tables = database_.Read();
  const auto found = tables->requests.find({request.user, request.request_id});
  if (found == tables->requests.end()) return Results();
  if (found->second.fingerprint != request.fingerprint) return RequestReused();
  return Results(FirstResults(found->second, true));
}

absl::StatusOr<Task> FakeTaskStore::Get(const domain::UserId& user, domain::TaskId id) {
  TODO_ASSIGN_OR_RETURN(Task task, GetEvenDeleted(user, id));
  if (task.deleted) return ports::NoSuchTask(id);
  return task;
}

absl::StatusOr<Task> FakeTaskStore::GetEvenDeleted(const domain::UserId& user, domain::TaskId id) {
  TODO_RETURN_IF_ERROR(database_.failure());
  auto tables = database_.Read();
  const auto found = tables->tasks.find({user, id});
  if (found == tables->tasks.end()) return ports::NoSuchTask(id);
  return found->second.task;
}

absl::StatusOr<ports::TaskPage> FakeTaskStore::List(const domain::UserId& user,
                                                    const TaskQuery& query) {
  TODO_RETURN_IF_ERROR(database_.failure());
  if (query.cancellation.requested && query.cancellation.requested())
    return absl::CancelledError("fake store: cancelled");
  if (query.cancellation.deadline <= std::chrono::steady_clock::now())
    return util::WithReason(absl::DeadlineExceededError("fake store: too late"), "DEADLINE_PASSED");
  const std::string fingerprint = FingerprintOf(user, query);
  std::optional<Task> after;
  if (!query.page_cursor.empty()) {
    const absl::StatusOr<Task> last =
        query.page_cursor.compare(0, fingerprint.size(), fingerprint) == 0
            ? domain::ParseTaskJson(std::string_view(query.page_cursor).substr(fingerprint.size()))
            : absl::InvalidArgumentError("");
    if (!last.ok()) {
      return util::WithReason(
          absl::InvalidArgumentError("fake store: not a page token of this list"),
          "INVALID_PAGE_TOKEN");
    }
    after = *last;
  }
  std::vector<Task> tasks;
  {
    auto tables = database_.Read();
    for (const auto& [key, row] : tables->tasks) {
      if (key.first == user && !row.task.deleted && Matches(row.task, query))
        tasks.push_back(row.task);
    }
  }
  std::sort(tasks.begin(), tasks.end(),
            [&](const Task& a, const Task& b) { return Before(query, a, b); });
  ports::TaskPage page;
  for (const Task& task : tasks) {
    if (after && !Before(query, *after, task)) continue;
    if (page.tasks.size() == static_cast<std::size_t>(query.limit)) {
      Task last = page.tasks.back();
      last.fields.description.reset();  // no order looks at it, and cursors must stay small
      page.next_cursor = fingerprint + domain::FormatTaskJson(last);
      break;
    }
    page.tasks.push_back(task);
  }
  return page;
}

absl::StatusOr<ports::ChangePage> FakeTaskStore::ListChanges(const domain::UserId& user,
                                                             const ports::ChangeQuery& query) {
  TODO_RETURN_IF_ERROR(database_.failure());
  ports::ChangePage page;
  auto tables = database_.Read();
  if (const auto found = tables->users.find(user); found != tables->users.end()) {
    page.last_seq = found->second.seq;
  }
  for (const FakeDatabase::ChangeRow& row : tables->changes) {
    if (page.changes.size() == static_cast<std::size_t>(query.limit)) break;
    if (row.change.user == user && row.change.seq > query.after_seq &&
        (!query.task || row.change.task_id == *query.task))
      page.changes.push_back(row.change);
  }
  return page;
}

}  // namespace todo::support

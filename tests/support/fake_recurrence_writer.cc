#include "support/fake_recurrence_writer.h"

namespace todo::support {

using domain::Task;
using domain::TaskId;
using ports::ConsumerChange;
using Outcome = FakeDatabase::Outcome;

absl::StatusOr<std::vector<std::optional<ports::HeldTask>>> FakeRecurrenceWriter::LockAndLoad(
    const std::vector<ports::TaskRef>& refs) {
  if (!unit_.status.ok()) return unit_.status;
  std::vector<std::optional<ports::HeldTask>> held;
  for (const ports::TaskRef& ref : refs) {
    std::optional<ports::HeldTask>& entry = held.emplace_back();
    const auto found = unit_.tables.tasks.find({ref.user, ref.task_id});
    if (found == unit_.tables.tasks.end()) continue;
    entry = {.task = found->second.task, .successor = {}};
    if (const auto& series = entry->task.series) {
      entry->successor = Find(ref.user, series->series_id, series->occurrence + 1);
    }
  }
  return held;
}

absl::StatusOr<std::set<TaskId>> FakeRecurrenceWriter::Existing(const std::vector<TaskId>& ids) {
  if (!unit_.status.ok()) return unit_.status;
  const std::set<TaskId> wanted(ids.begin(), ids.end());
  std::set<TaskId> existing;
  for (const auto& [key, row] : unit_.tables.tasks) {
    if (wanted.count(key.second) != 0) existing.insert(key.second);
  }
  return existing;
}

absl::StatusOr<std::vector<std::optional<ports::Successor>>> FakeRecurrenceWriter::FindOccurrences(
    const std::vector<ports::SeriesPlace>& places) {
  if (!unit_.status.ok()) return unit_.status;
  std::vector<std::optional<ports::Successor>> found;
  for (const ports::SeriesPlace& place : places)
    found.push_back(Find(place.user, place.series_id, place.occurrence));
  return found;
}

absl::StatusOr<std::vector<bool>> FakeRecurrenceWriter::AdvanceForeignTasks(
    const std::vector<ports::ForeignEvent>& events) {
  if (!unit_.status.ok()) return unit_.status;
  std::vector<bool> news;
  for (const ports::ForeignEvent& event : events) {
    const auto [known, is_new] = unit_.tables.foreign_tasks.try_emplace(
        {event.user, event.series_id}, FakeDatabase::ForeignTask{event.version, event.at});
    FakeDatabase::ForeignTask& newest = known->second;
    const bool by_version =
        event.version > 0 && newest.version > 0 && event.version != newest.version;
    const bool is_older = by_version ? event.version < newest.version : event.at < newest.at;
    news.push_back(is_new || !is_older);
    if (!is_new && !is_older) newest = {event.version, event.at};
  }
  return news;
}

absl::Status FakeRecurrenceWriter::Write(const std::vector<ConsumerChange>& changes) {
  if (!unit_.status.ok()) return unit_.status;
  for (const ConsumerChange& change : changes) {
    const bool creates = change.kind == ConsumerChange::Kind::kCreateSuccessor;
    const bool removes = change.kind == ConsumerChange::Kind::kRemoveSuccessor;
    const auto patch = [&change, removes](Task& task) {
      task.deleted = removes;
      if (removes) return;
      task.completed = false;
      task.completed_at.reset();
      task.fields = change.fields;
      task.series = change.series;
    };
    const auto [outcome, task] = FakeDatabase::ApplyChange(
        unit_.tables,
        {.user = change.user,
         .request = {},
         .kind = removes ? domain::ChangeKind::kDeleted : domain::ChangeKind::kCreated,
         .task_id = creates ? std::nullopt : std::optional(change.task_id),
         .expected_version = {},
         .patch = patch,
         .event_id = change.event_id,
         .now = change.now,
         .traceparent = change.traceparent});
    switch (outcome) {
      case Outcome::kChanged: unit_.shards.insert(FakeDatabase::ShardOf(change.user)); break;
      case Outcome::kUnchanged: break;
      case Outcome::kOccurrenceExists:
        return unit_.status = absl::AlreadyExistsError("fake store: exists already");
      default: return unit_.status = absl::NotFoundError("fake store: there is no such task");
    }
  }
  return absl::OkStatus();
}

std::optional<ports::Successor> FakeRecurrenceWriter::Find(const domain::UserId& user,
                                                           const domain::Uuid& series_id,
                                                           std::int64_t occurrence) const {
  for (const auto& [key, row] : unit_.tables.tasks) {
    if (key.first == user && row.task.series && row.task.series->series_id == series_id &&
        row.task.series->occurrence == occurrence) {
      return ports::Successor{.task = row.task, .untouched = row.untouched()};
    }
  }
  return std::nullopt;
}

}  // namespace todo::support

#include "store/mutation_json.h"

#include <utility>

#include "domain/time.h"
#include "store/reminder_columns.h"

namespace todo::store {
namespace {

using domain::ChangeKind;
using ports::Mutation;

void AddChanges(Patch& patch, const domain::TaskPatch& changes) {
  if (changes.title) AddTitle(patch, *changes.title);
  if (changes.description) AddDescription(patch, *changes.description);
  if (changes.priority) patch["priority"] = static_cast<int>(*changes.priority);
  if (changes.tags) patch["tags"] = *changes.tags;
  if (changes.due) AddDue(patch, *changes.due);
  if (changes.time_zone) patch["time_zone"] = *changes.time_zone;
  if (changes.recurrence_rule) {
    patch["recurrence_rule"] =
        *changes.recurrence_rule ? Patch(**changes.recurrence_rule) : Patch();
  }
  if (changes.recurrence_basis)
    patch["recurrence_basis"] = domain::ToString(*changes.recurrence_basis);
  if (changes.series) AddSeries(patch, *changes.series);
}

/// `mutation` as an element of the changes of a call.
Patch ElementOf(const Mutation& mutation) {
  Patch element = {
      {"kind", domain::ToString(mutation.kind)},
      {"task_id", mutation.creates() ? Patch() : Patch(mutation.task_id.value)},
      {"version", mutation.expected_version ? Patch(*mutation.expected_version) : Patch()},
      {"patch", PatchOf(mutation)},
      {"event_id", mutation.event_id.value()},
      {"at", domain::FormatInstant(mutation.now)},
      {"traceparent", mutation.traceparent}};
  const ports::ReminderChanges& reminders = mutation.reminders;
  if (reminders.empty()) return element;
  Patch added = Patch::array();
  for (const domain::ReminderTime& time : reminders.added) added.push_back(ReminderTimeRow(time));
  element["reminders"] = {{"removed", reminders.removed},
                          {"added", std::move(added)},
                          {"limit", domain::kMaxRemindersPerTask}};
  return element;
}

}  // namespace

Patch PatchOf(const Mutation& mutation) {
  Patch patch = Patch::object();
  const std::string now = domain::FormatInstant(mutation.now);
  AddChanges(patch, mutation.patch);
  switch (mutation.kind) {
    case ChangeKind::kCreated:
      if (mutation.restores) return {{"deleted_at", nullptr}, {"skipped_at", nullptr}};
      AddFields(patch, mutation.fields);
      AddSeries(patch, mutation.series);
      break;
    case ChangeKind::kUpdated: break;
    case ChangeKind::kCompleted:
      patch["completed"] = true;
      patch["completed_at"] = now;
      break;
    case ChangeKind::kUncompleted:
      patch["completed"] = false;
      patch["completed_at"] = nullptr;
      break;
    case ChangeKind::kDeleted:
      patch["deleted_at"] = now;
      if (mutation.skips) patch["skipped_at"] = now;
      break;
  }
  return patch;
}

Patch ChangesOf(const ports::SeriesMutation& mutation) {
  Patch changes = Patch::array({ElementOf(mutation.first)});
  changes[0]["request_id"] = mutation.first.request_id.value();
  for (const Mutation& other : mutation.others) {
    changes.push_back(ElementOf(other));
    changes.back()["patch"]["consumer_version"] = nullptr;  // a person touched the task
  }
  return changes;
}

Patch ChangesOf(const ports::MutationList& list) {
  Patch changes = Patch::array();
  for (const Mutation& mutation : list.mutations) changes.push_back(ElementOf(mutation));
  return changes;
}

std::string Dump(const Patch& patch) {
  return patch.dump(-1, ' ', false, Patch::error_handler_t::replace);
}

}  // namespace todo::store

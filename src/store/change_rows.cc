#include "store/change_rows.h"

#include <cstddef>

#include "domain/event/event_writer.h"
#include "store/batch_statements.h"
#include "store/pipeline.h"
#include "util/unicode.h"

namespace todo::store {
namespace {

template <std::size_t count>
std::array<const BinaryArray*, count> Pointers(const std::array<BinaryArray, count>& columns) {
  std::array<const BinaryArray*, count> pointers{};
  for (std::size_t i = 0; i < count; ++i) pointers[i] = &columns[i];
  return pointers;
}

}  // namespace

UserRows ToUserRows(const PipelineRows& rows) {
  UserRows users;
  for (int i = 0; i < rows.size(); ++i) {
    users[std::string(rows.Text(i, 0))] = {
        .seq = rows.Number(i, 1), .open_tasks = rows.Number(i, 2), .shard = rows.Number(i, 3)};
  }
  return users;
}

bool IsOpen(const domain::Task& task) { return !task.completed && !task.deleted; }

std::span<const Statement> ChangeRows::Statements() {
  static constexpr std::array kStatements = {kWriteUsers,   kInsertTasks, kUpdateTasks,
                                             kReplaceTasks, kWriteTexts,  kWriteChanges};
  return kStatements;
}

void ChangeRows::Add(const domain::Task& task, const ChangeRow& change) {
  shards_.insert(static_cast<int>(change.shard));
  TaskRows& rows = change.creates       ? new_tasks_
                   : change.by_consumer ? replaced_tasks_
                                        : changed_tasks_;
  rows.Add(task, change.now, change.by_consumer);
  AddTexts(task, change);
  std::size_t column = 0;
  const auto add = [&](const auto& value) { changes_[column++].Add(value); };
  add(task.user.value);
  add(task.seq);
  add(change.shard);
  add(change.event_id.uuid);
  add(domain::ToString(change.kind));
  add(task.id.value);
  add(task.version);
  add(domain::FormatTaskJson(task));
  add(change.now);
  add(change.traceparent);
  add(change.request_id);
}

void ChangeRows::AddTexts(const domain::Task& task, const ChangeRow& change) {
  const bool title = change.creates || change.sets_title;
  const bool description = change.creates || change.sets_description;
  if (!title && !description) return;
  const domain::TaskFields& fields = task.fields;
  auto& [users, ids, titles, descriptions] = texts_;
  users.Add(task.user.value);
  ids.Add(task.id.value);
  if (title)
    titles.Add(util::FoldForSearch(fields.title));
  else
    titles.AddNull();
  if (description)
    descriptions.Add(util::FoldForSearch(fields.description.value_or("")));
  else
    descriptions.AddNull();
}

void ChangeRows::Send(Pipeline& pipeline, const UserRows& users) const {
  std::array<BinaryArray, 3> rows{BinaryArray(Type::kText), BinaryArray(Type::kInt8),
                                  BinaryArray(Type::kInt8)};
  for (const auto& [name, user] : users) {
    if (!user.changed) continue;
    rows[0].Add(name);
    rows[1].Add(user.seq);
    rows[2].Add(user.open_tasks);
  }
  pipeline.Send(kWriteUsers, Pointers(rows));
  if (!new_tasks_.empty()) pipeline.Send(kInsertTasks, new_tasks_.all());
  if (!changed_tasks_.empty()) pipeline.Send(kUpdateTasks, changed_tasks_.changing());
  if (!replaced_tasks_.empty()) pipeline.Send(kReplaceTasks, replaced_tasks_.all());
  if (!texts_.front().empty()) pipeline.Send(kWriteTexts, Pointers(texts_));
  pipeline.Send(kWriteChanges, Pointers(changes_));
}

}  // namespace todo::store

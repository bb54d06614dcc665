#include "store/change_rows.h"

#include <array>
#include <utility>

#include "domain/event/event_writer.h"
#include "store/batch_statements.h"
#include "store/pipeline.h"
#include "store/task_row.h"
#include "util/unicode.h"

namespace todo::store {
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
                                             kReplaceTasks, kInsertTexts, kWriteTexts,
                                             kWriteChanges};
  return kStatements;
}

void ChangeRows::Add(const domain::Task& task, const ChangeRow& change) {
  shards_.insert(static_cast<int>(change.shard));
  BinaryArray<BinaryRow>& tasks = change.creates       ? new_tasks_
                                  : change.by_consumer ? replaced_tasks_
                                                       : changed_tasks_;
  tasks.Add(TaskRow(task, change.now, change.by_consumer));
  AddTexts(task, change);
  changes_.Add(BinaryRow(task.user.value, task.seq, static_cast<std::int16_t>(change.shard),
                         change.event_id.uuid, domain::ToString(change.kind), task.id.value,
                         task.version, domain::FormatTaskJson(task), change.now, change.traceparent,
                         change.request_id));
}

void ChangeRows::AddTexts(const domain::Task& task, const ChangeRow& change) {
  const bool title = change.creates || change.sets_title;
  const bool description = change.creates || change.sets_description;
  if (!title && !description) return;
  const domain::TaskFields& fields = task.fields;
  BinaryArray<BinaryRow>& texts = change.creates ? new_texts_ : changed_texts_;
  texts.Add(BinaryRow(task.user.value, task.id.value,
                      title ? std::optional(util::FoldForSearch(fields.title)) : std::nullopt,
                      description
                          ? std::optional(util::FoldForSearch(fields.description.value_or("")))
                          : std::nullopt));
}

void ChangeRows::Send(Pipeline& pipeline, const UserRows& users) const {
  BinaryArray<BinaryRow> rows;
  for (const auto& [name, user] : users) {
    if (user.changed) rows.Add(BinaryRow(name, user.seq, user.open_tasks));
  }
  pipeline.Send(kWriteUsers, {rows.Encoded()});
  if (!new_tasks_.empty()) pipeline.Send(kInsertTasks, {new_tasks_.Encoded()});
  if (!changed_tasks_.empty()) pipeline.Send(kUpdateTasks, {changed_tasks_.Encoded()});
  if (!replaced_tasks_.empty()) pipeline.Send(kReplaceTasks, {replaced_tasks_.Encoded()});
  if (!new_texts_.empty()) pipeline.Send(kInsertTexts, {new_texts_.Encoded()});
  if (!changed_texts_.empty()) pipeline.Send(kWriteTexts, {changed_texts_.Encoded()});
  pipeline.Send(kWriteChanges, {changes_.Encoded()});
}

}  // namespace todo::store

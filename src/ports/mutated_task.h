#pragma once

#include "domain/task/task.h"
#include "ports/task_store.h"

namespace todo::ports {

/// `task` after what `mutation` asks for. Its id, version, seq and `updated_at` are those of
/// before.
inline domain::Task MutatedTask(const Mutation& mutation, domain::Task task) {
  switch (mutation.kind) {
    case domain::ChangeKind::kCreated:
      if (mutation.restores) {
        task.deleted = false;
        task.skipped_at.reset();
      } else {
        task.fields = mutation.fields;
        task.series = mutation.series;
      }
      return task;
    case domain::ChangeKind::kUpdated: break;
    case domain::ChangeKind::kCompleted:
      task.completed = true;
      task.completed_at = mutation.now;
      break;
    case domain::ChangeKind::kUncompleted:
      task.completed = false;
      task.completed_at.reset();
      break;
    case domain::ChangeKind::kDeleted:
      task.deleted = true;
      if (mutation.skips) task.skipped_at = mutation.now;
      break;
  }
  domain::ApplyPatch(mutation.patch, task);
  return task;
}

}  // namespace todo::ports

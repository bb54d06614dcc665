#include "service/tasks/task_changes.h"

#include "service/tasks/task_service.h"

namespace todo::service {

absl::StatusOr<domain::Task> TaskService::Restore(const CallContext&, domain::TaskId) {
  return absl::UnimplementedError("not built yet");
}

absl::StatusOr<std::vector<ChangedTask>> TaskService::ChangeAll(const CallContext&,
                                                                const std::vector<TaskChange>&) {
  return absl::UnimplementedError("not built yet");
}

absl::StatusOr<std::optional<std::vector<ChangedTask>>> TaskService::FirstAnswers(
    const CallContext&) {
  return absl::UnimplementedError("not built yet");
}

}  // namespace todo::service

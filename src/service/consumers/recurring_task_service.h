#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "domain/event/event.h"
#include "domain/ids.h"
#include "ports/clock.h"
#include "ports/event_inbox.h"
#include "service/consumers/task_event_consumer.h"

namespace todo::service {

/// Makes the next occurrence of a recurring task that was completed or skipped, and takes it away
/// again when the task is opened again and nobody has touched the successor. The next occurrence
/// belongs to the owner of the task, whoever completed it.
///
/// For a task that we hold the event is only the occasion: the task's row, read under its user's
/// lock, says what should be. So any order, delay and repetition of a task's events ends in the
/// same state. For a task that lives in somebody else's database the event is all there is, and the
/// newest one wins.
class RecurringTaskService : public TaskEventConsumer {
 public:
  /// Both must outlive the service.
  RecurringTaskService(const ports::Clock& clock, ports::IdSource& ids)
      : clock_(clock), ids_(ids) {}

  std::string_view name() const override { return "recurring-tasks"; }

  absl::Status Apply(ports::InboxTransaction& transaction,
                     const std::vector<domain::TaskEvent>& events) override;

 private:
  /// `task` is what the event says of it.
  absl::Status ApplyForeign(ports::InboxTransaction& transaction, const domain::TaskEvent& event,
                            const domain::Task& task);
  /// Makes the successor of a task that passed (domain::PassedAt), takes away that of another.
  absl::Status UpdateSuccessor(ports::InboxTransaction& transaction, const domain::Task& task,
                               std::optional<domain::Instant> passed_at,
                               const std::optional<ports::Successor>& successor,
                               const std::string& traceparent);

  const ports::Clock& clock_;
  ports::IdSource& ids_;
};

/// The series of a task of `owner` that lives elsewhere: the same for every event of that source
/// about that task.
domain::Uuid ForeignSeriesId(std::string_view source, const domain::UserId& owner,
                             domain::TaskId task_id);

}  // namespace todo::service

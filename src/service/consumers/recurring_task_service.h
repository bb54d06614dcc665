#pragma once

#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "domain/event/event.h"
#include "domain/ids.h"
#include "ports/clock.h"
#include "ports/event_inbox.h"
#include "service/consumers/task_event_consumer.h"

namespace todo::service {

/// Makes the next occurrence of a recurring task that was completed or skipped. When the task is
/// opened again or restored, removes that successor unless a user has changed it. The next
/// occurrence belongs to the owner of the task, whoever completed it.
///
/// Of a task in our database, an event is only the occasion: the task's row, read under its user's
/// lock, says what should be, so any order, delay and repetition of the task's events ends in one
/// state. Of a task that lives in another program's database, the newest event is the truth.
/// Thread safety: as EventConsumer.
class RecurringTaskService : public TaskEventConsumer {
 public:
  /// Both must outlive the service.
  RecurringTaskService(const ports::Clock& clock, ports::IdSource& ids)
      : clock_(clock), ids_(ids) {}

  std::string_view name() const override { return "recurring-tasks"; }

  absl::Status Apply(ports::InboxTransaction& transaction,
                     const std::vector<domain::TaskEvent>& events) override;

 private:
  const ports::Clock& clock_;
  ports::IdSource& ids_;
};

/// The id of the series of a task of `owner` that lives in another program: derived from the
/// event's source, the owner and the task's id.
domain::Uuid ForeignSeriesId(std::string_view source, const domain::UserId& owner,
                             domain::TaskId task_id);

}  // namespace todo::service

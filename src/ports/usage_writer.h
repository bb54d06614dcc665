#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "domain/event/event.h"
#include "domain/ids.h"
#include "domain/task/task.h"
#include "domain/time.h"

namespace todo::ports {

/// What usage counts of an event.
struct UsageEvent {
  domain::UserId user;  // the task's owner
  domain::EventId event_id;
  bool is_ours = false;  // todo-service says that it published the event
  std::int64_t seq = 0;  // of the change; 0: the event does not say
  domain::TaskId task_id;
  domain::ChangeKind kind = domain::ChangeKind::kCreated;
  domain::Instant at;
  // The rest counts for tasks of other programs: of its own, the database knows it.
  std::optional<domain::Instant> created_at = {};  // of the task; after `at`: counts as at `at`
  std::optional<domain::Priority> priority = {};
  std::vector<std::string> tags = {};  // different ones
};

/// Counts events for usage, inside a transaction of the inbox.
/// Thread safety: as InboxTransaction. Blocks on the database; statuses as EventInbox::Transact.
class UsageWriter {
 public:
  virtual ~UsageWriter() = default;

  /// Counts `events`, which have different ids. An event of the change log counts as the log has
  /// it, and once, however often it is given. An event about a task that the database does not have
  /// counts as it is, each time that it is given. Any other event does not count. Events before
  /// `oldest` are only noted: ports::Usage::uncounted_events.
  virtual absl::Status Count(const std::vector<UsageEvent>& events, domain::Instant oldest) = 0;
};

}  // namespace todo::ports

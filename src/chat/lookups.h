#pragma once

#include <functional>
#include <string>

#include "absl/status/statusor.h"
#include "chat/finding.h"
#include "chat/grammar/intents.h"
#include "chat/reply.h"
#include "service/analytics/usage_service.h"
#include "service/tasks/task_service.h"

// The intents that only read.

namespace todo::chat {

/// Numbers about a user, on the clocks of the zone; as UsageService::Summary. Blocks.
using ReadUsage = std::function<absl::StatusOr<service::UsageSummary>(
    const domain::UserId& user, const domain::TimeZone& zone,
    std::optional<service::UsageDays> days)>;

/// Reads for one text.
/// Thread safety: none. Its functions block on the database.
class Lookups {
 public:
  struct Input {
    service::TaskService& tasks;
    Finding finding;
    const ReadUsage& usage;  // empty: there are no numbers
    domain::UserId user;
    GrammarContext context;
    util::Cancellation cancellation;
  };
  explicit Lookups(Input input) : input_(std::move(input)) {}

  /// Puts what is found into `action`, and answers the lines for it. `intent` is one of the list,
  /// a search, usage or help.
  absl::StatusOr<std::string> Look(const Intent& intent, Action& action);

 private:
  absl::StatusOr<std::string> List(const ListIntent& intent, Action& action);
  absl::StatusOr<std::string> Search(const SearchIntent& intent, Action& action);
  absl::StatusOr<std::string> Usage(const UsageIntent& intent, Action& action);
  struct Tasks {
    std::vector<domain::Task> found;
    bool may_be_more = false;  // reading ended before the last one
  };
  /// The open tasks that `fits` accepts, of those whose due instants are in the range.
  absl::StatusOr<Tasks> OpenTasks(std::optional<domain::Instant> from,
                                  std::optional<domain::Instant> before,
                                  const std::function<bool(const domain::Task&)>& fits);
  /// The last ones that were changed.
  absl::StatusOr<Tasks> DoneTasks();

  Input input_;
};

}  // namespace todo::chat

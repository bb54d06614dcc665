#pragma once

#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/civil_time.h"
#include "chat/grammar/intents.h"
#include "domain/ids.h"
#include "domain/task/task.h"
#include "domain/time_zone.h"
#include "ports/task_finder.h"

// From the words of a reference to the task that they name.

namespace todo::chat {

/// Which tasks come into question first.
enum class Wanted { kOpen, kCompleted, kAny };

/// The tasks that a reference may name.
struct Candidates {
  std::vector<domain::Task> fitting;  // those with all words in the title; one: it is meant
  std::vector<domain::Task> near;     // when none fits: those that resemble the words
};

/// The day on which `task` is due on the clocks of `zone`. Precondition: it has a due date.
absl::CivilDay DueDayOf(const domain::Task& task, const domain::TimeZone& zone);

/// Whether `task` was due before `now`, or on a day before it. Without a due date: false.
bool IsOverdue(const domain::Task& task, const domain::TimeZone& zone, domain::Instant now);

/// Finds tasks of one user.
/// Thread safety: none. Find blocks; statuses as of ports::TaskFinder.
class Finding {
 public:
  /// `finder` must outlive this object. `query`: its language and cancellation.
  Finding(ports::TaskFinder& finder, domain::UserId user, ports::FindQuery query)
      : finder_(finder), user_(std::move(user)), query_(std::move(query)) {}

  /// `preferred`: the tasks that go before others that fit as well; empty: none do.
  absl::StatusOr<Candidates> Find(const std::string& words, Wanted wanted,
                                  const std::function<bool(const domain::Task&)>& preferred = {});
  /// All that is found, the best first.
  absl::StatusOr<std::vector<domain::Task>> Search(const std::string& words, int limit);

  const util::Cancellation& cancellation() const { return query_.cancellation; }

 private:
  absl::StatusOr<std::vector<ports::FoundTask>> Ask(const std::string& words,
                                                    std::optional<bool> completed);

  ports::TaskFinder& finder_;
  const domain::UserId user_;
  const ports::FindQuery query_;
};

}  // namespace todo::chat

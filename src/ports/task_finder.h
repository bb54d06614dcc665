#pragma once

#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "domain/ids.h"
#include "domain/task/task.h"
#include "util/cancellation.h"

namespace todo::ports {

struct FindQuery {
  std::string words;                 // of the title, as a person says them: "buying groceries"
  std::string language = "english";  // a text search configuration; an unknown one counts as simple
  std::optional<bool> completed;     // nullopt: open ones before completed ones
  int limit = 10;                    // 1 to 50
  util::Cancellation cancellation = {};
};

/// How well a task fits, the best first.
enum class Fit {
  kExact,     // the title consists of these words
  kAllWords,  // title (or description or tags) have all words, in some form of theirs
  kSimilar    // the words resemble the title: one has a typing error, or some are missing
};

struct FoundTask {
  domain::Task task;
  Fit fit = Fit::kSimilar;
  double score = 0;  // 0 to 1, within one Fit
};

/// Finds the tasks of a user by words.
/// Thread safety: Find may be called from many threads at once. It blocks on the database; statuses
/// as of TaskStore::List.
class TaskFinder {
 public:
  virtual ~TaskFinder() = default;

  /// The user's tasks that fit, deleted ones left out: better fits first; of equal ones open before
  /// completed, then the sooner due, then the higher score, then by id.
  virtual absl::StatusOr<std::vector<FoundTask>> Find(const domain::UserId& user,
                                                      const FindQuery& query) = 0;
};

}  // namespace todo::ports

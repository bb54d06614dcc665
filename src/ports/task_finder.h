#pragma once

#include <optional>
#include <string>
#include <tuple>
#include <vector>

#include "absl/status/statusor.h"
#include "domain/ids.h"
#include "domain/task/task.h"
#include "domain/task/word_match.h"
#include "util/cancellation.h"

namespace todo::ports {

using domain::Fit;

struct FindQuery {
  std::string words;  // of the title, as a person says them: "buying groceries"; any bytes
  std::string language = "english";  // a text search configuration; an unknown one counts as simple
  std::optional<bool> completed = {};  // nullopt: open ones before completed ones
  int limit = 10;                      // 1 to 50
  util::Cancellation cancellation = {};
};

struct FoundTask {
  domain::Task task;
  Fit fit = Fit::kSimilar;
  double score = 0;  // domain::WordMatch::score
};

/// Whether `one` comes before `other` in the answer of Find.
inline bool ComesBefore(const FoundTask& one, const FoundTask& other) {
  const auto key = [](const FoundTask& found) {
    const bool due = found.task.fields.due.kind != domain::DueKind::kNone;
    // Half the score or more: all words are in the title.
    const bool titled = found.fit == Fit::kSimilar || found.score >= 0.5;
    return std::tuple(
        found.fit, !titled, found.task.completed, found.fit == Fit::kSimilar ? -found.score : 0.0,
        due ? found.task.fields.due.at : domain::kMaxInstant, -found.score, found.task.id);
  };
  return key(one) < key(other);
}

/// Finds the tasks of a user by words.
/// Thread safety: Find may be called from many threads at once. It blocks on the database; statuses
/// as of TaskStore::List.
class TaskFinder {
 public:
  virtual ~TaskFinder() = default;

  /// The user's tasks that fit, deleted ones left out. Tasks that are similar only are looked for
  /// when no task has all words. Better fits come first; of equal ones those with all words in the
  /// title, then open before completed, then the sooner due (of similar ones the higher score),
  /// then the higher score, then by id. Of more than a hundred that fit, the best may be missing.
  virtual absl::StatusOr<std::vector<FoundTask>> Find(const domain::UserId& user,
                                                      const FindQuery& query) = 0;
};

}  // namespace todo::ports

#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "domain/task/task.h"
#include "ports/task_store.h"

// Inside the room only: the statement and the cursor of TaskStore::List.

namespace todo::store {

/// Where a page ended: what its last task was ordered by, and the task's id.
struct ListPosition {
  std::string key;  // as the database reads it
  std::int64_t id = 0;
};

/// Opaque text for `last`, the last task of a page of `user`'s `query`.
std::string EncodeCursor(const domain::UserId& user, const ports::TaskQuery& query,
                         const domain::Task& last);
/// kInvalidArgument when `query.page_cursor` was not made for this user and query. Precondition:
/// not empty.
absl::StatusOr<ListPosition> DecodeCursor(const domain::UserId& user,
                                          const ports::TaskQuery& query);

/// Parameters 1 to 8: user, completed, priority, tag, due from, due before, LIKE pattern, limit;
/// then, with a position, its id and its key. To be planned for the parameters at hand (ExecOnce):
/// then a page in any order is read from the index of that order and ends with the page. A plan
/// for all parameters takes the filters that are not set for narrow ones, and would read and sort
/// all tasks of the user.
std::string StatementFor(const ports::TaskQuery& query,
                         const std::optional<ListPosition>& position);

/// A LIKE pattern for "contains `text`".
std::string ContainsPattern(std::string_view text);

}  // namespace todo::store

#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "domain/task/task.h"
#include "ports/task_store.h"

// Inside the room only: the statement and the cursor of TaskStore::List.

namespace todo::store {

/// The end of a page: the sort key and the id of its last task.
struct ListPosition {
  std::string key;  // in the database's text form
  std::int64_t id = 0;
};

/// Opaque text for `last`, the last task of a page of `user`'s `query`.
std::string EncodeCursor(const domain::UserId& user, const ports::TaskQuery& query,
                         const domain::Task& last);
/// kInvalidArgument: `query.page_cursor` was not made for this user and query. Precondition: it is
/// not empty.
absl::StatusOr<ListPosition> DecodeCursor(const domain::UserId& user,
                                          const ports::TaskQuery& query);

/// The statement of a page. Parameters 1 to 8: user, completed, priority, tag, due from, due
/// before, LIKE pattern, limit; with a position also its id and its key. It must be planned for its
/// actual parameters (ExecOnce): then a page in any order is read from the index of that order, and
/// no further. A generic plan would expect every filter to be set and narrow, and would read and
/// sort all tasks of the user.
std::string StatementFor(const ports::TaskQuery& query,
                         const std::optional<ListPosition>& position);

/// A LIKE pattern for "contains `text`".
std::string ContainsPattern(std::string_view text);

}  // namespace todo::store

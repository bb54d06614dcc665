#pragma once

#include <functional>
#include <vector>

#include "domain/task/task.h"
#include "ports/task_store.h"

// Which tasks of a series a call concerns. Pure functions of the store's answers.

namespace todo::service {

/// How far a change of a recurring task reaches. A task that does not recur is changed alone.
enum class SeriesScope {
  kDefault,    // a due date: this occurrence; other fields also those still to come
  kThis,       // this occurrence alone
  kFollowing,  // this one, the open ones after it, and those still to come
  kAll         // all open ones, and those still to come; completed ones are history
};

/// The role of a task in its series.
enum class SeriesRole {
  kOpen,
  kLast,    // completed or skipped, and the consumer has still to make its successor from it
  kBefore,  // completed, and the next existing one is open: history, unless it is opened again
  kHistory  // completed or deleted, and no other task will be made from it
};

/// Whether the open task `task` is the newest occurrence, so that a change of it may change the
/// schedule. A successor that the consumer is about to remove does not count.
bool IsNewest(const domain::Task& task, const std::vector<ports::SeriesMember>& members);

/// The existing member right before `task`, which is open; nullptr: there is none.
const domain::Task* TaskBefore(const domain::Task& task,
                               const std::vector<ports::SeriesMember>& members);

/// A call's changes of `task` and of the other members that `scope` (kFollowing or kAll) reaches.
/// `change` answers kind and patch for a task in its role; it is not asked about members that are
/// history.
ports::SeriesMutation PlanForSeries(
    const domain::Task& task, std::vector<ports::SeriesMember> members, SeriesScope scope,
    const std::function<ports::Mutation(const domain::Task&, SeriesRole)>& change);

}  // namespace todo::service

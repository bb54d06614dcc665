#pragma once

#include <functional>
#include <vector>

#include "domain/task/task.h"
#include "ports/task_store.h"

// Which tasks of a series a call is about. Pure functions of what the store answered.

namespace todo::service {

/// How far a change of a recurring task reaches. A task that does not recur is all there is.
enum class SeriesScope {
  kDefault,    // a due date: this occurrence; all else also what follows from it
  kThis,       // this occurrence alone
  kFollowing,  // this one, the open ones after it, and all that will come
  kAll         // all open ones, and all that will come; what is done is history
};

/// What a task is for its series.
enum class SeriesRole {
  kOpen,
  kLast,    // done or skipped, and the next one, which takes after it, is still to be made
  kBefore,  // done, and the next one that is there is open: history, unless it is opened again
  kHistory  // done, or gone, and nothing comes from it any more
};

/// Whether the schedule of `task`, which is open, is that of the series: no occurrence comes after
/// it, but perhaps one that the consumer made and is about to take away.
bool IsNewest(const domain::Task& task, const std::vector<ports::SeriesMember>& members);

/// Of `members` the one that is there and comes right before `task`, which is open; nullptr: none.
const domain::Task* TaskBefore(const domain::Task& task,
                               const std::vector<ports::SeriesMember>& members);

/// `change` of `task` and of the members that `scope` (kFollowing or kAll) reaches beside it.
/// `change` answers kind and patch; it is not asked about members that are history.
ports::SeriesMutation PlanForSeries(
    const domain::Task& task, std::vector<ports::SeriesMember> members, SeriesScope scope,
    const std::function<ports::Mutation(const domain::Task&, SeriesRole)>& change);

}  // namespace todo::service

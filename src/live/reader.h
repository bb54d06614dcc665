#pragma once

#include <chrono>
#include <compare>
#include <map>
#include <memory>
#include <vector>

#include "absl/status/statusor.h"
#include "domain/event/event.h"
#include "domain/ids.h"
#include "live/counters.h"
#include "live/missed.h"
#include "live/options.h"
#include "live/outage_log.h"
#include "live/watch.h"
#include "live/watch_state.h"
#include "live/workplace.h"
#include "ports/live_log.h"
#include "ports/task_store.h"
#include "util/backoff.h"
#include "util/guarded.h"

namespace todo::live {

/// Reads for watches, on the threads of a Workplace. Watches of one user that want the changes
/// behind the same cursor share a query, if the query has not begun. A failed read is repeated,
/// with back-off, until it succeeds or nobody wants it.
/// Thread safety: any thread; nothing blocks.
class Reader {
 public:
  /// All must outlive the tasks that the reader gives to `workplace`, and so must the reader.
  Reader(ports::LiveLog& log, ports::TaskStore& tasks, Workplace& workplace, Counters& counters,
         OutageLog& outages, const FeedOptions& options);

  void ReadMissed(std::shared_ptr<Watch> watch, const MissedWanted& wanted);
  void ReadPage(std::shared_ptr<Watch> watch);

 private:
  struct Query {
    domain::UserId user;
    domain::ChangeCursor cursor;
    bool head_only = false;
    auto operator<=>(const Query&) const = default;
  };
  struct Waiting {
    std::vector<std::shared_ptr<Watch>> watches;
    util::Backoff backoff;
  };

  void RunQuery(const Query& query);
  absl::StatusOr<Missed> Ask(const domain::UserId& user, const domain::ChangeCursor& cursor,
                             int max_changes);
  void Postpone(const Query& query, Waiting waiting);
  void RunPage(const std::shared_ptr<Watch>& watch, util::Backoff backoff);
  struct Page {
    ports::TaskPage tasks;
    int next_limit = 0;  // of tasks in the next page
    Missed after;
  };
  /// A page whose tasks fit into one part of a snapshot, without `after`.
  absl::StatusOr<Page> ListPart(const domain::UserId& user, ports::TaskQuery query);
  absl::StatusOr<Page> AskPage(const domain::UserId& user, const WatchState::PagePlan& plan);
  util::Backoff NewBackoff() const { return {options_.min_backoff, options_.max_backoff}; }

  ports::LiveLog& log_;
  ports::TaskStore& tasks_;
  Workplace& workplace_;
  Counters& counters_;
  OutageLog& outages_;
  const FeedOptions options_;
  /// Of queries that have not begun. Each has a task at the workplace.
  util::Guarded<std::map<Query, Waiting>> waiting_;
};

}  // namespace todo::live

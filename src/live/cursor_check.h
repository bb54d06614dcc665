#pragma once

#include <cstddef>
#include <memory>
#include <set>
#include <vector>

#include "domain/ids.h"
#include "live/audiences.h"
#include "live/counters.h"
#include "live/outage_log.h"
#include "live/watch.h"
#include "ports/live_log.h"
#include "util/guarded.h"

namespace todo::live {

/// Compares the cursors of watches with the log: finds updates that the bus lost, and databases
/// that were set back. One query for all watches; watches of one user with the same cursor are
/// asked about once.
/// Thread safety: Ask and has_asked any thread; the others by one thread. They block on the
/// database.
class CursorCheck {
 public:
  /// All must outlive this.
  CursorCheck(ports::LiveLog& log, Audiences& audiences, Counters& counters, OutageLog& outages);

  /// The next check is to look at this user. Never blocks.
  void Ask(const domain::UserId& user) { asked_.Lock()->insert(user); }
  bool has_asked() { return !asked_.Lock()->empty(); }

  /// Also sends the signs of life that are due, before and after the query.
  void CheckAll();
  /// Checks the users for whom Ask was called. Watches with a doubtful result are asked for again.
  void CheckAsked();

 private:
  struct Subject {
    std::shared_ptr<Watch> watch;
    std::size_t index = 0;  // into the cursors
  };
  static void KeepAlive(const std::vector<Audiences::List>& audiences, bool head_may_come);
  void Check(const std::vector<Audiences::List>& audiences);
  void CheckChunk(const std::vector<ports::CursorOfUser>& cursors,
                  const std::vector<Subject>& subjects);

  ports::LiveLog& log_;
  Audiences& audiences_;
  Counters& counters_;
  OutageLog& outages_;
  util::Guarded<std::set<domain::UserId>> asked_;
};

}  // namespace todo::live

#pragma once

#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <thread>

#include "util/cancellation.h"

namespace todo::store {

class ConnectionPool;
struct Session;

/// Asks the server to cancel statements that nobody waits for any more, or that take longer than
/// they may. Such a statement fails with SQLSTATE 57014, and its connection stays usable. If the
/// server cannot be asked, the statement ends by the session's statement_timeout.
/// Owned by the pool; must outlive its sessions. From the first statement to look after it has a
/// thread, which the destructor joins, and from the first request a connection of its own. The
/// library's way to cancel opens a connection for each request, and a server that hangs would
/// hold it up for ever.
/// Thread safety: all methods may be called from many threads at once.
class StatementCanceller {
 public:
  /// Why a statement was cancelled.
  enum class Cause { kCallerGone, kDeadline, kTimeLimit };

  explicit StatementCanceller(std::string conninfo);
  ~StatementCanceller();
  StatementCanceller(const StatementCanceller&) = delete;
  StatementCanceller& operator=(const StatementCanceller&) = delete;

  /// Looks after the statements of one session as long as it lives. Belongs to the session's
  /// thread. The destructor waits for a request to cancel that is on its way, so that the request
  /// cannot hit a later statement of the session.
  class Guard {
   public:
    /// Statements may run until `limit`, and as long as the caller of `cancellation` waits. All
    /// three must outlive the guard.
    Guard(StatementCanceller& canceller, Session& session, const util::Cancellation& cancellation,
          std::chrono::steady_clock::time_point limit);
    ~Guard();
    Guard(const Guard&) = delete;
    Guard& operator=(const Guard&) = delete;

    /// Why statements are to end, now or earlier; nullopt: they may go on.
    std::optional<Cause> cause();

   private:
    friend class StatementCanceller;
    std::optional<Cause> CauseNow() const;

    StatementCanceller& canceller_;
    Session& session_;
    const util::Cancellation& cancellation_;
    const std::chrono::steady_clock::time_point limit_;
    std::optional<Cause> noted_;  // guarded by the canceller's mutex
    bool in_use_ = false;         // by the thread; likewise
  };

 private:
  void Run(const std::stop_token& stop);
  /// Leaves `lock` while it asks callers and the server.
  void CancelDue(std::unique_lock<std::mutex>& lock);
  /// Waits until the server has told its process to cancel, at most a few seconds. A failure only
  /// means that the statement goes on.
  void Cancel(int backend_pid);

  const std::string conninfo_;
  std::unique_ptr<ConnectionPool> connection_;  // used by the thread only
  std::mutex mutex_;
  std::condition_variable_any changed_;  // the first guard came, or one is no longer in use
  std::set<Guard*> guards_;              // guarded by mutex_
  std::jthread thread_;                  // last: stops first
};

}  // namespace todo::store

#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "util/guarded.h"

namespace todo::store {

struct PoolOptions {
  int max_connections = 16;                       // > 0
  std::chrono::milliseconds acquire_wait{2'000};  // for a free connection when all are in use

  // Of each session. What a replica that froze or was cut off holds, it holds no longer than these
  // say, so they stay below the lease of a shard (relay).
  std::chrono::milliseconds connect_timeout{2'000};  // whole seconds, at least 2
  std::chrono::milliseconds statement_timeout{5'000};
  std::chrono::milliseconds lock_timeout{2'000};
  std::chrono::milliseconds idle_in_transaction_timeout{3'000};
  std::chrono::milliseconds tcp_user_timeout{3'000};  // sent and not acknowledged; both directions
  /// What a statement may take beyond `statement_timeout`, as seen from here; then the server is
  /// taken for frozen and the connection is given up. Without a statement timeout it waits for
  /// ever.
  std::chrono::milliseconds answer_margin{2'000};
  bool asynchronous_commit = false;  // for rows that must outlive the process but not the machine
  std::string application_name = "todo-service";  // as pg_stat_activity shows it
};

/// Counters since the start, and gauges.
struct PoolStats {
  int open_count = 0;
  int in_use_count = 0;
  int waiting_count = 0;
  std::int64_t connected_count = 0;
  std::int64_t discarded_count = 0;
  std::int64_t exhausted_count = 0;  // waits that ran out
};

/// kInvalidArgument when `conninfo` (key=value or URI form) is not understood. Says why, without
/// the password.
absl::Status CheckConninfo(const std::string& conninfo);

/// `conninfo` with the settings of `options` added, whatever server, database and role say: a
/// commit that was answered is on disk (unless `asynchronous_commit`), for one. What `conninfo`
/// says itself about a setting stays, but for isolation (read committed: a statement sees what was
/// committed while its transaction waited for a lock) and the forms of times. Precondition:
/// CheckConninfo is OK; otherwise it is returned as it is.
std::string ConninfoWith(const std::string& conninfo, const PoolOptions& options);

struct Session;
class StatementWatch;

/// A bounded set of database connections. They are made when first needed; one that was lost is
/// replaced when the next is needed, never behind the caller's back. It is not a queue: who waits
/// longer than `acquire_wait` is told. Owned by the app; must outlive every store made on it and
/// every Lease. Thread safety: all methods may be called from many threads at once; a Lease belongs
/// to one thread at a time.
class ConnectionPool {
 public:
  /// A connection for the time of one unit of work. Gives it back, or discards it when it was lost.
  class Lease {
   public:
    Lease(ConnectionPool& pool, std::unique_ptr<Session> session);
    Lease(Lease&&) noexcept;
    Lease& operator=(Lease&&) = delete;
    ~Lease();

    Session& session() { return *session_; }
    /// Maps the exception in flight (StatusOfCurrentException) and takes note of what it says about
    /// the connection and the database.
    absl::Status Failed(std::string_view attempted);
    /// Takes note that the database answered.
    void Succeeded();
    /// True after Failed, when the connection is of no use any more.
    bool lost() const { return lost_; }

   private:
    ConnectionPool* pool_;
    std::unique_ptr<Session> session_;
    bool lost_ = false;
  };

  explicit ConnectionPool(std::string conninfo, PoolOptions options = {});
  /// Precondition: all leases are gone.
  ~ConnectionPool();
  ConnectionPool(const ConnectionPool&) = delete;
  ConnectionPool& operator=(const ConnectionPool&) = delete;

  /// A connection; blocks until one is free or made, at most `acquire_wait` and the time that
  /// connecting takes. kResourceExhausted: all are in use: load, not health. kUnavailable: no
  /// connection could be made. kInvalidArgument: the connection string.
  absl::StatusOr<Lease> Acquire();
  /// The same, but waits for a free one only until `deadline`.
  absl::StatusOr<Lease> Acquire(std::chrono::steady_clock::time_point deadline);

  /// One round trip, for health checks. Statuses as Acquire, and kDeadlineExceeded.
  absl::Status Ping();

  /// When the database last did what was asked over one of the connections.
  std::chrono::steady_clock::time_point last_answer() const { return last_answer_; }

  PoolStats stats();
  const PoolOptions& options() const { return options_; }

 private:
  struct State {
    std::vector<std::unique_ptr<Session>> idle;  // the last one was used last
    PoolStats stats;
    bool reachable = true;
  };

  void GiveBack(std::unique_ptr<Session> session, bool lost);
  absl::StatusOr<std::unique_ptr<Session>> Connect();

  const std::string conninfo_;
  const PoolOptions options_;
  const std::unique_ptr<StatementWatch> watch_;  // outlives the sessions
  util::Guarded<State> state_;
  std::condition_variable freed_;
  std::atomic<int> timeouts_in_a_row_{0};  // statements, over all connections
  std::atomic<std::chrono::steady_clock::time_point> last_answer_{};
};

}  // namespace todo::store

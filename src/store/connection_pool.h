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
#include "util/histogram.h"

namespace todo::store {

struct PoolOptions {
  int max_connections = 16;                       // > 0
  std::chrono::milliseconds acquire_wait{2'000};  // for a free connection when all are in use

  // Of each session. A replica that froze or was cut off holds its locks no longer than these say,
  // so they stay below the lease of a shard (relay).
  std::chrono::milliseconds connect_timeout{2'000};  // whole seconds, at least 2
  std::chrono::milliseconds statement_timeout{5'000};
  std::chrono::milliseconds lock_timeout{2'000};
  std::chrono::milliseconds idle_in_transaction_timeout{3'000};
  std::chrono::milliseconds tcp_user_timeout{3'000};  // sent and not acknowledged; both directions
  /// How much longer than `statement_timeout` a statement may take, as measured here. After that
  /// the server counts as frozen, and the connection is given up. With `statement_timeout` zero
  /// there is no limit.
  std::chrono::milliseconds answer_margin{2'000};
  bool asynchronous_commit = false;  // for rows that must outlive the process but not the machine
  std::string application_name = "todo-service";  // as pg_stat_activity shows it
};

/// Counters since the start, and gauges.
struct PoolStats {
  int open_count = 0;
  int in_use_count = 0;
  int waiting_count = 0;
  int max_count = 0;
  std::int64_t connected_count = 0;
  std::int64_t discarded_count = 0;
  std::int64_t exhausted_count = 0;  // waits that ran out
  util::HistogramValues waits;       // for a free connection; most take no time
};

/// kInvalidArgument: the database library does not understand `conninfo` (key=value or URI form).
/// The message says why, without the password.
absl::Status CheckConninfo(const std::string& conninfo);

/// `conninfo` with the settings of `options` added. They override those of server, database and
/// role: for example, a commit is on disk before it is answered (unless `asynchronous_commit`).
/// Settings in `conninfo` itself stay, with two exceptions: isolation (read committed, so that a
/// statement sees everything that was committed while its transaction waited for a lock) and the
/// format of times. Precondition: CheckConninfo is OK; otherwise `conninfo` is returned unchanged.
std::string ConninfoWith(const std::string& conninfo, const PoolOptions& options);

struct Session;
class StatementCanceller;
class StatementWatch;

/// A bounded set of database connections. Acquire makes a connection when none is free, also in
/// place of one that was lost; nothing reconnects in the background. Waiting is bounded: Acquire
/// fails with kResourceExhausted after `acquire_wait`. Owned by the app; must outlive every store
/// made on it and every Lease.
/// Thread safety: all methods may be called from many threads at once; a Lease belongs to one
/// thread at a time. Acquire and Ping block.
class ConnectionPool {
 public:
  /// A connection for one unit of work. The destructor gives it back, or discards it when it was
  /// lost.
  class Lease {
   public:
    Lease(ConnectionPool& pool, std::unique_ptr<Session> session);
    Lease(Lease&&) noexcept;
    Lease& operator=(Lease&&) = delete;
    ~Lease();

    Session& session() { return *session_; }
    /// The status of the exception in flight (StatusOfCurrentException). Notes whether the
    /// connection is lost and whether the database is in trouble.
    absl::Status Failed(std::string_view attempted);
    /// Notes that the database answered.
    void Succeeded();
    /// Whether the connection can no longer be used. Known after Failed.
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

  /// A connection. Blocks until one is free or made: at most `acquire_wait` and the time that
  /// connecting takes. kResourceExhausted: all connections are in use, which is load and not an
  /// outage. kUnavailable: no connection could be made. kInvalidArgument: the connection string is
  /// wrong.
  absl::StatusOr<Lease> Acquire();
  /// Like Acquire(), but waits for a free connection only until `deadline`.
  absl::StatusOr<Lease> Acquire(std::chrono::steady_clock::time_point deadline);

  /// One round trip, for health checks. Statuses as Acquire, and kDeadlineExceeded.
  absl::Status Ping();

  /// When a statement over one of the connections last succeeded.
  std::chrono::steady_clock::time_point last_answer() const { return last_answer_; }

  /// Notes that the database answered over a connection outside of the pool.
  void NoteAnswer();

  PoolStats stats();
  /// With all settings of a session; holds the password.
  const std::string& conninfo() const { return conninfo_; }
  const PoolOptions& options() const { return options_; }
  StatementCanceller& canceller() { return *canceller_; }

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
  const std::unique_ptr<StatementWatch> watch_;  // this and the next outlive the sessions
  const std::unique_ptr<StatementCanceller> canceller_;
  util::Guarded<State> state_;
  std::condition_variable freed_;
  util::Histogram waits_;
  std::atomic<int> timeouts_in_a_row_{0};  // statements, over all connections
  std::atomic<std::chrono::steady_clock::time_point> last_answer_{};
};

}  // namespace todo::store

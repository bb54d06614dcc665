#pragma once

#include <libpq-fe.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <optional>
#include <pqxx/pqxx>
#include <set>
#include <stdexcept>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "domain/event/event.h"
#include "store/connection_pool.h"
#include "store/statement_canceller.h"
#include "store/statement_watch.h"
#include "util/cancellation.h"
#include "util/status.h"

// Inside the room only: the use of the database library.

namespace todo::store {

/// A connection of libpqxx that also gives out that of libpq, for what libpqxx 6.4 cannot do.
class Connection : public pqxx::connection_base {
 public:
  explicit Connection(const std::string& conninfo)
      : pqxx::connection_base(policy_), policy_(conninfo) {
    init();
  }
  ~Connection() noexcept { close(); }

  /// To be used between statements of libpqxx only.
  PGconn* raw() const { return policy_.raw; }

 private:
  struct Policy : pqxx::connect_direct {
    using pqxx::connect_direct::connect_direct;
    handle do_startconnect(handle from) override {
      return raw = pqxx::connect_direct::do_startconnect(from);
    }
    handle raw = nullptr;
  };

  Policy policy_;
};

/// One connection. Belongs to one thread at a time, but `waiting_time`, `socket` and `backend_pid`
/// may be used from any thread. The constructor throws.
struct Session {
  Session(const std::string& conninfo, StatementWatch& statement_watch);
  ~Session();
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  /// To be called when a statement goes to the server.
  void StartWaiting() {
    waiting_since = std::chrono::steady_clock::now().time_since_epoch().count();
  }
  void StopWaiting() { waiting_since = 0; }
  /// The time since the last StartWaiting; zero: no statement is under way.
  std::chrono::steady_clock::duration waiting_time() const;
  /// A socket of the connection. Its number is not reused while the session lives, whatever the
  /// library does with its own descriptor.
  int socket() const { return watched_socket; }
  Connection connection;
  pqxx::quiet_errorhandler quiet;  // notices are not for our stderr
  StatementWatch& watch;
  std::atomic<std::chrono::steady_clock::rep> waiting_since{0};
  /// The statements have a limit besides the session's, so their timeouts say nothing about the
  /// database.
  bool has_own_limit = false;
  int watched_socket = -1;
  std::set<std::string_view> pipelined;  // statements that SendTogether has prepared
  std::atomic<int> backend_pid{0};       // the server's process; 0: not asked for yet
};

/// A statement. A session prepares it when it first uses it. `name` is unique in the room.
struct Statement {
  const char* name;
  const char* sql;
};

/// Throws on text with a NUL character: the library would silently bind only the text before it.
template <typename T>
void RefuseNul(const T& argument) {
  if constexpr (std::is_convertible_v<const T&, std::string_view>) {
    if (std::string_view(argument).find('\0') != std::string_view::npos)
      throw std::invalid_argument("NUL in text");
  }
}
template <typename T>
void RefuseNul(const std::optional<T>& argument) {
  if (argument) RefuseNul(*argument);
}

template <typename... Args>
pqxx::result Exec(pqxx::transaction_base& transaction, const std::string& name,
                  const std::string& sql, const Args&... args) {
  (RefuseNul(args), ...);
  transaction.conn().prepare(name, sql);
  return transaction.exec_prepared(name, args...);
}
template <typename... Args>
pqxx::result Exec(pqxx::transaction_base& transaction, const Statement& statement,
                  const Args&... args) {
  return Exec(transaction, std::string(statement.name), std::string(statement.sql), args...);
}

/// Runs a statement without preparing it: the server plans it for these arguments each time.
template <typename... Args>
pqxx::result ExecOnce(pqxx::transaction_base& transaction, const std::string& sql,
                      const Args&... args) {
  (RefuseNul(args), ...);
  return transaction.exec_params(sql, args...);
}

inline std::string_view View(const pqxx::field& field) { return {field.c_str(), field.size()}; }

/// Runs `work(pqxx::connection_base&)`, which answers a status or StatusOr, and turns exceptions
/// into a status. Work of more than a few statements calls StartWaiting before each of them.
template <typename Work>
auto Run(ConnectionPool::Lease& lease, std::string_view attempted, Work&& work)
    -> std::invoke_result_t<Work, pqxx::connection_base&> {
  Session& session = lease.session();
  session.StartWaiting();
  try {
    auto result = std::forward<Work>(work)(session.connection);
    session.StopWaiting();
    if (result.ok()) lease.Succeeded();
    return result;
  } catch (...) {
    session.StopWaiting();
    return lease.Failed(attempted);
  }
}

/// Runs `work(pqxx::transaction_base&)` in autocommit; otherwise like Run.
template <typename Work>
auto Once(ConnectionPool::Lease& lease, std::string_view attempted, const Work& work)
    -> std::invoke_result_t<const Work&, pqxx::transaction_base&> {
  return Run(lease, attempted, [&](pqxx::connection_base& connection) {
    pqxx::nontransaction transaction(connection);
    return work(transaction);
  });
}
template <typename Work>
auto Once(ConnectionPool& pool, std::string_view attempted, const Work& work)
    -> std::invoke_result_t<const Work&, pqxx::transaction_base&> {
  TODO_ASSIGN_OR_RETURN(ConnectionPool::Lease lease, pool.Acquire());
  return Once(lease, attempted, work);
}

/// Like Once, for work that only reads: runs it once more when the connection was lost in it.
template <typename Work>
auto Read(ConnectionPool& pool, std::string_view attempted, const Work& work)
    -> std::invoke_result_t<const Work&, pqxx::transaction_base&> {
  for (bool again = false;; again = true) {
    TODO_ASSIGN_OR_RETURN(ConnectionPool::Lease lease, pool.Acquire());
    auto result = Once(lease, attempted, work);
    if (again || !absl::IsUnavailable(result.status()) || !lease.lost()) return result;
  }
}

/// Asks for the session's `backend_pid`, unless it is known.
void LearnBackend(Session& session, pqxx::transaction_base& transaction);

/// The failure of a statement that was cancelled for `cause`: kCancelled, or kDeadlineExceeded with
/// a reason and a text for the caller.
absl::Status StatusOf(StatementCanceller::Cause cause);

/// Like Read, for work that may take long: it ends when the caller of `cancellation` waits no
/// longer, or when it takes longer than `time_limit` (nullopt: the pool's); StatusOf says how. Then
/// nothing is said about the database, and the connection stays usable.
template <typename Work>
auto ReadWhileWanted(ConnectionPool& pool, const util::Cancellation& cancellation,
                     std::optional<std::chrono::milliseconds> time_limit,
                     std::string_view attempted, const Work& work)
    -> std::invoke_result_t<const Work&, pqxx::transaction_base&> {
  using std::chrono::steady_clock;
  for (bool again = false;; again = true) {
    TODO_ASSIGN_OR_RETURN(
        ConnectionPool::Lease lease,
        pool.Acquire(
            std::min(cancellation.deadline, steady_clock::now() + pool.options().acquire_wait)));
    StatementCanceller::Guard guard(
        pool.canceller(), lease.session(), cancellation,
        time_limit ? steady_clock::now() + *time_limit : steady_clock::time_point::max());
    if (const auto cause = guard.cause()) return StatusOf(*cause);
    auto result = Once(lease, attempted, [&](pqxx::transaction_base& transaction) {
      LearnBackend(lease.session(), transaction);
      return work(transaction);
    });
    if (absl::IsDeadlineExceeded(result.status())) {
      if (const auto cause = guard.cause()) return StatusOf(*cause);
    }
    if (again || !absl::IsUnavailable(result.status()) || !lease.lost()) return result;
  }
}

/// Runs `work(pqxx::work&)` in a transaction that commits when `work` answers OK; otherwise like
/// Run.
template <typename Work>
auto Transact(ConnectionPool::Lease& lease, std::string_view attempted, const Work& work)
    -> std::invoke_result_t<const Work&, pqxx::work&> {
  return Run(
      lease, attempted,
      [&](pqxx::connection_base& connection) -> std::invoke_result_t<const Work&, pqxx::work&> {
        pqxx::work transaction(connection);
        auto result = work(transaction);
        if (!result.ok()) return result;
        lease.session().StartWaiting();
        transaction.commit();
        return result;
      });
}
template <typename Work>
auto Transact(ConnectionPool& pool, std::string_view attempted, const Work& work)
    -> std::invoke_result_t<const Work&, pqxx::work&> {
  TODO_ASSIGN_OR_RETURN(ConnectionPool::Lease lease, pool.Acquire());
  return Transact(lease, attempted, work);
}

/// The text form of an array parameter: every element quoted.
std::string ArrayLiteral(const std::vector<std::string>& elements);
template <typename Range, typename ToText>
std::string ArrayLiteralOf(const Range& range, ToText&& to_text) {
  std::vector<std::string> elements;
  elements.reserve(std::size(range));
  for (const auto& element : range) elements.push_back(std::string(to_text(element)));
  return ArrayLiteral(elements);
}

/// A change from the columns seq, event_id, kind, task_id, version, task_json, at (microseconds
/// since the epoch), traceparent and request_id, which start at `first`. kInternal: a column is not
/// as the service writes it.
absl::StatusOr<domain::Change> DecodeChange(const pqxx::row& row, pqxx::row::size_type first);

/// bytea in its text form.
std::string ByteaLiteral(std::string_view bytes);

}  // namespace todo::store

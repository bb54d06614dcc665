#include "store/connection_pool.h"

#include <fmt/format.h>
#include <libpq-fe.h>
#include <poll.h>

#include <algorithm>
#include <array>
#include <map>
#include <utility>

#include "store/session.h"
#include "store/sql_status.h"
#include "store/statement_canceller.h"
#include "store/statement_watch.h"
#include "util/log.h"
#include "util/status.h"

namespace todo::store {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

// So many statements that ran into their timeout, with none in between that did not, are the
// database's fault.
constexpr int kTimeoutsOfAnOutage = 3;

constexpr std::array<double, 8> kWaitBounds = {0.001, 0.005, 0.025, 0.1, 0.25, 0.5, 1.0, 2.0};

using ConninfoOptions = std::unique_ptr<PQconninfoOption, decltype(&PQconninfoFree)>;

ConninfoOptions Parse(const std::string& conninfo, std::string* error) {
  char* message = nullptr;
  ConninfoOptions options(PQconninfoParse(conninfo.c_str(), &message), &PQconninfoFree);
  if (message != nullptr) {
    *error = message;
    PQfreemem(message);
  }
  return options;
}

std::string Quoted(std::string_view value) {
  std::string quoted = "'";
  for (const char c : value) {
    if (c == '\'' || c == '\\') quoted.push_back('\\');
    quoted.push_back(c);
  }
  quoted.push_back('\'');
  return quoted;
}

/// An idle connection has nothing to say. If there is something to read, it is the end of the
/// connection.
bool WasClosedWhileIdle(const pqxx::connection_base& connection) {
  if (!connection.is_open()) return true;
  pollfd descriptor{connection.sock(), POLLIN, 0};
  return poll(&descriptor, 1, 0) != 0;
}

}  // namespace

absl::Status CheckConninfo(const std::string& conninfo) {
  std::string error;
  const ConninfoOptions options = Parse(conninfo, &error);
  if (options != nullptr) return absl::OkStatus();
  // The library quotes the part that it does not understand, and that may be a part of the
  // password.
  error = error.substr(0, error.find('"'));
  return util::MakeStatus(
      absl::StatusCode::kInvalidArgument,
      fmt::format("the connection string is not understood: {}… Its form is "
                  "postgresql://user:password@host:port/database or key=value pairs",
                  error));
}

std::string ConninfoWith(const std::string& conninfo, const PoolOptions& options) {
  std::string error;
  const ConninfoOptions parsed = Parse(conninfo, &error);
  if (parsed == nullptr) return conninfo;
  std::map<std::string, std::string> settings;
  for (const PQconninfoOption* option = parsed.get(); option->keyword != nullptr; ++option) {
    if (option->val != nullptr) settings[option->keyword] = option->val;
  }
  const auto connect_seconds =
      std::chrono::ceil<std::chrono::seconds>(options.connect_timeout).count();
  settings.emplace("connect_timeout",
                   fmt::format("{}", std::max<std::int64_t>(connect_seconds, 2)));
  settings.emplace("tcp_user_timeout", fmt::format("{}", options.tcp_user_timeout.count()));
  settings.emplace("keepalives_idle", "5");
  settings.emplace("keepalives_interval", "1");
  settings.emplace("keepalives_count", "3");
  settings.emplace("application_name", options.application_name);
  settings["client_encoding"] = "UTF8";
  // The last one counts, so what the connection string says goes after ours.
  settings["options"] = fmt::format(
      "-c statement_timeout={} -c lock_timeout={} -c idle_in_transaction_session_timeout={} -c "
      "tcp_user_timeout={} -c synchronous_commit={} -c jit=off -c client_min_messages=warning {} "
      "-c TimeZone=UTC -c DateStyle=ISO -c default_transaction_isolation=read\\ committed",
      options.statement_timeout.count(), options.lock_timeout.count(),
      options.idle_in_transaction_timeout.count(), options.tcp_user_timeout.count(),
      options.asynchronous_commit ? "off" : "on", settings["options"]);
  std::string result;
  for (const auto& [key, value] : settings) result += fmt::format("{}={} ", key, Quoted(value));
  return result;
}

ConnectionPool::Lease::Lease(ConnectionPool& pool, std::unique_ptr<Session> session)
    : pool_(&pool), session_(std::move(session)) {}

ConnectionPool::Lease::Lease(Lease&& other) noexcept = default;

ConnectionPool::Lease::~Lease() {
  if (session_ != nullptr) pool_->GiveBack(std::move(session_), lost_);
}

absl::Status ConnectionPool::Lease::Failed(std::string_view attempted) {
  absl::Status status = StatusOfCurrentException(attempted);
  if (!session_->connection.is_open()) {
    lost_ = true;
    if (!ConnectionIsLost(status)) {
      status =
          util::MakeStatus(absl::StatusCode::kUnavailable,
                           fmt::format("store: {}: the connection was lost; try again", attempted));
    }
  }
  lost_ = lost_ || ConnectionIsLost(status);
  if (status.code() == absl::StatusCode::kDeadlineExceeded) {
    if (session_->has_own_limit) return status;
    if (++pool_->timeouts_in_a_row_ >= kTimeoutsOfAnOutage) {
      return util::MakeStatus(
          absl::StatusCode::kUnavailable,
          fmt::format("store: {}: the database does not answer in time", attempted));
    }
  } else if (!lost_) {
    pool_->timeouts_in_a_row_ = 0;
  }
  return status;
}

void ConnectionPool::Lease::Succeeded() { pool_->NoteAnswer(); }

void ConnectionPool::NoteAnswer() {
  timeouts_in_a_row_ = 0;
  last_answer_ = steady_clock::now();
}

ConnectionPool::ConnectionPool(std::string conninfo, PoolOptions options)
    : conninfo_(ConninfoWith(conninfo, options)),
      options_(std::move(options)),
      watch_(
          std::make_unique<StatementWatch>(options_.statement_timeout > milliseconds(0)
                                               ? options_.statement_timeout + options_.answer_margin
                                               : milliseconds(0))),
      canceller_(std::make_unique<StatementCanceller>(std::move(conninfo))),
      waits_(kWaitBounds) {}

ConnectionPool::~ConnectionPool() = default;

absl::StatusOr<ConnectionPool::Lease> ConnectionPool::Acquire() {
  return Acquire(steady_clock::now() + options_.acquire_wait);
}

absl::StatusOr<ConnectionPool::Lease> ConnectionPool::Acquire(steady_clock::time_point deadline) {
  std::vector<std::unique_ptr<Session>> closed;  // destroyed without the lock
  std::unique_ptr<Session> session;
  const auto begin = steady_clock::now();
  {
    auto state = state_.Lock();
    const auto may_go_on = [&] {
      return !state->idle.empty() || state->stats.open_count < options_.max_connections;
    };
    ++state->stats.waiting_count;
    const bool had_one = freed_.wait_until(state.lock(), deadline, may_go_on);
    --state->stats.waiting_count;
    waits_.Note(std::chrono::duration_cast<std::chrono::microseconds>(steady_clock::now() - begin));
    if (!had_one) {
      ++state->stats.exhausted_count;
      return absl::ResourceExhaustedError(
          "store: all database connections are in use; try again later");
    }
    while (session == nullptr && !state->idle.empty()) {
      session = std::move(state->idle.back());
      state->idle.pop_back();
      if (!WasClosedWhileIdle(session->connection)) break;
      closed.push_back(std::move(session));
      --state->stats.open_count;
      ++state->stats.discarded_count;
    }
    ++state->stats.in_use_count;
    if (session == nullptr) ++state->stats.open_count;  // the place of the one to be made
  }
  if (session != nullptr) return Lease(*this, std::move(session));

  absl::StatusOr<std::unique_ptr<Session>> made = Connect();
  if (!made.ok()) {
    {
      auto state = state_.Lock();
      --state->stats.in_use_count;
      --state->stats.open_count;
    }
    freed_.notify_one();
    return std::move(made).status();
  }
  return Lease(*this, *std::move(made));
}

absl::StatusOr<std::unique_ptr<Session>> ConnectionPool::Connect() {
  TODO_RETURN_IF_ERROR(CheckConninfo(conninfo_));
  std::unique_ptr<Session> session;
  absl::Status status;
  std::string reason;
  try {
    session = std::make_unique<Session>(conninfo_, *watch_);
  } catch (const pqxx::broken_connection& error) {
    // Names host and user, never the password.
    reason = error.what();
    reason.erase(reason.find_last_not_of(" \n") + 1);
    status =
        util::MakeStatus(absl::StatusCode::kUnavailable, fmt::format("store: connect: {}", reason));
  } catch (...) {
    status = StatusOfCurrentException("connect");
  }
  bool turned = false;
  {
    auto state = state_.Lock();
    turned = state->reachable != status.ok();
    state->reachable = status.ok();
    if (status.ok()) ++state->stats.connected_count;
  }
  if (turned && status.ok()) util::Log(util::Severity::kInfo, "database_reachable");
  if (turned && !status.ok())
    util::Log(util::Severity::kWarning, "database_unreachable", {{"reason", reason}});
  if (!status.ok()) return status;
  return session;
}

void ConnectionPool::GiveBack(std::unique_ptr<Session> session, bool lost) {
  std::vector<std::unique_ptr<Session>> closed;  // destroyed without the lock
  {
    auto state = state_.Lock();
    --state->stats.in_use_count;
    if (lost) {
      // A failure that ended one connection has most likely ended the others too.
      closed = std::exchange(state->idle, {});
      closed.push_back(std::move(session));
      state->stats.open_count -= static_cast<int>(closed.size());
      state->stats.discarded_count += static_cast<std::int64_t>(closed.size());
    } else {
      state->idle.push_back(std::move(session));
    }
  }
  if (lost) {
    freed_.notify_all();
  } else {
    freed_.notify_one();
  }
}

absl::Status ConnectionPool::Ping() {
  TODO_ASSIGN_OR_RETURN(Lease lease, Acquire());
  return Run(lease, "ping", [](pqxx::connection_base& connection) {
    pqxx::nontransaction(connection).exec("select 1");
    return absl::OkStatus();
  });
}

PoolStats ConnectionPool::stats() {
  PoolStats stats = state_.Lock()->stats;
  stats.max_count = options_.max_connections;
  stats.waits = waits_.Read();
  return stats;
}

}  // namespace todo::store

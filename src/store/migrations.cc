#include "store/migrations.h"

#include <fmt/format.h>

#include <map>
#include <utility>

#include "embedded_migrations.h"
#include "store/connection_pool.h"
#include "store/session.h"
#include "util/log.h"
#include "util/status.h"

namespace todo::store {
namespace {

// A session lock: it spans the transactions, and goes with the connection. The number is ours
// alone.
constexpr char kLock[] = "select pg_advisory_lock(8387226530421)";

constexpr char kCreateTable[] = R"sql(
create table if not exists schema_migrations (
    version    int         primary key,
    name       text        not null,
    checksum   text        not null,
    applied_at timestamptz not null default now()
))sql";

constexpr char kApplied[] =
    "select version, name, checksum from schema_migrations order by version";
// Fails without ICU in PostgreSQL, and in a database of an encoding that ICU does not know.
constexpr char kUseIcu[] = "select 'a' < 'b' collate \"und-x-icu\"";
constexpr char kChecksum[] = "select encode(sha256(convert_to($1, 'UTF8')), 'hex')";
constexpr char kRecord[] =
    "insert into schema_migrations (version, name, checksum) values ($1, $2, $3)";

struct Applied {
  std::string name;
  std::string checksum;
};

absl::Status CheckIcu(pqxx::connection& connection) {
  try {
    pqxx::nontransaction(connection).exec(kUseIcu);
    return absl::OkStatus();
  } catch (const pqxx::sql_error& error) {
    constexpr std::string_view kUndefined = "42704";
    constexpr std::string_view kNotSupported = "0A000";
    if (error.sqlstate() != kUndefined && error.sqlstate() != kNotSupported) throw;
    return util::MakeStatus(
        absl::StatusCode::kFailedPrecondition,
        fmt::format("store: migrate: the database has no ICU collations, by which titles are "
                    "sorted (SQLSTATE {}): use a PostgreSQL that was built with ICU, as the "
                    "packages of all distributions are, and a database of encoding UTF8",
                    error.sqlstate()));
  }
}

absl::Status Apply(Session& session) {
  pqxx::connection& connection = session.connection;
  TODO_RETURN_IF_ERROR(CheckIcu(connection));
  pqxx::nontransaction(connection).exec(kLock);
  pqxx::nontransaction(connection).exec(kCreateTable);

  std::map<int, Applied> applied;
  for (const pqxx::row& row : pqxx::nontransaction(connection).exec(kApplied)) {
    applied.emplace(row[0].as<int>(), Applied{row[1].as<std::string>(), row[2].as<std::string>()});
  }

  const std::vector<db::Migration>& known = db::EmbeddedMigrations();
  const int newest = known.empty() ? 0 : known.back().version;
  if (!applied.empty() && applied.rbegin()->first > newest) {
    return util::MakeStatus(
        absl::StatusCode::kFailedPrecondition,
        fmt::format("store: migrate: the database is at version {} ({}), this program knows "
                    "versions up to {}: run "
                    "the newer program, or restore the database from a backup of its version",
                    applied.rbegin()->first, applied.rbegin()->second.name, newest));
  }

  for (const db::Migration& migration : known) {
    const std::string sql(migration.sql);
    const std::string name(migration.name);
    const auto checksum =
        pqxx::nontransaction(connection).exec_params1(kChecksum, sql)[0].as<std::string>();
    if (const auto found = applied.find(migration.version); found != applied.end()) {
      if (found->second.checksum == checksum) continue;
      return util::MakeStatus(
          absl::StatusCode::kFailedPrecondition,
          fmt::format(
              "store: migrate: the database was made with another text of migration {} (its name "
              "then: {}): "
              "run the program that made it, or put the old text back and add a new migration",
              name, found->second.name));
    }
    session.StartWaiting();
    pqxx::work transaction(connection);
    transaction.exec(sql);
    transaction.exec_params0(kRecord, migration.version, name, checksum);
    transaction.commit();
    util::Log(util::Severity::kInfo, "migration_applied", {{"name", migration.name}});
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status Migrate(const std::string& conninfo, const MigrationOptions& options) {
  PoolOptions session;
  session.max_connections = 1;
  session.application_name = "todo-service migrations";
  session.lock_timeout = options.lock_wait;
  // The wait for the lock is a statement, too.
  session.statement_timeout =
      std::max(options.statement_timeout, options.lock_wait + std::chrono::seconds(1));
  ConnectionPool pool(conninfo, session);
  TODO_ASSIGN_OR_RETURN(ConnectionPool::Lease lease, pool.Acquire());
  return Run(lease, "migrate", [&](pqxx::connection&) { return Apply(lease.session()); });
}

}  // namespace todo::store

#include "store/migrations.h"

#include <fmt/format.h>

#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "embedded_schema.h"
#include "store/connection_pool.h"
#include "store/session.h"
#include "util/log.h"
#include "util/status.h"

namespace todo::store {
namespace {

// A session lock: it spans the transactions and ends with the connection. No other lock of the
// service has this number.
constexpr char kLock[] = "select pg_advisory_lock(8387226530421)";

// Before release 1 the table had no releases, and its migrations were others.
constexpr char kIsFromBeforeRelease1[] = R"sql(
select to_regclass('schema_migrations') is not null
   and not exists (select from pg_attribute
                   where attrelid = to_regclass('schema_migrations') and attname = 'release'
                     and not attisdropped))sql";

constexpr char kCreateTables[] = R"sql(
create table if not exists schema_migrations (
    version    int         primary key,
    name       text        not null,
    release    int         not null,
    checksum   text        not null,
    applied_at timestamptz not null default now()
);
create table if not exists schema_functions (
    name       text        primary key,
    release    int         not null,
    checksum   text        not null,
    applied_at timestamptz not null default now()
))sql";

constexpr char kRelease[] = R"sql(
select coalesce(max(release), 0)
from (select release from schema_migrations union all select release from schema_functions) r)sql";
constexpr char kMigrations[] = "select version, name, checksum from schema_migrations";
constexpr char kFunctions[] = "select name, release, checksum from schema_functions";
// Fails without ICU in PostgreSQL, and in a database of an encoding that ICU does not know.
constexpr char kUseIcu[] = "select 'a' < 'b' collate \"und-x-icu\"";
constexpr char kChecksum[] = "select encode(sha256(convert_to($1, 'UTF8')), 'hex')";
constexpr char kRecordMigration[] =
    "insert into schema_migrations (version, name, release, checksum) values ($1, $2, $3, $4)";
// Function files name each other: their bodies are looked at when all are there.
constexpr char kDeferBodies[] = "set local check_function_bodies = off";
constexpr char kRecordFunction[] = R"sql(
insert into schema_functions (name, release, checksum) values ($1, $2, $3)
on conflict (name) do update
set release = excluded.release, checksum = excluded.checksum, applied_at = now())sql";

struct Applied {
  std::string name;
  std::string checksum;
};

struct AppliedFunction {
  int release;
  std::string checksum;
};

absl::Status Refuse(std::string_view why) {
  return util::MakeStatus(absl::StatusCode::kFailedPrecondition,
                          fmt::format("store: migrate: {}", why));
}

std::string ChecksumOf(pqxx::connection_base& connection, std::string_view sql) {
  return pqxx::nontransaction(connection)
      .exec_params1(kChecksum, std::string(sql))[0]
      .as<std::string>();
}

absl::Status CheckIcu(pqxx::connection_base& connection) {
  try {
    pqxx::nontransaction(connection).exec(kUseIcu);
    return absl::OkStatus();
  } catch (const pqxx::sql_error& error) {
    constexpr std::string_view kUndefined = "42704";
    constexpr std::string_view kNotSupported = "0A000";
    if (error.sqlstate() != kUndefined && error.sqlstate() != kNotSupported) throw;
    return Refuse(
        fmt::format("the database has no ICU collations, by which titles are sorted (SQLSTATE {}): "
                    "use a PostgreSQL that was built with ICU, as the packages of all "
                    "distributions are, and a database of encoding UTF8",
                    error.sqlstate()));
  }
}

/// Whether this binary may run on the database, and makes the tables that say what is applied.
absl::Status CheckRelease(pqxx::connection_base& connection, const db::Schema& schema) {
  if (pqxx::nontransaction(connection).exec1(kIsFromBeforeRelease1)[0].as<bool>()) {
    return Refuse(
        "the database was made before release 1 and cannot be brought up to date: save what you "
        "need of it (pg_dump), then start with an empty database (in a development stack: "
        "make run RUN_FLAGS=--fresh)");
  }
  pqxx::nontransaction(connection).exec(kCreateTables);
  const int release = pqxx::nontransaction(connection).exec1(kRelease)[0].as<int>();
  if (release <= schema.release + 1) return absl::OkStatus();
  return Refuse(
      fmt::format("the database is at release {} of the schema, this program is of release {} and "
                  "runs on a database one release ahead at most: run a program of release {} or "
                  "newer, or restore the database from a backup of release {}",
                  release, schema.release, release - 1, schema.release));
}

absl::Status ApplyMigrations(Session& session, const db::Schema& schema) {
  pqxx::connection_base& connection = session.connection;
  std::map<int, Applied> applied;
  for (const pqxx::row& row : pqxx::nontransaction(connection).exec(kMigrations)) {
    applied.emplace(row[0].as<int>(), Applied{row[1].as<std::string>(), row[2].as<std::string>()});
  }
  for (const db::Migration& migration : schema.migrations) {
    const std::string name(migration.name);
    const std::string checksum = ChecksumOf(connection, migration.sql);
    if (const auto found = applied.find(migration.version); found != applied.end()) {
      if (found->second.checksum == checksum) continue;
      return Refuse(
          fmt::format("the database was made with another text of migration {} (its name then: "
                      "{}): run the program that made it, or put the old text back and add a new "
                      "migration",
                      name, found->second.name));
    }
    session.StartWaiting();
    pqxx::work transaction(connection);
    transaction.exec(std::string(migration.sql));
    transaction.exec_params0(kRecordMigration, migration.version, name, migration.release,
                             checksum);
    transaction.commit();
    util::Log(util::Severity::kInfo, "migration_applied", {{"name", migration.name}});
  }
  return absl::OkStatus();
}

void ApplyFunctions(Session& session, const db::Schema& schema) {
  pqxx::connection_base& connection = session.connection;
  std::map<std::string, AppliedFunction, std::less<>> applied;
  for (const pqxx::row& row : pqxx::nontransaction(connection).exec(kFunctions)) {
    applied.emplace(row[0].as<std::string>(),
                    AppliedFunction{row[1].as<int>(), row[2].as<std::string>()});
  }
  std::vector<std::pair<const db::FunctionFile*, std::string>> changed;
  for (const db::FunctionFile& function : schema.functions) {
    std::string checksum = ChecksumOf(connection, function.sql);
    const auto found = applied.find(function.name);
    const bool is_newer = found != applied.end() && found->second.release > function.release;
    const bool is_there = found != applied.end() && found->second.release == function.release &&
                          found->second.checksum == checksum;
    if (!is_newer && !is_there) changed.emplace_back(&function, std::move(checksum));
  }
  if (changed.empty()) return;

  // All at once: no statement of a running program sees functions of two releases.
  session.StartWaiting();
  pqxx::work transaction(connection);
  transaction.exec(kDeferBodies);
  for (const auto& [function, checksum] : changed) {
    transaction.exec(std::string(function->sql));
    transaction.exec_params0(kRecordFunction, std::string(function->name), function->release,
                             checksum);
  }
  transaction.commit();
  util::Log(util::Severity::kInfo, "functions_applied", {{"files", changed.size()}});
}

absl::Status Apply(Session& session, const db::Schema& schema) {
  pqxx::connection_base& connection = session.connection;
  TODO_RETURN_IF_ERROR(CheckIcu(connection));
  pqxx::nontransaction(connection).exec(kLock);
  TODO_RETURN_IF_ERROR(CheckRelease(connection, schema));
  TODO_RETURN_IF_ERROR(ApplyMigrations(session, schema));
  ApplyFunctions(session, schema);
  return absl::OkStatus();
}

}  // namespace

absl::Status Migrate(const std::string& conninfo, const MigrationOptions& options) {
  return Migrate(conninfo, db::EmbeddedSchema(), options);
}

absl::Status Migrate(const std::string& conninfo, const db::Schema& schema,
                     const MigrationOptions& options) {
  PoolOptions session;
  session.max_connections = 1;
  session.application_name = "todo-service migrations";
  session.lock_timeout = options.lock_wait;
  // The wait for the lock is a statement, too.
  session.statement_timeout =
      std::max(options.statement_timeout, options.lock_wait + std::chrono::seconds(1));
  ConnectionPool pool(conninfo, session);
  TODO_ASSIGN_OR_RETURN(ConnectionPool::Lease lease, pool.Acquire());
  return Run(lease, "migrate",
             [&](pqxx::connection_base&) { return Apply(lease.session(), schema); });
}

}  // namespace todo::store

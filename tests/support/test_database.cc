#include "support/test_database.h"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <libpq-fe.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <cstdlib>
#include <map>
#include <pqxx/pqxx>
#include <random>
#include <stdexcept>
#include <thread>

#include "embedded_schema.h"
#include "store/migrations.h"
#include "util/log.h"

namespace todo::support {
namespace {

std::string EnvironmentVariable(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

std::string NewName() {
  static std::atomic<int> count{0};
  return fmt::format("todo_test_{}_{}_{:08x}", getpid(), ++count, std::random_device()());
}

/// The name of a database with the service's schema, made once on the server and copied for each
/// test, which takes a tenth of the time that the migrations take.
std::string MigratedPattern(const std::string& server) {
  std::string text;
  const db::Schema& schema = db::EmbeddedSchema();
  for (const db::Migration& migration : schema.migrations) text += migration.sql;
  for (const db::FunctionFile& function : schema.functions) text += function.sql;
  const std::string name = fmt::format("todo_test_pattern_{:016x}", std::hash<std::string>()(text));
  const std::string exists =
      fmt::format("select count(*) from pg_database where datname = '{}'", name);
  TestDatabase::Session session(server);
  if (session.Run(exists) == "1") return name;
  // Tests run side by side: one makes it, the others wait.
  session.Run("select pg_advisory_lock(hashtext('todo_test_pattern'))");
  if (session.Run(exists) == "1") return name;
  const std::string draft = name + "_draft";
  session.Run(fmt::format("drop database if exists {}", draft));
  session.Run(fmt::format("create database {}", draft));
  // A build that looks for leaks takes seconds to make a connection beside other work.
  const absl::Status status = store::Migrate(
      ConninfoSetting(ConninfoSetting(server, "dbname", draft), "connect_timeout", "60"));
  EXPECT_TRUE(status.ok()) << status;
  session.Run(fmt::format("alter database {} rename to {}", draft, name));
  return name;
}

}  // namespace

std::string ConninfoSetting(const std::string& conninfo, const std::string& key,
                            const std::string& value) {
  const std::unique_ptr<PQconninfoOption, decltype(&PQconninfoFree)> parsed(
      PQconninfoParse(conninfo.c_str(), nullptr), &PQconninfoFree);
  if (parsed == nullptr) return conninfo;
  std::map<std::string, std::string> settings;
  for (const PQconninfoOption* option = parsed.get(); option->keyword != nullptr; ++option) {
    if (option->val != nullptr) settings[option->keyword] = option->val;
  }
  settings[key] = value;
  std::string result;
  for (const auto& [name, text] : settings) {
    std::string quoted;
    for (const char c : text) {
      if (c == '\'' || c == '\\') quoted.push_back('\\');
      quoted.push_back(c);
    }
    result += fmt::format("{}='{}' ", name, quoted);
  }
  return result;
}

struct TestDatabase::Session::Connection {
  explicit Connection(const std::string& conninfo) : connection(conninfo), quiet(connection) {}
  pqxx::connection connection;
  pqxx::quiet_errorhandler quiet;
};

TestDatabase::Session::Session(const std::string& conninfo)
    : connection_(std::make_unique<Connection>(conninfo)) {}
TestDatabase::Session::~Session() = default;

std::string TestDatabase::Session::Run(const std::string& sql) {
  const pqxx::result result = pqxx::nontransaction(connection_->connection).exec(sql);
  if (result.empty() || result.columns() == 0 || result[0][0].is_null()) return {};
  return result[0][0].as<std::string>();
}

std::unique_ptr<TestDatabase> TestDatabase::Make(bool migrated) {
  const std::string server = EnvironmentVariable("TODO_TEST_DATABASE_URL");
  if (server.empty()) {
    // Not a failure beside the skipping: the test would then run, without its database.
    if (EnvironmentVariable("TODO_REQUIRE_POSTGRES") == "1") {
      throw std::runtime_error("TODO_TEST_DATABASE_URL is not set, and TODO_REQUIRE_POSTGRES=1");
    }
    return nullptr;
  }
  util::SetLogThreshold(util::Severity::kWarning);
  const std::string name = NewName();
  if (migrated) {
    const std::string pattern = MigratedPattern(server);
    Session(server).Run(fmt::format("create database {} template {}", name, pattern));
  } else {
    Session(server).Run("create database " + name);
  }
  return std::unique_ptr<TestDatabase>(new TestDatabase(server, name));
}

TestDatabase::TestDatabase(std::string server, std::string name)
    : server_(std::move(server)),
      name_(std::move(name)),
      conninfo_(ConninfoSetting(ConninfoSetting(server_, "dbname", name_), "options",
                                "-c synchronous_commit=off")) {}

TestDatabase::~TestDatabase() {
  try {
    session_.reset();
    Session(server_).Run("drop database " + name_ + " with (force)");
  } catch (const std::exception& error) {
    ADD_FAILURE() << "drop the test's database: " << error.what();
  }
}

std::string TestDatabase::Run(const std::string& sql) {
  if (session_ == nullptr) session_ = Open();
  return session_->Run(sql);
}

std::string TestDatabase::ConninfoThrough(std::uint16_t port) const {
  return ConninfoSetting(ConninfoSetting(conninfo_, "host", "127.0.0.1"), "port",
                         std::to_string(port));
}

std::uint16_t TestDatabase::ServerPort() {
  return static_cast<std::uint16_t>(std::stoi(Run("select inet_server_port()")));
}

bool TestDatabase::WaitUntil(const std::string& sql, const std::string& expected) {
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(60);
  while (Run(sql) != expected) {
    if (std::chrono::steady_clock::now() >= deadline) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
  return true;
}

}  // namespace todo::support

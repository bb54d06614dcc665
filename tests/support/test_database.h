#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace todo::support {

/// A fresh PostgreSQL database of its own, dropped at the end. Commits do not wait for the disk: a
/// test kills processes, not machines. The environment variable
/// TODO_TEST_DATABASE_URL names a server on which databases may be created. Thread safety: belongs
/// to one thread; `conninfo` may be read from many.
class TestDatabase {
 public:
  /// Null when there is no server: then the test is to be skipped. With TODO_REQUIRE_POSTGRES=1
  /// it throws instead, which ends the test as a failure. `migrated`: with the service's schema.
  static std::unique_ptr<TestDatabase> Make(bool migrated = true);
  ~TestDatabase();
  TestDatabase(const TestDatabase&) = delete;
  TestDatabase& operator=(const TestDatabase&) = delete;

  const std::string& conninfo() const { return conninfo_; }
  /// The same over a port of 127.0.0.1, for example that of a TcpProxy for `ServerPort`.
  std::string ConninfoThrough(std::uint16_t port) const;
  std::uint16_t ServerPort();

  /// Runs SQL on a session of its own and answers the first column of the first row; empty when
  /// there is none. Throws what the database says.
  std::string Run(const std::string& sql);
  /// Runs `sql` again and again until it answers `expected`; false when it does not within a
  /// minute.
  bool WaitUntil(const std::string& sql, const std::string& expected);

  /// A session that a test keeps open, for example with a transaction in it.
  class Session {
   public:
    explicit Session(const std::string& conninfo);
    ~Session();
    std::string Run(const std::string& sql);

   private:
    struct Connection;
    std::unique_ptr<Connection> connection_;
  };
  std::unique_ptr<Session> Open() { return std::make_unique<Session>(conninfo_); }

 private:
  TestDatabase(std::string server, std::string name);

  const std::string server_;
  const std::string name_;
  const std::string conninfo_;
  std::unique_ptr<Session> session_;
};

/// `conninfo` with `key` set to `value`.
std::string ConninfoSetting(const std::string& conninfo, const std::string& key,
                            const std::string& value);

}  // namespace todo::support

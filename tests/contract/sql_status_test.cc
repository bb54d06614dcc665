#include "store/sql_status.h"

#include <gtest/gtest.h>

#include <functional>
#include <pqxx/except>
#include <stdexcept>
#include <string>

#include "store/connection_pool.h"
#include "store/list_query.h"
#include "store/session.h"
#include "util/log.h"

namespace todo::store {
namespace {

using absl::StatusCode;

struct Row {
  const char* name;
  std::function<void()> thrower;
  StatusCode code;
  bool connection_is_lost = false;
};

std::function<void()> SqlError(const char* state) {
  return [state] { throw pqxx::sql_error("secret detail", "select secret", state); };
}

/// Each row of the table of errors.
std::vector<Row> Rows() {
  return {
      {"commit in doubt", [] { throw pqxx::in_doubt_error("secret"); }, StatusCode::kUnknown, true},
      {"completion unknown", [] { throw pqxx::statement_completion_unknown("secret"); },
       StatusCode::kUnknown, true},
      {"serialization", [] { throw pqxx::serialization_failure("secret"); }, StatusCode::kAborted},
      {"deadlock", [] { throw pqxx::deadlock_detected("secret"); }, StatusCode::kAborted},
      {"rollback", [] { throw pqxx::transaction_rollback("secret"); }, StatusCode::kAborted},
      {"lock not available", SqlError("55P03"), StatusCode::kAborted},
      {"broken connection", [] { throw pqxx::broken_connection("secret"); },
       StatusCode::kUnavailable, true},
      {"too many connections", [] { throw pqxx::too_many_connections("secret"); },
       StatusCode::kUnavailable, true},
      {"disk full", [] { throw pqxx::disk_full("secret"); }, StatusCode::kUnavailable, true},
      {"out of memory", [] { throw pqxx::out_of_memory("secret"); }, StatusCode::kUnavailable,
       true},
      {"class 08", SqlError("08006"), StatusCode::kUnavailable, true},
      {"class 53", SqlError("53400"), StatusCode::kUnavailable, true},
      {"admin shutdown", SqlError("57P01"), StatusCode::kUnavailable, true},
      {"starting up", SqlError("57P03"), StatusCode::kUnavailable, true},
      {"class 58", SqlError("58030"), StatusCode::kUnavailable, true},
      {"read only", SqlError("25006"), StatusCode::kUnavailable, true},
      {"unique", [] { throw pqxx::unique_violation("secret"); }, StatusCode::kAlreadyExists},
      {"unique, by state", SqlError("23505"), StatusCode::kAlreadyExists},
      {"foreign key", [] { throw pqxx::foreign_key_violation("secret"); },
       StatusCode::kFailedPrecondition},
      {"foreign key, by state", SqlError("23503"), StatusCode::kFailedPrecondition},
      {"statement timeout", SqlError("57014"), StatusCode::kDeadlineExceeded},
      {"check", [] { throw pqxx::check_violation("secret", "q", "23514"); }, StatusCode::kInternal},
      {"data", [] { throw pqxx::data_exception("secret", "q", "22021"); }, StatusCode::kInternal},
      {"syntax", [] { throw pqxx::syntax_error("no secret", "q", "42601"); },
       StatusCode::kInternal},
      {"sql error without a state", [] { throw pqxx::sql_error("secret"); }, StatusCode::kInternal},
      {"failure", [] { throw pqxx::failure("secret"); }, StatusCode::kInternal},
      {"usage", [] { throw pqxx::usage_error("usage"); }, StatusCode::kInternal},
      {"unexpected rows", [] { throw pqxx::unexpected_rows("rows"); }, StatusCode::kInternal},
      {"conversion", [] { throw pqxx::conversion_error("conversion"); }, StatusCode::kInternal},
      {"standard exception", [] { throw std::runtime_error("any"); }, StatusCode::kInternal},
      {"not an exception class", [] { throw 1; }, StatusCode::kInternal},
  };
}

TEST(SqlStatus, EachKindOfFailureHasItsCode) {
  util::SetLogThreshold(util::Severity::kError);
  for (const Row& row : Rows()) {
    absl::Status status;
    try {
      row.thrower();
    } catch (...) {
      status = StatusOfCurrentException("claim events");
    }
    EXPECT_EQ(status.code(), row.code) << row.name << ": " << status;
    EXPECT_EQ(ConnectionIsLost(status), row.connection_is_lost) << row.name;
    const std::string message(status.message());
    EXPECT_EQ(message.rfind("store: claim events: ", 0), 0u) << message;
    EXPECT_EQ(message.find("secret"), std::string::npos) << message;
  }
}

TEST(Literals, ArraysAndBytesAreQuoted) {
  EXPECT_EQ(ArrayLiteral({}), "{}");
  EXPECT_EQ(ArrayLiteral({"a", "", "NULL", R"(b"c\d{,})"}), R"({"a","","NULL","b\"c\\d{,}"})");
  EXPECT_EQ(ByteaLiteral(std::string("\0\x7f\xff", 3)), "\\x007fff");
  EXPECT_EQ(ContainsPattern(R"(50%_\)"), R"(%50\%\_\\%)");
}

TEST(Conninfo, BothFormsAreUnderstoodAndOthersRefused) {
  EXPECT_TRUE(CheckConninfo("postgresql://u:p@localhost:5432/db?sslmode=require").ok());
  EXPECT_TRUE(CheckConninfo("host=localhost dbname=db").ok());
  EXPECT_TRUE(CheckConninfo("").ok());
  for (const char* bad :
       {"nonsense", "host=a pass word=hunter2", "postgresql://u:hunter2@[::1/db"}) {
    const absl::Status status = CheckConninfo(bad);
    EXPECT_EQ(status.code(), StatusCode::kInvalidArgument) << bad;
    EXPECT_EQ(std::string(status.message()).find("hunter2"), std::string::npos) << status;
  }
}

TEST(Conninfo, ItsOwnSettingsStay) {
  const std::string text = ConninfoWith(
      "postgresql://u:p%27w@localhost/db?connect_timeout=9&options=-c%20lock_timeout%3D7",
      {.lock_timeout = std::chrono::milliseconds(1234)});
  EXPECT_NE(text.find("connect_timeout='9'"), std::string::npos) << text;
  EXPECT_NE(text.find("password='p\\'w'"), std::string::npos) << text;
  EXPECT_NE(text.find("application_name='todo-service'"), std::string::npos) << text;
  const auto ours = text.find("lock_timeout=1234");
  const auto theirs = text.find("lock_timeout=7");
  ASSERT_NE(ours, std::string::npos) << text;
  ASSERT_NE(theirs, std::string::npos) << text;
  EXPECT_LT(ours, theirs) << "the last one counts";
  EXPECT_TRUE(CheckConninfo(text).ok());
}

}  // namespace
}  // namespace todo::store

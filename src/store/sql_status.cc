#include "store/sql_status.h"

#include <fmt/format.h>

#include <exception>
#include <pqxx/except>
#include <string>

#include "util/log.h"
#include "util/status.h"

namespace todo::store {
namespace {

absl::Status Make(absl::StatusCode code, std::string_view attempted, std::string_view what) {
  return util::MakeStatus(code, fmt::format("store: {}: {}", attempted, what));
}

absl::Status Unavailable(std::string_view attempted) {
  return Make(absl::StatusCode::kUnavailable, attempted,
              "the database cannot be used now; try again later");
}

absl::Status Internal(std::string_view attempted, std::string_view sqlstate,
                      std::string_view detail) {
  util::Log(util::Severity::kError, "database_error",
            {{"attempted", attempted}, {"sqlstate", sqlstate}, {"detail", detail}});
  return Make(absl::StatusCode::kInternal, attempted, fmt::format("database error {}", sqlstate));
}

/// The first line of an error about the statement itself. Errors of other classes may quote data.
std::string_view SafeDetail(const pqxx::sql_error& error) {
  if (error.sqlstate().rfind("42", 0) != 0) return {};
  const std::string_view text = error.what();
  return text.substr(0, text.find('\n'));
}

absl::Status StatusOfSqlError(const pqxx::sql_error& error, std::string_view attempted) {
  const std::string& state = error.sqlstate();
  const auto is_class = [&state](std::string_view prefix) {
    return state.compare(0, prefix.size(), prefix) == 0;
  };
  // Connection lost; full; shutting down; the system below it; a standby.
  if (is_class("08") || is_class("53") || is_class("57P") || is_class("58") || state == "25006") {
    return Unavailable(attempted);
  }
  if (state == "55P03") {
    return Make(absl::StatusCode::kAborted, attempted,
                "others held a lock for too long; repeat the call");
  }
  if (state == "23505") return Make(absl::StatusCode::kAlreadyExists, attempted, "exists already");
  if (state == "23503")
    return Make(absl::StatusCode::kFailedPrecondition, attempted, "what it refers to is missing");
  if (state == "57014") {
    return Make(absl::StatusCode::kDeadlineExceeded, attempted, "took longer than a statement may");
  }
  return Internal(attempted, state, SafeDetail(error));
}

}  // namespace

absl::Status StatusOfCurrentException(std::string_view attempted) {
  // From the most special to the most general: in_doubt_error is a failure,
  // statement_completion_unknown is a transaction_rollback, too_many_connections is a
  // broken_connection, and all but the last two are no sql_error.
  try {
    throw;
  } catch (const pqxx::in_doubt_error&) {
    return Make(absl::StatusCode::kUnknown, attempted,
                "the connection was lost during the commit; repeat the call");
  } catch (const pqxx::statement_completion_unknown&) {
    return Make(absl::StatusCode::kUnknown, attempted, "the outcome is unknown; repeat the call");
  } catch (const pqxx::transaction_rollback&) {
    return Make(absl::StatusCode::kAborted, attempted,
                "gave way to another transaction; repeat the call");
  } catch (const pqxx::broken_connection&) {
    return Unavailable(attempted);
  } catch (const pqxx::insufficient_resources&) {
    return Unavailable(attempted);
  } catch (const pqxx::unique_violation&) {
    return Make(absl::StatusCode::kAlreadyExists, attempted, "exists already");
  } catch (const pqxx::foreign_key_violation&) {
    return Make(absl::StatusCode::kFailedPrecondition, attempted, "what it refers to is missing");
  } catch (const pqxx::sql_error& error) {
    return StatusOfSqlError(error, attempted);
  } catch (const std::exception& error) {
    // Misuse of the library, or an answer of an unexpected shape: never text of the database.
    return Internal(attempted, "none",
                    dynamic_cast<const pqxx::failure*>(&error) ? "" : error.what());
  } catch (...) {
    return Internal(attempted, "none", "an exception of an unknown type");
  }
}

bool ConnectionIsLost(const absl::Status& status) {
  return status.code() == absl::StatusCode::kUnavailable ||
         status.code() == absl::StatusCode::kUnknown;
}

}  // namespace todo::store

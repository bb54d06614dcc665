#include "store/session.h"

#include <unistd.h>

#include "store/row_values.h"

namespace todo::store {

Session::Session(const std::string& conninfo, StatementWatch& statement_watch)
    : connection(conninfo),
      quiet(connection),
      watch(statement_watch),
      watched_socket(dup(connection.sock())) {
  // A session that came back by itself would have lost the transaction it was in; the pool decides
  // instead.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"
  connection.inhibit_reactivation(true);
#pragma GCC diagnostic pop
  watch.Add(*this);
}

Session::~Session() {
  watch.Remove(*this);
  close(watched_socket);
}

std::chrono::steady_clock::duration Session::waiting_time() const {
  using std::chrono::steady_clock;
  const steady_clock::rep since = waiting_since;
  if (since == 0) return steady_clock::duration::zero();
  return steady_clock::now().time_since_epoch() - steady_clock::duration(since);
}

void LearnBackend(Session& session, pqxx::transaction_base& transaction) {
  if (session.backend_pid != 0) return;
  session.backend_pid = transaction.exec("select pg_backend_pid()")[0][0].as<int>();
  session.StartWaiting();
}

absl::Status StatusOf(StatementCanceller::Cause cause) {
  using Cause = StatementCanceller::Cause;
  switch (cause) {
    case Cause::kCallerGone: return absl::CancelledError("the call was cancelled");
    case Cause::kDeadline:
      return util::WithReason(
          absl::DeadlineExceededError("the deadline passed before the answer was found"),
          "DEADLINE_PASSED");
    case Cause::kTimeLimit: break;
  }
  return util::WithReason(
      absl::DeadlineExceededError("the search took too long: look for a longer or rarer text, or "
                                  "narrow it with other filters"),
      "SEARCH_TOO_SLOW");
}

std::string ArrayLiteral(const std::vector<std::string>& elements) {
  std::string literal = "{";
  for (const std::string& element : elements) {
    if (literal.size() > 1) literal.push_back(',');
    literal.push_back('"');
    for (const char c : element) {
      if (c == '"' || c == '\\') literal.push_back('\\');
      literal.push_back(c);
    }
    literal.push_back('"');
  }
  literal.push_back('}');
  return literal;
}

absl::StatusOr<domain::Change> DecodeChange(const pqxx::row& row, pqxx::row::size_type first) {
  domain::Change change;
  change.seq = row[first].as<std::int64_t>();
  const std::optional<domain::Uuid> event_id = domain::Uuid::Parse(View(row[first + 1]));
  const std::optional<domain::ChangeKind> kind = domain::ParseChangeKind(View(row[first + 2]));
  if (!event_id || !kind) return absl::InternalError("store: a stored change cannot be read");
  change.event_id = domain::EventId{*event_id};
  change.kind = *kind;
  change.task_id = domain::TaskId{row[first + 3].as<std::int64_t>()};
  change.version = row[first + 4].as<std::int64_t>();
  change.task_json = std::string(View(row[first + 5]));
  change.at = InstantOf(row[first + 6]);
  change.traceparent = std::string(View(row[first + 7]));
  if (!row[first + 8].is_null()) change.request_id = domain::RequestId{UuidOf(row[first + 8])};
  return change;
}

std::string ByteaLiteral(std::string_view bytes) {
  static constexpr char kHex[] = "0123456789abcdef";
  std::string literal = "\\x";
  for (const char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    literal.push_back(kHex[byte >> 4]);
    literal.push_back(kHex[byte & 0x0f]);
  }
  return literal;
}

}  // namespace todo::store

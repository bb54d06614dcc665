#include "store/pipeline.h"

#include <poll.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "store/binary_row_reader.h"
#include "store/session.h"

namespace todo::store {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

bool Failed(const PGresult* result) {
  const ExecStatusType status = PQresultStatus(result);
  return status != PGRES_TUPLES_OK && status != PGRES_COMMAND_OK;
}

}  // namespace

std::string_view PipelineRows::Text(int row, int column) const {
  return {PQgetvalue(result_.get(), row, column),
          static_cast<std::size_t>(PQgetlength(result_.get(), row, column))};
}

std::int64_t PipelineRows::Number(int row, int column) const { return NumberOf(Text(row, column)); }

Pipeline::Pipeline(PGconn* connection) : connection_(connection) {
  if (PQstatus(connection) != CONNECTION_OK || PQsetnonblocking(connection, 1) != 0 ||
      PQenterPipelineMode(connection) != 1) {
    lost_ = true;
  }
}

void Pipeline::Exit() {
  if (!lost_ && (PQexitPipelineMode(connection_) != 1 || PQsetnonblocking(connection_, 0) != 0))
    lost_ = true;
}

void Pipeline::Prepare(const Statement& statement) {
  Note(PQsendPrepare(connection_, statement.name, statement.sql, 0, nullptr));
}

void Pipeline::Send(const Statement& statement, std::initializer_list<std::string> parameters) {
  std::vector<const char*> texts;
  std::vector<int> lengths;
  for (const std::string& parameter : parameters) {
    texts.push_back(parameter.data());
    lengths.push_back(static_cast<int>(parameter.size()));
  }
  const std::vector<int> binary(parameters.size(), 1);
  Note(PQsendQueryPrepared(connection_, statement.name, static_cast<int>(texts.size()),
                           texts.data(), lengths.data(), binary.data(), 1));
}

void Pipeline::Send(const char* sql) {
  Note(PQsendQueryParams(connection_, sql, 0, nullptr, nullptr, nullptr, nullptr, 0));
}

absl::StatusOr<std::vector<PipelineRows>> Pipeline::Finish(steady_clock::time_point deadline) {
  Note(PQpipelineSync(connection_));
  std::vector<PipelineRows> answers;
  std::string failure;  // the SQLSTATE of the first
  for (bool ended = false;;) {
    const std::optional<PGresult*> next = lost_ ? std::nullopt : Next(deadline);
    // The end of a statement comes once.
    if (!next || (*next == nullptr && ended)) return Lost();
    ended = *next == nullptr;
    if (ended) continue;
    PipelineRows rows(*next);
    if (PQresultStatus(*next) == PGRES_PIPELINE_SYNC) break;
    if (PQstatus(connection_) == CONNECTION_BAD) return Lost();
    if (failure.empty() && Failed(*next)) {
      const char* state = PQresultErrorField(*next, PG_DIAG_SQLSTATE);
      failure = state == nullptr ? "none" : state;
      // A server that shuts down or ends the session says so first, and may have committed.
      if (failure.starts_with("57P")) return Lost();
    }
    answers.push_back(std::move(rows));
  }
  if (!failure.empty()) return absl::InternalError(failure);
  return answers;
}

std::optional<PGresult*> Pipeline::Next(steady_clock::time_point deadline) {
  PGconn* connection = connection_;
  for (;;) {
    const int unsent = PQflush(connection);
    if (unsent < 0) return std::nullopt;
    if (PQisBusy(connection) == 0) {
      PGresult* result = PQgetResult(connection);
      // Without a connection there is no end of what was sent, only nothing.
      if (result == nullptr && PQstatus(connection) == CONNECTION_BAD) return std::nullopt;
      return result;
    }
    const auto now = steady_clock::now();
    if (now >= deadline) return std::nullopt;
    const auto pause =
        std::min(std::chrono::ceil<milliseconds>(deadline - now), milliseconds(60'000));
    pollfd descriptor{PQsocket(connection),
                      static_cast<short>(unsent > 0 ? POLLIN | POLLOUT : POLLIN), 0};
    if (poll(&descriptor, 1, static_cast<int>(pause.count())) < 0 && errno != EINTR)
      return std::nullopt;
    if (PQconsumeInput(connection) == 0) return std::nullopt;
  }
}

void Pipeline::Note(int sent) { lost_ = lost_ || sent != 1; }

absl::Status Pipeline::Lost() {
  lost_ = true;
  return absl::UnavailableError("store: the connection of the batches is lost");
}

}  // namespace todo::store

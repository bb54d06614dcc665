#include "store/pipeline_connection.h"

#include <poll.h>

#include <utility>

#include "store/session.h"

namespace todo::store {

PipelineConnection::PipelineConnection(Connection connection)
    : Pipeline(connection.get()), connection_(std::move(connection)) {}

PipelineConnection::~PipelineConnection() = default;

absl::StatusOr<std::unique_ptr<PipelineConnection>> PipelineConnection::Open(
    const std::string& conninfo, std::span<const Statement> statements,
    std::chrono::steady_clock::time_point deadline) {
  std::unique_ptr<PipelineConnection> made(
      new PipelineConnection({PQconnectdb(conninfo.c_str()), &PQfinish}));
  if (made->lost()) return made->Lost();
  // Notices are not for our stderr.
  PQsetNoticeReceiver(
      made->connection_.get(), [](void* /*unused*/, const PGresult* /*notice*/) {}, nullptr);
  made->Send(kSettings);
  for (const Statement& statement : statements) made->Prepare(statement);
  if (const auto prepared = made->Finish(deadline); !prepared.ok()) return prepared.status();
  return made;
}

bool PipelineConnection::WasClosedWhileIdle() const {
  pollfd descriptor{PQsocket(connection_.get()), POLLIN, 0};
  return poll(&descriptor, 1, 0) != 0;
}

}  // namespace todo::store

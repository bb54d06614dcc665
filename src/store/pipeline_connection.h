#pragma once

#include <libpq-fe.h>

#include <chrono>
#include <memory>
#include <span>
#include <string>

#include "absl/status/statusor.h"
#include "store/pipeline.h"

// Inside the room only.

namespace todo::store {

/// A database connection that is a pipeline as long as it lives.
/// Thread safety: as Pipeline. Open blocks until its deadline at most, and as long as connecting
/// may take besides.
class PipelineConnection : public Pipeline {
 public:
  /// Connects and prepares `statements`. kUnavailable: there is no database, or it refuses.
  static absl::StatusOr<std::unique_ptr<PipelineConnection>> Open(
      const std::string& conninfo, std::span<const Statement> statements,
      std::chrono::steady_clock::time_point deadline);
  ~PipelineConnection();

  /// Whether the server ended the connection since the last Finish. Does not block.
  bool WasClosedWhileIdle() const;

 private:
  using Connection = std::unique_ptr<PGconn, decltype(&PQfinish)>;
  explicit PipelineConnection(Connection connection);

  const Connection connection_;
};

}  // namespace todo::store

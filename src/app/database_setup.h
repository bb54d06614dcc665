#pragma once

#include <functional>
#include <stop_token>
#include <string>

#include "absl/status/status.h"
#include "store/connection_pool.h"

namespace todo::app {

/// Brings the database to the state that this program needs, and keeps its tables in order.
/// Thread safety: used by one thread.
class DatabaseSetup {
 public:
  struct Parts {  // the pool must outlive this
    std::string database_url;
    store::ConnectionPool& clean_up;
    /// Steps between the migration and the first call, in this order. If a step fails, all steps
    /// are repeated from the first.
    std::function<absl::Status()> measure_clock;
    std::function<absl::Status()> recover;
  };
  explicit DatabaseSetup(Parts parts) : parts_(std::move(parts)) {}

  /// Makes the database ready; repeats that while the database is away. Blocks. kCancelled: `stop`
  /// was requested. kFailedPrecondition, kInvalidArgument, kInternal: this database cannot be used.
  absl::Status Prepare(const std::stop_token& stop);

  /// Makes room for coming events and deletes old rows every ten minutes, until `stop`. To be
  /// called after Prepare.
  void Keep(const std::stop_token& stop);

 private:
  absl::Status TryToPrepare();
  absl::Status MakeInboxDays();
  /// False: a part of it failed.
  bool KeepOnce(const std::stop_token& stop);
  /// Without the index the service works too, so a failure is only logged.
  void MakeSearchIndex();

  const Parts parts_;
};

}  // namespace todo::app

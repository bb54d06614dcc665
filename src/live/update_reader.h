#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

#include "absl/status/status.h"
#include "domain/event/bus_record.h"
#include "domain/event/update_reader.h"
#include "domain/ids.h"
#include "ports/record_handler.h"
#include "util/guarded.h"

namespace todo::live {

/// Takes the records of `task-updates` and publishes them to a feed. Every record is acknowledged:
/// an update on a screen is no effect that could be lost, because the feed notices what it lacks.
/// A record whose key names a user that is passed over is not read at all.
/// A record that cannot be read is counted, and logged (`live_update_malformed`) at most once a
/// minute. Thread safety: any thread; nothing blocks.
class UpdateReader final : public ports::RecordHandler {
 public:
  using Publish = std::function<void(domain::TaskUpdate)>;
  /// Whether nobody waits for the user's updates.
  using PassOver = std::function<bool(const domain::UserId& user)>;
  using SteadyClock = std::function<std::chrono::steady_clock::time_point()>;

  UpdateReader(Publish publish, PassOver pass_over,
               SteadyClock clock = std::chrono::steady_clock::now);

  std::vector<absl::Status> Process(const std::vector<domain::BusRecord>& records) override;

  /// Since the start.
  std::uint64_t malformed_count() { return state_.Lock()->malformed; }

 private:
  void NoteMalformed(const domain::BusRecord& record, const absl::Status& status);

  struct State {
    std::uint64_t malformed = 0;
    std::optional<std::chrono::steady_clock::time_point> logged_at;
  };
  const Publish publish_;
  const PassOver pass_over_;
  const SteadyClock clock_;
  util::Guarded<State> state_;
};

}  // namespace todo::live

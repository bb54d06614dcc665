#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "domain/time.h"
#include "ports/clock.h"
#include "util/guarded.h"

namespace todo::service {

/// The consumers that miss something other than the database, such as the state store. Every 2 s
/// one event of such a consumer is tried, and the others wait in the retry queue.
/// Thread safety: all methods may be called from many threads at once. None blocks.
class PausedConsumers {
 public:
  /// `clock` must outlive it.
  explicit PausedConsumers(const ports::Clock& clock) : clock_(clock) {}

  /// Whether `consumer` may be tried now. A paused consumer's next try is 2 s later, unless Note
  /// says how this one ended.
  bool MayTry(std::string_view consumer);

  /// `status` is the outcome of EventConsumer::Prepare: a temporary failure pauses the consumer,
  /// anything else ends the pause. Both are logged.
  void Note(std::string_view consumer, const absl::Status& status);

  /// The members of `consumers` that may be tried now.
  std::vector<std::string> Active(const std::vector<std::string>& consumers) const;

  /// When the next paused consumer may be tried; nullopt: all may be tried now.
  std::optional<domain::Instant> NextTry() const;

 private:
  const ports::Clock& clock_;
  mutable util::Guarded<std::map<std::string, domain::Instant, std::less<>>> paused_until_;
};

}  // namespace todo::service

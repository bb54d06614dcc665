#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "ports/clock.h"
#include "ports/delivery_store.h"
#include "ports/notification_senders.h"
#include "service/notifications/channel_set.h"
#include "util/guarded.h"

namespace todo::service {

/// Makes deliveries: takes the lane whose turn it is, sends, and stores what became of it. A lane
/// that let us wait is served as a slow one from then on, until it answers quickly, so that slow
/// targets keep only each other waiting.
/// Thread safety: all methods may be called from many threads at once.
class DeliverySender {
 public:
  /// An answer that takes longer makes its lane a slow one.
  static constexpr std::chrono::milliseconds kQuick{2'000};
  /// Longer than any attempt takes. What is not finished by then is sent again, by anybody.
  static constexpr std::chrono::seconds kLease{90};

  /// All must outlive the sender.
  DeliverySender(ports::DeliveryStore& store, const ports::Clock& clock, ChannelSet& channels)
      : store_(store), clock_(clock), channels_(channels) {}

  /// Takes a lane to Send. nullopt: nothing is due, or the channels are not known yet. Blocks on
  /// the database.
  absl::StatusOr<std::optional<ports::LeasedLane>> Lease(ports::Pace pace);

  /// How long until a lane has its turn, if nothing is queued before. Zero or less: one is due and
  /// waits for others of its user or host. nullopt: nothing waits, or the channels are not known
  /// yet. Blocks on the database.
  absl::StatusOr<std::optional<std::chrono::microseconds>> UntilNextTurn(ports::Pace pace);

  /// Makes one attempt. Blocks on the target, as long as its sender's timeout.
  absl::Status Send(const ports::LeasedLane& leased);

  /// How many attempts so far, by channel and outcome.
  std::map<std::pair<std::string, std::string>, std::uint64_t> attempts() {
    return *attempts_.Lock();
  }

 private:
  /// Those that are on.
  std::vector<domain::Channel> Channels();

  ports::DeliveryStore& store_;
  const ports::Clock& clock_;
  ChannelSet& channels_;
  util::Guarded<std::map<std::pair<std::string, std::string>, std::uint64_t>> attempts_;
};

/// One attempt at what was leased, without storing anything. kRetry when the outlet is off.
ports::SendOutcome SendOnce(const ChannelSet::Known& channels, const ports::LeasedLane& leased,
                            domain::Instant now);

}  // namespace todo::service

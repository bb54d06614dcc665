#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "domain/notification/channel.h"
#include "ports/clock.h"
#include "ports/delivery_store.h"
#include "ports/notification_senders.h"
#include "service/notifications/channel_set.h"
#include "util/guarded.h"
#include "util/histogram.h"

namespace todo::service {

/// Sends the queued deliveries: leases the lane whose turn it is, makes one attempt, and stores its
/// outcome. The time of the answer gives the lane its pace for the next attempt.
/// Thread safety: all methods may be called from many threads at once.
class DeliverySender {
 public:
  /// An endpoint that takes this long to answer, or longer, makes its lane slow.
  static constexpr std::chrono::milliseconds kQuick{2'000};
  /// Longer than any attempt takes. Deliveries that are not finished by then may be sent again, by
  /// any replica.
  static constexpr std::chrono::seconds kLease{90};

  /// All must outlive the sender.
  DeliverySender(ports::DeliveryStore& store, const ports::Clock& clock, ChannelSet& channels);

  /// Leases a lane for Send. nullopt: no delivery is due, or the channels are not known yet. Blocks
  /// on the database; statuses are those of ports::DeliveryStore.
  absl::StatusOr<std::optional<ports::LeasedLane>> Lease(ports::Pace pace);

  /// The time until the next turn of a lane, unless a delivery is queued before. Zero or less: a
  /// lane is due and waits for other lanes of its user or host. nullopt: no delivery waits, or the
  /// channels are not known yet. Blocks on the database; statuses are those of
  /// ports::DeliveryStore.
  absl::StatusOr<std::optional<std::chrono::microseconds>> UntilNextTurn(ports::Pace pace);

  /// Makes one attempt at `leased` and stores its outcome. Blocks on the endpoint, at most as long
  /// as the sender's timeout, and on the database. On a failure nothing is stored: the deliveries
  /// are sent again when the lease has ended.
  absl::Status Send(const ports::LeasedLane& leased);

  /// The number of attempts since the start, by every channel and outcome.
  std::map<std::pair<std::string, std::string>, std::uint64_t> attempts() {
    return *attempts_.Lock();
  }
  /// How long the attempts took, by channel.
  std::map<std::string, util::HistogramValues> attempt_times() const;

 private:
  /// The channels that are on.
  std::vector<domain::Channel> ChannelsOn();

  ports::DeliveryStore& store_;
  const ports::Clock& clock_;
  ChannelSet& channels_;
  util::Guarded<std::map<std::pair<std::string, std::string>, std::uint64_t>> attempts_;
  std::map<domain::Channel, std::unique_ptr<util::Histogram>> attempt_times_;  // never changes
};

/// Makes one attempt at `leased` without storing its outcome. kRetry: the channel is off.
ports::SendOutcome SendOnce(const ChannelSet::Known& channels, const ports::LeasedLane& leased,
                            domain::Instant now);

}  // namespace todo::service

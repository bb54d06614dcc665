#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "domain/ids.h"
#include "domain/notification/channel.h"
#include "domain/notification/messages.h"
#include "domain/notification/schedule.h"
#include "domain/time.h"

namespace todo::ports {

/// Where deliveries wait: one target of one user, one attempt in flight.
struct DeliveryLane {
  domain::UserId user;
  domain::Channel channel = domain::Channel::kWebhook;
  domain::Uuid target;     // of e-mail: nil
  std::int64_t epoch = 0;  // of the lease
};

struct QueuedDelivery {
  domain::Uuid id;  // the same on every attempt
  int failures = 0;
  std::string body;                             // webhook
  std::optional<domain::DueReminder> reminder;  // e-mail, push
};

/// A lane whose turn it is, and what to send to its target now.
struct LeasedLane {
  DeliveryLane lane;
  std::string address;                     // URL, or e-mail address
  int secret_version = 0;                  // webhook
  int previous_secrets = 0;                // webhook: so many versions before sign too
  std::string p256dh;                      // push
  std::string auth;                        // push
  std::vector<QueuedDelivery> deliveries;  // one, or several that go out together
};

/// How a lane's target has answered the last time. Each kind is served by threads of its own.
enum class Pace { kQuick, kNew, kSlow };

enum class DeliveryState { kPending, kDelivered, kFailed };

/// What became of one delivery in an attempt.
struct DeliveryResult {
  domain::Uuid id;
  DeliveryState state = DeliveryState::kPending;
  domain::Instant due_at;  // kPending: when it is tried again
};

/// One attempt at the deliveries of a lane.
struct DeliveryAttempt {
  domain::Instant at;
  std::chrono::milliseconds took{0};
  std::string outcome;  // "delivered", "retry", "gone", "refused", "forbidden"
  int status_code = 0;
  std::string detail;
  std::optional<domain::Instant> paused_until;  // so long the target wants no calls at all
  std::vector<DeliveryResult> results;
};

/// The deliveries, for those who make them.
/// Thread safety: all methods may be called from many threads at once; they block on the database,
/// and can answer kUnavailable and the like (see TaskStore): then nothing was stored.
class DeliveryStore {
 public:
  virtual ~DeliveryStore() = default;

  /// Takes the lane that has waited longest among those of this `pace` that are due at `now` and
  /// whose channel is one of `channels`, until `until`. Of the quick lanes of a user two are out at
  /// a time, of the new ones and of the slow ones one each; of the new lanes of a host four, of the
  /// slow ones two. nullopt: nothing is due. Lanes whose target is gone or disabled are emptied on
  /// the way, and so are deliveries that waited too long, and mail and pushes about tasks that are
  /// completed or deleted by now.
  virtual absl::StatusOr<std::optional<LeasedLane>> Lease(
      Pace pace, const std::vector<domain::Channel>& channels, domain::Instant now,
      domain::Instant until) = 0;

  /// When the next lane of this `pace` with one of `channels` has its turn: it is due, and nobody's
  /// lease of it runs. A time that has passed: it waits for others of its user or host. nullopt:
  /// nothing waits.
  virtual absl::StatusOr<std::optional<domain::Instant>> NextTurn(
      Pace pace, const std::vector<domain::Channel>& channels) = 0;

  /// Stores what became of the attempt and gives the lane back; `slow`: it has let us wait. False:
  /// the lease was lost, or the target removed, and somebody else has decided.
  virtual absl::StatusOr<bool> Finish(const DeliveryLane& lane, const DeliveryAttempt& attempt,
                                      bool slow) = 0;

  /// The target of `leased` refuses everything for good: disables the webhook endpoint, removes the
  /// push subscription, forgets the e-mail address. What waits for it has failed. `reason` is for
  /// its user. Does nothing when the user has meanwhile given another URL or address.
  virtual absl::Status StopTarget(const LeasedLane& leased, const std::string& reason,
                                  domain::Instant now) = 0;
};

}  // namespace todo::ports

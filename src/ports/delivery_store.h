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

/// The queue of the deliveries to one endpoint of one user. At most one attempt is in flight.
struct DeliveryLane {
  domain::UserId user;
  domain::Channel channel = domain::Channel::kWebhook;
  domain::Uuid endpoint;   // id of the webhook endpoint or push subscription; e-mail: nil
  std::int64_t epoch = 0;  // of the lease
};

struct QueuedDelivery {
  domain::Uuid id;                              // the same on every attempt
  int failures = 0;                             // failed attempts so far
  std::string body;                             // webhook
  std::optional<domain::DueReminder> reminder;  // e-mail and push; nullopt: it was deleted since
  std::string traceparent = {};                 // W3C, of its event; empty: none
};

/// A lane whose turn it is, with its endpoint and the deliveries to send now.
struct LeasedLane {
  DeliveryLane lane;
  std::string address;                     // URL, or e-mail address
  int secret_version = 0;                  // webhook: version of the newest secret
  int previous_secrets = 0;                // webhook: how many older versions still sign
  std::string p256dh;                      // push
  std::string auth;                        // push
  std::vector<QueuedDelivery> deliveries;  // one, or several that go out as one message
};

/// How a lane's endpoint answered the last time. Each pace has threads of its own, so that slow
/// endpoints delay only each other.
enum class Pace {
  kQuick,
  kNew,  // no answer is known yet
  kSlow,
};

enum class DeliveryState { kPending, kDelivered, kFailed };

/// The state of one delivery after an attempt.
struct DeliveryResult {
  domain::Uuid id;
  DeliveryState state = DeliveryState::kPending;
  domain::Instant due_at;  // kPending: the time of the next attempt
};

/// One attempt at the deliveries of a lane.
struct DeliveryAttempt {
  domain::Instant at;
  std::chrono::milliseconds took{0};
  std::string outcome;  // "delivered", "retry", "gone", "refused", "forbidden"
  int status_code = 0;  // HTTP or SMTP; 0: there was no answer
  std::string detail;
  std::optional<domain::Instant> paused_until;  // the endpoint asked for no calls until then
  std::vector<DeliveryResult> results;
};

/// The queued deliveries, for the threads that send them.
/// Thread safety: all methods may be called from many threads at once. All block on the database.
/// Statuses such as kUnavailable are those of TaskStore; with them nothing was stored.
class DeliveryStore {
 public:
  virtual ~DeliveryStore() = default;

  /// Leases a lane until `until`: of the lanes of this `pace` and of `channels` that are due at
  /// `now`, the one that has waited longest. At most two quick lanes, one new lane and one slow
  /// lane of a user are leased at a time, and at most four new lanes and two slow lanes of a host.
  /// nullopt: no lane is due. On the way, lanes are emptied whose endpoint was removed or disabled;
  /// deliveries that have waited longer than domain::kMaxDeliveryAge fail, and so do mails and
  /// pushes about tasks that are completed or deleted by now.
  virtual absl::StatusOr<std::optional<LeasedLane>> Lease(
      Pace pace, const std::vector<domain::Channel>& channels, domain::Instant now,
      domain::Instant until) = 0;

  /// The time of the next turn of a lane of this `pace` and of `channels`: the lane is due and not
  /// leased. A time in the past: a lane waits for other lanes of its user or host. nullopt: no
  /// delivery waits.
  virtual absl::StatusOr<std::optional<domain::Instant>> NextTurn(
      Pace pace, const std::vector<domain::Channel>& channels) = 0;

  /// Stores an attempt and ends the lease. `pace` is the lane's from now on: kQuick or kSlow.
  /// False: the lease had ended or the endpoint was removed, and nothing was stored.
  virtual absl::StatusOr<bool> Finish(const DeliveryLane& lane, const DeliveryAttempt& attempt,
                                      Pace pace) = 0;

  /// Ends sending to the endpoint of `leased`, which refuses everything for good: disables the
  /// webhook endpoint, removes the push subscription or forgets the e-mail address. The deliveries
  /// that wait for it fail. `reason` is for its user. Does nothing when the user has meanwhile
  /// given another URL or address.
  virtual absl::Status StopEndpoint(const LeasedLane& leased, const std::string& reason,
                                    domain::Instant now) = 0;
};

}  // namespace todo::ports

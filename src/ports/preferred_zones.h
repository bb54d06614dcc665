#pragma once

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "domain/ids.h"
#include "domain/time.h"

namespace todo::ports {

/// The time zones of the users' preferences, copied from the state store to the database of the
/// tasks. A change of preferences is announced here before the state store gets it, and its zone is
/// kept here afterwards. A process that dies in between leaves an announcement, by which the copy
/// is repaired. Thread safety: all methods may be called from many threads at once. All block on
/// the database. Statuses such as kUnavailable are those of TaskStore.
class PreferredZones {
 public:
  virtual ~PreferredZones() = default;

  /// The zone that new tasks of `user` get. "UTC" until one was kept.
  virtual absl::StatusOr<std::string> ZoneOf(const domain::UserId& user) = 0;

  /// Preferences changed at `changed_at` may now be written to the state store. Repeating it is
  /// harmless.
  virtual absl::Status Announce(const domain::UserId& user, domain::Instant changed_at) = 0;

  /// Keeps the zone of the preferences that were changed at `changed_at`, unless the zone of later
  /// ones is kept. Ends the announcements up to `changed_at`. Repeating it is harmless.
  virtual absl::Status Keep(const domain::UserId& user, const std::string& time_zone,
                            domain::Instant changed_at) = 0;

  struct Announced {
    domain::UserId user;
    domain::Instant changed_at;  // of the latest announcement
  };
  /// At most `limit` users with an announcement that no Keep has ended, the oldest first.
  virtual absl::StatusOr<std::vector<Announced>> ListAnnounced(int limit) = 0;

  /// Ends an announcement whose preferences were never written. Does nothing when a later one was
  /// made since.
  virtual absl::Status Withdraw(const Announced& announced) = 0;
};

}  // namespace todo::ports

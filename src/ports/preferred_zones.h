#pragma once

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "domain/ids.h"
#include "domain/time.h"

namespace todo::ports {

/// In which zone users want their tasks: what their preferences say, copied to where the tasks are.
/// Thread safety: all methods may be called from many threads at once. All block on the database,
/// and can answer as TaskStore's.
class PreferredZones {
 public:
  virtual ~PreferredZones() = default;

  /// The zone last kept for `user`; "UTC" until there is one.
  virtual absl::StatusOr<std::string> ZoneOf(const domain::UserId& user) = 0;

  /// Keeps the zone of preferences that were changed at `changed_at`, unless that of later ones is
  /// there. Repeating it is harmless.
  virtual absl::Status Keep(const domain::UserId& user, const std::string& time_zone,
                            domain::Instant changed_at) = 0;
};

}  // namespace todo::ports

#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "api/mcp/method_calls.h"
#include "domain/time.h"
#include "domain/time_zone.h"
#include "ports/clock.h"

namespace todo::api::mcp {

/// The caller's clock and language, from the preferences, which are read when they are first
/// needed. Errors of reading are those of GetPreferences. Thread safety: one thread.
class UserProfile {
 public:
  /// Both must outlive this.
  UserProfile(const MethodCalls& methods, const ports::Clock& clock)
      : methods_(methods), clock_(clock) {}

  domain::Instant Now() const { return clock_.Now(); }
  /// UTC when the preferences name none.
  absl::StatusOr<domain::TimeZone> Zone();
  /// From now on `iana_name` is the zone. kInvalidArgument, for people: there is no such zone.
  absl::Status SetZone(std::string_view iana_name);
  /// The language in which words are compared, such as "english".
  absl::StatusOr<std::string> Language();

  /// The instant of "2026-11-27" (the start of the day), "2026-11-27T09:00", both in the zone, or
  /// "2026-11-27T09:00:00+01:00". kInvalidArgument, for people: another form.
  absl::StatusOr<domain::Instant> InstantOf(std::string_view text);

 private:
  absl::Status Read();

  const MethodCalls& methods_;
  const ports::Clock& clock_;
  std::optional<domain::TimeZone> zone_;
  std::optional<std::string> language_;
};

/// "2026-11-27T09:00:00+01:00": `instant` on a clock of `zone`.
std::string FormatInZone(domain::Instant instant, const domain::TimeZone& zone);

}  // namespace todo::api::mcp

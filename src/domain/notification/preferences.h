#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "domain/ids.h"
#include "domain/time.h"
#include "domain/wording.h"
#include "util/status.h"

// The preferences of a user: which channels, when, in which time zone, and how the user writes.

namespace todo::domain {

/// Hours of the day without e-mail and push, from `start` up to `end`, possibly over midnight.
struct QuietHours {
  std::chrono::seconds start{0};  // since midnight, on the clocks of `time_zone`
  std::chrono::seconds end{0};
  std::string time_zone;  // empty: the zone of the preferences

  bool operator==(const QuietHours&) const = default;
};

struct NotificationPreferences {
  bool in_app = true;
  bool webhook = true;
  bool email = true;
  bool push = true;
  std::optional<QuietHours> quiet_hours;  // of e-mail and push
  std::string time_zone = "UTC";          // IANA name
  Wording wording;
  /// Set by the service at each change, always later than the one before.
  Instant changed_at;

  bool operator==(const NotificationPreferences&) const = default;
};

/// Adds what is wrong to `violations`, with `prefix` before the names of the fields.
void CheckPreferences(const NotificationPreferences& preferences, std::string_view prefix,
                      std::vector<util::FieldViolation>& violations);

/// A change of some preferences. A field that is not set stays as it is.
struct PreferencesPatch {
  std::optional<bool> in_app;
  std::optional<bool> webhook;
  std::optional<bool> email;
  std::optional<bool> push;
  std::optional<std::string> time_zone;
  bool no_quiet_hours = false;  // removes the quiet hours before `quiet_hours` is applied
  struct Quiet {
    std::optional<std::chrono::seconds> start;
    std::optional<std::chrono::seconds> end;
    std::optional<std::string> time_zone;
  };
  std::optional<Quiet> quiet_hours;
  bool default_wording = false;  // resets the wording before `wording` is applied
  WordingPatch wording;
};
/// Applies `patch`. New quiet hours without a start or an end are a violation, with `prefix` before
/// the name of the field.
void Patch(NotificationPreferences& preferences, const PreferencesPatch& patch,
           std::string_view prefix, std::vector<util::FieldViolation>& violations);

/// The text that the state store keeps. ParsePreferences answers kInternal for any other text.
std::string FormatPreferences(const NotificationPreferences& preferences);
absl::StatusOr<NotificationPreferences> ParsePreferences(std::string_view json);
/// The key of a user's preferences in the state store. It holds a digest of the user id, because
/// user ids may contain characters that keys may not.
std::string PreferencesKey(const UserId& user);

}  // namespace todo::domain

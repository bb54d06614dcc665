#pragma once

#include <chrono>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"

// Points in time. Wall-clock times and zones are in domain/time_zone.h.

namespace todo::domain {

/// A point in time: microseconds since 1970-01-01T00:00:00Z, leap seconds not counted.
using Instant = std::chrono::sys_time<std::chrono::microseconds>;

/// The range of instants that are stored and accepted: from the epoch to the last instant that RFC
/// 3339 can write.
inline constexpr Instant kMinInstant{std::chrono::sys_days{std::chrono::year{1970} / 1 / 1}};
inline constexpr Instant kMaxInstant{std::chrono::sys_days{std::chrono::year{10000} / 1 / 1} -
                                     std::chrono::microseconds{1}};

/// The first instant that RFC 3339 can write in UTC.
inline constexpr Instant kFirstInstant{std::chrono::sys_days{std::chrono::year{0} / 1 / 1}};

/// Reads an RFC 3339 date-time: "2026-10-24T09:00:00Z", "2026-10-24t11:00:00.25+02:00". The offset
/// is required. Digits beyond microseconds are cut off. Second 60 is the first instant of the next
/// minute, and only accepted where a leap second can be (23:59:60 UTC). kInvalidArgument, with the
/// fault: any other text, and instants outside [kMinInstant, kMaxInstant].
absl::StatusOr<Instant> ParseInstant(std::string_view text);
/// ParseInstant for times of other programs that are only passed on: accepts all years, 0000 to
/// 9999. A time that its offset puts beyond [kFirstInstant, kMaxInstant] becomes the nearer end.
absl::StatusOr<Instant> ParseAnyInstant(std::string_view text);

/// `instant` in UTC: "2026-10-24T09:00:00Z", with a fraction of 3 or 6 digits unless it is zero.
/// Precondition: kFirstInstant <= instant <= kMaxInstant.
std::string FormatInstant(Instant instant);

/// The time since midnight of "09:00" or "09:00:30". kInvalidArgument: the text has another form.
absl::StatusOr<std::chrono::seconds> ParseTimeOfDay(std::string_view text);
std::string FormatTimeOfDay(std::chrono::seconds time);

}  // namespace todo::domain

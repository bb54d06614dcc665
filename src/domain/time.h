#pragma once

#include <chrono>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"

// Points in time. Wall-clock times and zones are in domain/time_zone.h.

namespace todo::domain {

/// A point in time: microseconds since 1970-01-01T00:00:00Z, leap seconds not counted.
using Instant = std::chrono::sys_time<std::chrono::microseconds>;

/// What we store and accept. The lower end is the epoch; the upper is the last instant that RFC
/// 3339 can write.
inline constexpr Instant kMinInstant{std::chrono::sys_days{std::chrono::year{1970} / 1 / 1}};
inline constexpr Instant kMaxInstant{std::chrono::sys_days{std::chrono::year{10000} / 1 / 1} -
                                     std::chrono::microseconds{1}};

/// The first instant that RFC 3339 can write in UTC.
inline constexpr Instant kFirstInstant{std::chrono::sys_days{std::chrono::year{0} / 1 / 1}};

/// Reads an RFC 3339 date-time: "2026-10-24T09:00:00Z", "2026-10-24t11:00:00.25+02:00". The offset
/// is required. What is finer than a microsecond is cut off; second 60 is the first instant of the
/// next minute, and only accepted where a leap second can be (23:59:60 UTC). kInvalidArgument, with
/// what is wrong, for anything else and for instants outside [kMinInstant, kMaxInstant].
absl::StatusOr<Instant> ParseInstant(std::string_view text);
/// The same for a time of another program that nothing is counted from: takes all years, 0000 to
/// 9999. A time that its offset puts beyond [kFirstInstant, kMaxInstant] becomes the nearer end.
absl::StatusOr<Instant> ParseAnyInstant(std::string_view text);

/// `instant` in UTC: "2026-10-24T09:00:00Z"; with a fraction of 3 or 6 digits when it is not zero.
/// Precondition: kFirstInstant <= instant <= kMaxInstant.
std::string FormatInstant(Instant instant);

/// "09:00" or "09:00:30", as time since midnight. kInvalidArgument: it is not.
absl::StatusOr<std::chrono::seconds> ParseTimeOfDay(std::string_view text);
std::string FormatTimeOfDay(std::chrono::seconds time);

}  // namespace todo::domain

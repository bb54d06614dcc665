#include "domain/notification/schedule.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdint>

#include "domain/time_zone.h"
#include "util/digest.h"

namespace todo::domain {
namespace {

using std::chrono::milliseconds;
using namespace std::chrono_literals;

/// The last attempt comes about 22 and a half hours after the first.
constexpr std::array<milliseconds, 8> kDeliveryDelays = {5s, 30s, 2min, 10min, 1h, 3h, 6h, 12h};
constexpr double kJitter = 0.2;  // of the delay, in both directions

}  // namespace

bool IsLate(const ReminderEvent& event, Instant now) { return now - event.at > kLateAfter; }

Instant DisturbAt(const NotificationPreferences& preferences, Instant now) {
  if (!preferences.quiet_hours) return now;
  const QuietHours& quiet = *preferences.quiet_hours;
  const absl::StatusOr<TimeZone> zone =
      TimeZone::Load(quiet.time_zone.empty() ? preferences.time_zone : quiet.time_zone);
  if (!zone.ok()) return now;  // this machine does not know the zone: better at night than never
  const absl::CivilSecond local = zone->ToLocal(now);
  const std::chrono::seconds time(local - absl::CivilSecond(absl::CivilDay(local)));
  const bool over_midnight = quiet.start > quiet.end;
  const bool is_quiet = over_midnight ? time >= quiet.start || time < quiet.end
                                      : time >= quiet.start && time < quiet.end;
  if (!is_quiet) return now;
  absl::CivilDay day(local);
  if (over_midnight && time >= quiet.start) ++day;
  const absl::CivilSecond end(day.year(), day.month(), day.day(), 0, 0, quiet.end.count());
  return std::max(now, zone->ToInstant(end));
}

std::optional<milliseconds> DeliveryDelay(int failures, const Uuid& delivery) {
  if (failures < 1 || failures > static_cast<int>(kDeliveryDelays.size())) return std::nullopt;
  const std::string digest = util::Sha256(fmt::format("{} {}", delivery.value(), failures));
  const unsigned number =
      static_cast<unsigned char>(digest[0]) * 256U + static_cast<unsigned char>(digest[1]);
  const double place = number / 65'535.0;  // 0 to 1
  const auto delay =
      static_cast<double>(kDeliveryDelays[static_cast<std::size_t>(failures - 1)].count());
  return milliseconds(static_cast<std::int64_t>(delay * (1 - kJitter + 2 * kJitter * place)));
}

}  // namespace todo::domain

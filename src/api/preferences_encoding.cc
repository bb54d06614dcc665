#include "api/preferences_encoding.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <chrono>
#include <functional>
#include <iterator>
#include <optional>
#include <set>
#include <string>
#include <string_view>

#include "api/request_parts.h"
#include "util/status.h"

namespace todo::api {
namespace {

/// The fields that an UpdatePreferences changes: those of its mask or, without a mask, those that
/// the message holds. All other preferences stay as they are.
class PreferencesMask {
 public:
  PreferencesMask(const v1::UpdatePreferencesRequest& request, Violations& violations)
      : by_presence_(request.update_mask().paths().empty()) {
    for (const std::string& path : request.update_mask().paths()) {
      const bool known = std::ranges::find(kPaths, path) != std::end(kPaths);
      if (known) paths_.insert(path);
      if (path == "*") paths_.insert(std::begin(kPaths), std::end(kPaths));
      if (known || path == "*") continue;
      violations.Add("update_mask",
                     UnknownMaskPath(path, fmt::format("{}, or \"*\" for all of them",
                                                       fmt::join(kPaths, ", "))));
      break;
    }
  }
  bool Names(std::string_view path, bool is_present) const {
    return by_presence_ ? is_present : paths_.contains(path);
  }
  /// Whether the mask names the field as a whole, so that it replaces the stored one.
  bool Replaces(std::string_view path) const { return paths_.contains(path); }

 private:
  static constexpr std::string_view kPaths[] = {"in_app",
                                                "webhook",
                                                "email",
                                                "push",
                                                "time_zone",
                                                "quiet_hours",
                                                "quiet_hours.start",
                                                "quiet_hours.end",
                                                "quiet_hours.time_zone",
                                                "wording",
                                                "wording.language",
                                                "wording.date_order",
                                                "wording.week_start",
                                                "wording.morning",
                                                "wording.afternoon",
                                                "wording.evening",
                                                "wording.night",
                                                "wording.hour12"};
  const bool by_presence_;
  std::set<std::string, std::less<>> paths_;
};

/// Quiet hours are replaced as a whole when the mask names them, else changed field by field.
void DecodeQuietHours(const v1::NotificationPreferences& preferences, const PreferencesMask& mask,
                      domain::PreferencesPatch& patch, Violations& violations) {
  const v1::QuietHours& quiet = preferences.quiet_hours();
  patch.no_quiet_hours = mask.Replaces("quiet_hours");
  const bool whole = patch.no_quiet_hours && preferences.has_quiet_hours();
  const auto names = [&](std::string_view path, bool is_present) {
    return patch.no_quiet_hours ? whole : mask.Names(path, is_present);
  };
  const auto time = [&](const std::string& text, std::string_view field) {
    const auto parsed = domain::ParseTimeOfDay(text);
    if (!parsed.ok()) {
      violations.Add(fmt::format("preferences.quiet_hours.{}", field),
                     "must be a time of day from 00:00 to 23:59, such as 22:00");
    }
    return parsed.value_or(std::chrono::seconds(0));
  };
  domain::PreferencesPatch::Quiet change;
  if (names("quiet_hours.start", quiet.has_start())) change.start = time(quiet.start(), "start");
  if (names("quiet_hours.end", quiet.has_end())) change.end = time(quiet.end(), "end");
  if (names("quiet_hours.time_zone", quiet.has_time_zone())) {
    CheckText(quiet.time_zone(), "preferences.quiet_hours.time_zone", violations);
    change.time_zone = quiet.time_zone();
  }
  if (whole || change.start || change.end || change.time_zone) patch.quiet_hours = change;
}

std::optional<absl::Weekday> DecodeWeekday(v1::Weekday weekday) {
  switch (weekday) {
    case v1::WEEKDAY_UNSPECIFIED:
    case v1::WEEKDAY_MONDAY: return absl::Weekday::monday;
    case v1::WEEKDAY_SATURDAY: return absl::Weekday::saturday;
    case v1::WEEKDAY_SUNDAY: return absl::Weekday::sunday;
    default: return std::nullopt;
  }
}

std::optional<domain::DateOrder> DecodeDateOrder(v1::DateOrder order) {
  switch (order) {
    case v1::DATE_ORDER_UNSPECIFIED:
    case v1::DATE_ORDER_DAY_FIRST: return domain::DateOrder::kDayFirst;
    case v1::DATE_ORDER_MONTH_FIRST: return domain::DateOrder::kMonthFirst;
    default: return std::nullopt;
  }
}

/// The wording is replaced as a whole when the mask names it, else changed field by field. A field
/// that is named and not set gets its default.
void DecodeWording(const v1::NotificationPreferences& preferences, const PreferencesMask& mask,
                   domain::PreferencesPatch& patch, Violations& violations) {
  const v1::Wording& wording = preferences.wording();
  const domain::Wording defaults;
  patch.default_wording = mask.Replaces("wording");
  const auto names = [&](std::string_view field, bool is_present) {
    return patch.default_wording ? is_present
                                 : mask.Names(fmt::format("wording.{}", field), is_present);
  };
  const auto path = [](std::string_view field) {
    return fmt::format("preferences.wording.{}", field);
  };
  if (names("language", wording.has_language())) {
    CheckText(wording.language(), path("language"), violations);
    patch.wording.language = wording.language().empty() ? defaults.language : wording.language();
  }
  if (names("date_order", wording.has_date_order())) {
    patch.wording.date_order = DecodeDateOrder(wording.date_order());
    if (!patch.wording.date_order)
      violations.Add(path("date_order"), "must be DATE_ORDER_DAY_FIRST or DATE_ORDER_MONTH_FIRST");
  }
  if (names("week_start", wording.has_week_start())) {
    patch.wording.week_start = DecodeWeekday(wording.week_start());
    if (!patch.wording.week_start)
      violations.Add(path("week_start"), "must be a Monday, a Saturday or a Sunday");
  }
  const auto decode_time = [&](std::string_view field, bool is_present, const std::string& text,
                               std::chrono::seconds default_time,
                               std::optional<std::chrono::seconds>& time) {
    if (!names(field, is_present)) return;
    time = default_time;
    if (!is_present) return;
    const auto parsed = domain::ParseTimeOfDay(text);
    if (!parsed.ok()) {
      violations.Add(path(field), "must be a time of day from 00:00 to 23:59, such as 09:00");
      return;
    }
    time = *parsed;
  };
  decode_time("morning", wording.has_morning(), wording.morning(), defaults.morning,
              patch.wording.morning);
  decode_time("afternoon", wording.has_afternoon(), wording.afternoon(), defaults.afternoon,
              patch.wording.afternoon);
  decode_time("evening", wording.has_evening(), wording.evening(), defaults.evening,
              patch.wording.evening);
  decode_time("night", wording.has_night(), wording.night(), defaults.night, patch.wording.night);
  if (names("hour12", wording.has_hour12())) {
    patch.wording.hour12.emplace();
    if (wording.has_hour12()) *patch.wording.hour12 = wording.hour12();
  }
}

v1::Wording EncodeWording(const domain::Wording& wording) {
  v1::Wording encoded;
  encoded.set_language(wording.language);
  encoded.set_date_order(wording.date_order == domain::DateOrder::kDayFirst
                             ? v1::DATE_ORDER_DAY_FIRST
                             : v1::DATE_ORDER_MONTH_FIRST);
  encoded.set_week_start(wording.week_start == absl::Weekday::saturday ? v1::WEEKDAY_SATURDAY
                         : wording.week_start == absl::Weekday::sunday ? v1::WEEKDAY_SUNDAY
                                                                       : v1::WEEKDAY_MONDAY);
  encoded.set_morning(domain::FormatTimeOfDay(wording.morning));
  encoded.set_afternoon(domain::FormatTimeOfDay(wording.afternoon));
  encoded.set_evening(domain::FormatTimeOfDay(wording.evening));
  encoded.set_night(domain::FormatTimeOfDay(wording.night));
  if (wording.hour12) encoded.set_hour12(*wording.hour12);
  return encoded;
}

}  // namespace

v1::NotificationPreferences EncodePreferences(const service::Preferences& preferences) {
  const domain::NotificationPreferences& values = preferences.values;
  v1::NotificationPreferences encoded;
  encoded.set_in_app(values.in_app);
  encoded.set_webhook(values.webhook);
  encoded.set_email(values.email);
  encoded.set_push(values.push);
  if (values.quiet_hours) {
    v1::QuietHours& quiet = *encoded.mutable_quiet_hours();
    quiet.set_start(domain::FormatTimeOfDay(values.quiet_hours->start));
    quiet.set_end(domain::FormatTimeOfDay(values.quiet_hours->end));
    quiet.set_time_zone(values.quiet_hours->time_zone);
  }
  encoded.set_time_zone(values.time_zone);
  *encoded.mutable_wording() = EncodeWording(values.wording);
  encoded.set_etag(preferences.etag);
  return encoded;
}

absl::StatusOr<domain::PreferencesPatch> DecodePreferences(
    const v1::UpdatePreferencesRequest& request) {
  Violations violations;
  if (!request.has_preferences())
    violations.Add("preferences", "must be given, with the fields to change");
  const v1::NotificationPreferences& preferences = request.preferences();
  const PreferencesMask mask(request, violations);
  domain::PreferencesPatch patch;
  if (mask.Names("in_app", preferences.has_in_app())) patch.in_app = preferences.in_app();
  if (mask.Names("webhook", preferences.has_webhook())) patch.webhook = preferences.webhook();
  if (mask.Names("email", preferences.has_email())) patch.email = preferences.email();
  if (mask.Names("push", preferences.has_push())) patch.push = preferences.push();
  if (mask.Names("time_zone", preferences.has_time_zone())) {
    CheckText(preferences.time_zone(), "preferences.time_zone", violations);
    patch.time_zone = preferences.time_zone().empty() ? "UTC" : preferences.time_zone();
  }
  DecodeQuietHours(preferences, mask, patch, violations);
  DecodeWording(preferences, mask, patch, violations);
  CheckText(preferences.etag(), "preferences.etag", violations);
  TODO_RETURN_IF_ERROR(violations.ToStatus());
  return patch;
}

}  // namespace todo::api

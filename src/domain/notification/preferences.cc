#include "domain/notification/preferences.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "absl/strings/escaping.h"
#include "domain/time_zone.h"
#include "util/digest.h"

namespace todo::domain {

using Json = nlohmann::ordered_json;

void CheckPreferences(const NotificationPreferences& preferences, std::string_view prefix,
                      std::vector<util::FieldViolation>& violations) {
  const auto check_zone = [&](const std::string& name, std::string_view field) {
    const absl::StatusOr<TimeZone> zone = TimeZone::Load(name);
    if (!zone.ok()) {
      violations.push_back({fmt::format("{}{}", prefix, field),
                            std::string(util::FromAbsl(zone.status().message()))});
    }
  };
  check_zone(preferences.time_zone, "time_zone");
  CheckWording(preferences.wording, fmt::format("{}wording.", prefix), violations);
  if (!preferences.quiet_hours) return;
  const QuietHours& quiet = *preferences.quiet_hours;
  if (!quiet.time_zone.empty()) check_zone(quiet.time_zone, "quiet_hours.time_zone");
  if (quiet.start == quiet.end) {
    violations.push_back({fmt::format("{}quiet_hours.end", prefix),
                          "is the same time as the start: to get no notifications at any hour, "
                          "switch the channels off"});
  }
}

void Patch(NotificationPreferences& preferences, const PreferencesPatch& patch,
           std::string_view prefix, std::vector<util::FieldViolation>& violations) {
  const auto set = [](auto& value, const auto& change) {
    if (change) value = *change;
  };
  set(preferences.in_app, patch.in_app);
  set(preferences.webhook, patch.webhook);
  set(preferences.email, patch.email);
  set(preferences.push, patch.push);
  set(preferences.time_zone, patch.time_zone);
  if (patch.default_wording) preferences.wording = Wording();
  Patch(preferences.wording, patch.wording);
  if (patch.no_quiet_hours) preferences.quiet_hours.reset();
  if (!patch.quiet_hours) return;
  const auto require = [&](const std::optional<std::chrono::seconds>& time,
                           std::string_view field) {
    if (preferences.quiet_hours || time) return;
    violations.push_back({fmt::format("{}quiet_hours.{}", prefix, field),
                          "must be given: there are no quiet hours yet"});
  };
  require(patch.quiet_hours->start, "start");
  require(patch.quiet_hours->end, "end");
  QuietHours quiet = preferences.quiet_hours.value_or(QuietHours());
  set(quiet.start, patch.quiet_hours->start);
  set(quiet.end, patch.quiet_hours->end);
  set(quiet.time_zone, patch.quiet_hours->time_zone);
  preferences.quiet_hours = quiet;
}

std::string FormatPreferences(const NotificationPreferences& preferences) {
  Json json = {
      {"in_app", preferences.in_app},       {"webhook", preferences.webhook},
      {"email", preferences.email},         {"push", preferences.push},
      {"time_zone", preferences.time_zone}, {"changed_at", FormatInstant(preferences.changed_at)}};
  if (preferences.wording != Wording())
    json["wording"] = Json::parse(FormatWording(preferences.wording));
  if (preferences.quiet_hours) {
    json["quiet_hours"] = {{"start", FormatTimeOfDay(preferences.quiet_hours->start)},
                           {"end", FormatTimeOfDay(preferences.quiet_hours->end)},
                           {"time_zone", preferences.quiet_hours->time_zone}};
  }
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

absl::StatusOr<NotificationPreferences> ParsePreferences(std::string_view json) {
  const Json object = Json::parse(json, nullptr, /*allow_exceptions=*/false);
  const absl::Status unreadable =
      absl::InternalError("the notification preferences in the state store cannot be read");
  if (!object.is_object()) return unreadable;
  NotificationPreferences preferences;
  try {
    preferences.in_app = object.value("in_app", true);
    preferences.webhook = object.value("webhook", true);
    preferences.email = object.value("email", true);
    preferences.push = object.value("push", true);
    preferences.time_zone = object.value("time_zone", "UTC");
    if (const auto at = object.find("changed_at"); at != object.end()) {
      const absl::StatusOr<Instant> changed_at = ParseInstant(at->get<std::string>());
      if (!changed_at.ok()) return unreadable;
      preferences.changed_at = *changed_at;
    }
    if (const auto wording = object.find("wording"); wording != object.end()) {
      const std::optional<Wording> parsed = ParseWording(wording->dump());
      if (!parsed) return unreadable;
      preferences.wording = *parsed;
    }
    if (const auto quiet = object.find("quiet_hours"); quiet != object.end()) {
      const auto start = ParseTimeOfDay(quiet->value("start", ""));
      const auto end = ParseTimeOfDay(quiet->value("end", ""));
      if (!start.ok() || !end.ok()) return unreadable;
      preferences.quiet_hours = QuietHours{*start, *end, quiet->value("time_zone", "")};
    }
  } catch (const Json::exception&) {
    return unreadable;
  }
  return preferences;
}

std::string PreferencesKey(const UserId& user) {
  const std::string digest = util::Sha256(user.value);
  return "notification-preferences-" +
         absl::BytesToHexString(absl::string_view(digest.data(), digest.size()));
}

}  // namespace todo::domain

#include "domain/wording.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <iterator>
#include <nlohmann/json.hpp>

#include "domain/time.h"

namespace todo::domain {
namespace {

using Json = nlohmann::ordered_json;

/// The text search configurations that PostgreSQL brings.
constexpr std::string_view kLanguages[] = {
    "simple",  "arabic",    "armenian",   "basque",   "catalan", "danish",
    "dutch",   "english",   "finnish",    "french",   "german",  "greek",
    "hindi",   "hungarian", "indonesian", "irish",    "italian", "lithuanian",
    "nepali",  "norwegian", "portuguese", "romanian", "russian", "serbian",
    "spanish", "swedish",   "tamil",      "turkish",  "yiddish"};

constexpr std::array<std::pair<absl::Weekday, std::string_view>, 3> kWeekStarts = {
    {{absl::Weekday::monday, "monday"},
     {absl::Weekday::saturday, "saturday"},
     {absl::Weekday::sunday, "sunday"}}};

struct TimeOfDay {
  const char* name;
  std::chrono::seconds Wording::*field;
};
constexpr TimeOfDay kTimes[] = {{"morning", &Wording::morning},
                                {"afternoon", &Wording::afternoon},
                                {"evening", &Wording::evening},
                                {"night", &Wording::night}};

}  // namespace

void CheckWording(const Wording& wording, std::string_view prefix,
                  std::vector<util::FieldViolation>& violations) {
  if (std::ranges::find(kLanguages, wording.language) == std::end(kLanguages)) {
    violations.push_back({fmt::format("{}language", prefix),
                          "must be a text search configuration of PostgreSQL, such as english, "
                          "german or simple"});
  }
}

void Patch(Wording& wording, const WordingPatch& patch) {
  const auto set = [](auto& value, const auto& change) {
    if (change) value = *change;
  };
  set(wording.language, patch.language);
  set(wording.date_order, patch.date_order);
  set(wording.week_start, patch.week_start);
  set(wording.morning, patch.morning);
  set(wording.afternoon, patch.afternoon);
  set(wording.evening, patch.evening);
  set(wording.night, patch.night);
  set(wording.hour12, patch.hour12);
}

std::string ClockWords(std::chrono::seconds time, const Wording& wording) {
  if (!wording.hour12.value_or(false)) return FormatTimeOfDay(time);
  constexpr int kHalf = 12;
  const std::chrono::hh_mm_ss clock(time);
  const auto hour = clock.hours().count() % kHalf;
  const auto seconds = clock.seconds().count();
  std::string text = fmt::format("{}", hour == 0 ? kHalf : hour);
  if (clock.minutes().count() != 0 || seconds != 0)
    text += fmt::format(":{:02}", clock.minutes().count());
  if (seconds != 0) text += fmt::format(":{:02}", seconds);
  return text + (clock.hours().count() < kHalf ? " am" : " pm");
}

std::string FormatWording(const Wording& wording) {
  Json json = {{"language", wording.language},
               {"date_order", wording.date_order == DateOrder::kDayFirst ? "day" : "month"}};
  for (const auto& [day, name] : kWeekStarts) {
    if (wording.week_start == day) json["week_start"] = name;
  }
  for (const TimeOfDay& time : kTimes) json[time.name] = FormatTimeOfDay(wording.*time.field);
  if (wording.hour12) json["hour12"] = *wording.hour12;
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

std::optional<Wording> ParseWording(std::string_view json) {
  const Json object = Json::parse(json, nullptr, /*allow_exceptions=*/false);
  if (!object.is_object()) return std::nullopt;
  Wording wording;
  try {
    wording.language = object.value("language", wording.language);
    const std::string order = object.value("date_order", "day");
    if (order != "day" && order != "month") return std::nullopt;
    wording.date_order = order == "day" ? DateOrder::kDayFirst : DateOrder::kMonthFirst;
    const std::string start = object.value("week_start", "monday");
    const auto* const named = std::ranges::find_if(
        kWeekStarts, [&](const auto& week_start) { return week_start.second == start; });
    if (named == kWeekStarts.end()) return std::nullopt;
    wording.week_start = named->first;
    for (const TimeOfDay& time : kTimes) {
      const auto found = object.find(time.name);
      if (found == object.end()) continue;
      const auto since_midnight = ParseTimeOfDay(found->get<std::string>());
      if (!since_midnight.ok()) return std::nullopt;
      wording.*time.field = *since_midnight;
    }
    if (object.contains("hour12")) wording.hour12 = object["hour12"].get<bool>();
  } catch (const Json::exception&) {
    return std::nullopt;
  }
  return wording;
}

}  // namespace todo::domain

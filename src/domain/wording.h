#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/time/civil_time.h"
#include "util/status.h"

// How a user writes dates and words: a part of the user's preferences.

namespace todo::domain {

enum class DateOrder { kDayFirst, kMonthFirst };  // of "1/2"

struct Wording {
  std::string language = "english";  // a text search configuration of PostgreSQL
  DateOrder date_order = DateOrder::kDayFirst;
  absl::Weekday week_start = absl::Weekday::monday;  // or saturday, sunday
  // The times of day that "morning", "afternoon", "evening" and "tonight" stand for, since
  // midnight.
  std::chrono::seconds morning = std::chrono::hours(9);
  std::chrono::seconds afternoon = std::chrono::hours(15);
  std::chrono::seconds evening = std::chrono::hours(19);
  std::chrono::seconds night = std::chrono::hours(20);
  std::optional<bool> hour12;  // texts say "5 pm" instead of "17:00"; not chosen: 24 hours

  bool operator==(const Wording&) const = default;
};

/// Adds what is wrong to `violations`, with `prefix` before the names of the fields.
void CheckWording(const Wording& wording, std::string_view prefix,
                  std::vector<util::FieldViolation>& violations);

/// A change of a wording. A field that is not set stays as it is.
struct WordingPatch {
  std::optional<std::string> language;
  std::optional<DateOrder> date_order;
  std::optional<absl::Weekday> week_start;
  std::optional<std::chrono::seconds> morning;
  std::optional<std::chrono::seconds> afternoon;
  std::optional<std::chrono::seconds> evening;
  std::optional<std::chrono::seconds> night;
  std::optional<std::optional<bool>> hour12;
};
void Patch(Wording& wording, const WordingPatch& patch);

/// A time of day (since midnight, less than a day) in words: "17:00", or with `hour12` "5 pm",
/// "6:30 pm", "12 am" (midnight), as the page writes it. Seconds are shown if there are any:
/// "5:00:30 pm". The grammar of chat reads each form.
std::string ClockWords(std::chrono::seconds time, const Wording& wording);

/// A JSON object, for a state store. ParseWording answers nullopt for any other text; a missing key
/// keeps its default.
std::string FormatWording(const Wording& wording);
std::optional<Wording> ParseWording(std::string_view json);

}  // namespace todo::domain

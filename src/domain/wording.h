#pragma once

#include <chrono>
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

  bool operator==(const Wording&) const = default;
};

/// Adds what is wrong to `violations`, with `prefix` before the names of the fields.
void CheckWording(const Wording& wording, std::string_view prefix,
                  std::vector<util::FieldViolation>& violations);

}  // namespace todo::domain

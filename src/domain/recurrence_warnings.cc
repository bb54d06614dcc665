#include "domain/recurrence_warnings.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <string_view>

namespace todo::domain {
namespace {

using Frequency = RecurrenceRule::Frequency;

constexpr std::array<std::string_view, 7> kWeekdayNames = {
    "Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"};

bool HasMonth(const RecurrenceRule& rule, int month) {
  return rule.by_month.empty() ||
         std::binary_search(rule.by_month.begin(), rule.by_month.end(), month);
}

/// The sentence for BYMONTHDAY's `number`; empty when every month of the rule has that day.
std::string WarnOfMonthDay(const RecurrenceRule& rule, int number) {
  const bool february_only = rule.by_month == std::vector<int>{2};
  const bool february = HasMonth(rule, 2);
  const bool month_of_30 =
      HasMonth(rule, 4) || HasMonth(rule, 6) || HasMonth(rule, 9) || HasMonth(rule, 11);
  switch (std::abs(number)) {
    case 29:
      if (!february) return {};
      if (february_only && number > 0) return "29 February comes only in leap years.";
      return "Skips February in years in which it has no 29th day.";
    case 30: return february ? "Skips February, which has no 30th day." : "";
    case 31:
      return february || month_of_30
                 ? number > 0 ? "Skips months without a 31st." : "Skips months without 31 days."
                 : "";
    default: return {};
  }
}

}  // namespace

std::vector<std::string> WarnOfMissingDays(const RecurrenceRule& rule) {
  std::vector<std::string> warnings;
  auto warn = [&warnings](std::string warning) {
    if (!warning.empty() &&
        std::find(warnings.begin(), warnings.end(), warning) == warnings.end()) {
      warnings.push_back(std::move(warning));
    }
  };
  if (rule.skip == RecurrenceRule::Skip::kOmit) {
    for (int number : rule.by_month_day) warn(WarnOfMonthDay(rule, number));
    if (std::any_of(rule.by_year_day.begin(), rule.by_year_day.end(),
                    [](int day) { return std::abs(day) == 366; })) {
      warn("Day 366 comes only in leap years.");
    }
  }
  const bool in_month = rule.frequency == Frequency::kMonthly || !rule.by_month.empty();
  for (const RecurrenceRule::Weekday& weekday : rule.by_day) {
    const int position = std::abs(weekday.position);
    std::string_view name = kWeekdayNames[weekday.day.c_encoding()];
    if (in_month && position > 5) warn(fmt::format("No month has {} {}s.", position, name));
    if (in_month && position == 5) warn(fmt::format("Skips months without a fifth {}.", name));
    if (!in_month && position == 53) warn(fmt::format("Skips years without a 53rd {}.", name));
  }
  return warnings;
}

}  // namespace todo::domain

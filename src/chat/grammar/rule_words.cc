#include "chat/grammar/rule_words.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string_view>
#include <vector>

#include "absl/time/civil_time.h"
#include "chat/grammar/grammar.h"
#include "chat/grammar/words.h"

namespace todo::chat {
namespace {

using domain::RecurrenceRule;
using Frequency = RecurrenceRule::Frequency;
using grammar::Joined;
using grammar::NameOf;
using grammar::NameOfMonth;
using grammar::Ordinal;

absl::Weekday DayOf(const RecurrenceRule::Weekday& weekday) {
  return static_cast<absl::Weekday>(weekday.day.iso_encoding() - 1);
}

/// "1st", or "last" and "2nd last" for a number from the end.
std::string Position(int number) {
  if (number > 0) return Ordinal(number);
  return number == -1 ? "last" : fmt::format("{} last", Ordinal(-number));
}

template <typename Name>
std::string Named(const std::vector<int>& numbers, const Name& name) {
  std::vector<std::string> words;
  for (const int number : numbers) words.emplace_back(name(number));
  return Joined(words);
}

bool HasPositions(const RecurrenceRule& rule) {
  return std::ranges::any_of(rule.by_day, [](const auto& day) { return day.position != 0; });
}

std::string Weekdays(const RecurrenceRule& rule) {
  std::vector<std::string> words;
  std::vector<RecurrenceRule::Weekday> days = rule.by_day;
  std::ranges::stable_sort(days, {}, DayOf);
  for (const RecurrenceRule::Weekday& day : days) {
    words.push_back(day.position == 0
                        ? std::string(NameOf(DayOf(day)))
                        : fmt::format("{} {}", Position(day.position), NameOf(DayOf(day))));
  }
  return Joined(words);
}

/// Monday to Friday, and nothing else.
bool IsWorkingWeek(const RecurrenceRule& rule) {
  constexpr std::size_t kWorkingDays = 5;
  return rule.by_day.size() == kWorkingDays && !HasPositions(rule) &&
         std::ranges::none_of(rule.by_day, [](const auto& day) {
           return DayOf(day) == absl::Weekday::saturday || DayOf(day) == absl::Weekday::sunday;
         });
}

std::string_view UnitOf(Frequency frequency) {
  switch (frequency) {
    case Frequency::kDaily: return "day";
    case Frequency::kWeekly: return "week";
    case Frequency::kMonthly: return "month";
    case Frequency::kYearly: break;
  }
  return "year";
}

/// Whether "every Monday" says all about the days of the rule.
bool IsPlainWeekly(const RecurrenceRule& rule) {
  return rule.frequency == Frequency::kWeekly && rule.interval == 1 && !rule.by_day.empty();
}

std::string Beginning(const RecurrenceRule& rule) {
  if (IsPlainWeekly(rule))
    return fmt::format("every {}", IsWorkingWeek(rule) ? "weekday" : Weekdays(rule));
  const std::string_view unit = UnitOf(rule.frequency);
  return rule.interval == 1 ? fmt::format("every {}", unit)
                            : fmt::format("every {}", grammar::Counted(rule.interval, unit));
}

/// "on 15 April", "in April on the 1st Monday", "on the 1st and the last day".
std::string Days(const RecurrenceRule& rule) {
  std::string text;
  const bool one_date =
      rule.by_month.size() == 1 && rule.by_month_day.size() == 1 && rule.by_month_day.front() > 0;
  if (one_date) {
    text += fmt::format(" on {} {}", rule.by_month_day.front(), NameOfMonth(rule.by_month.front()));
  } else {
    if (!rule.by_month.empty()) text += fmt::format(" in {}", Named(rule.by_month, NameOfMonth));
    if (!rule.by_month_day.empty()) {
      text += fmt::format(" on the {}", Named(rule.by_month_day, [](int day) {
                            return day > 0 ? Ordinal(day) : fmt::format("{} day", Position(day));
                          }));
    }
  }
  if (!rule.by_week_no.empty()) {
    text += fmt::format(" in the {} week", Named(rule.by_week_no, Position));
  }
  if (!rule.by_year_day.empty())
    text += fmt::format(" on the {} day of the year", Named(rule.by_year_day, Position));
  if (!rule.by_day.empty() && !IsPlainWeekly(rule)) {
    const bool weekday = IsWorkingWeek(rule);
    const std::string_view joint = rule.by_month_day.empty() ? " on " : " if it is ";
    text += fmt::format("{}{}{}", joint,
                        HasPositions(rule) ? "the "
                        : weekday          ? "a "
                                           : "",
                        weekday ? "weekday" : Weekdays(rule));
  }
  if (!rule.by_set_pos.empty())
    text += fmt::format(", only the {} of these days", Named(rule.by_set_pos, Position));
  return text;
}

std::string Times(const RecurrenceRule& rule, const domain::Wording& wording,
                  std::optional<std::chrono::seconds> time_of_day) {
  if (time_of_day && rule.by_hour.empty() && rule.by_minute.empty() && rule.by_second.empty())
    return fmt::format(" at {}", domain::ClockWords(*time_of_day, wording));
  constexpr int kMinutesOfHour = 60;
  const auto minute_of_first =
      std::chrono::floor<std::chrono::minutes>(time_of_day.value_or(std::chrono::seconds(0)))
          .count() %
      kMinutesOfHour;
  std::string text;
  const auto number = [](int value) { return fmt::format("{}", value); };
  const auto clock = [&wording](int at, std::int64_t minute) {
    return domain::ClockWords(std::chrono::hours(at) + std::chrono::minutes(minute), wording);
  };
  const auto hour = [&](int value) { return clock(value, minute_of_first); };
  if (!rule.by_hour.empty() && rule.by_minute.empty()) {
    text += fmt::format(" at {}", Named(rule.by_hour, hour));
  } else if (!rule.by_minute.empty()) {
    std::vector<std::string> times;
    for (const int at : rule.by_hour)
      for (const int minute : rule.by_minute) times.push_back(clock(at, minute));
    text += times.empty() ? fmt::format(" at minute {}", Named(rule.by_minute, number))
                          : fmt::format(" at {}", Joined(times));
  }
  if (!rule.by_second.empty()) text += fmt::format(" at second {}", Named(rule.by_second, number));
  return text;
}

std::string End(const RecurrenceRule& rule, const domain::Wording& wording) {
  if (rule.count) return fmt::format(", {}", grammar::Counted(*rule.count, "time"));
  if (!rule.until) return "";
  const bool is_day = rule.until->kind == RecurrenceRule::Until::Kind::kDate;
  const std::string end = Describe({.local = rule.until->time, .has_time = !is_day}, wording);
  const bool is_utc = rule.until->kind == RecurrenceRule::Until::Kind::kUtc;
  return fmt::format(", until {}{}", end, is_utc ? " UTC" : "");
}

std::string_view MissingDays(const RecurrenceRule& rule) {
  switch (rule.skip) {
    case RecurrenceRule::Skip::kOmit: return "";
    case RecurrenceRule::Skip::kBackward: return " (or the last day of a shorter month)";
    case RecurrenceRule::Skip::kForward: break;
  }
  return " (or the day after a shorter month)";
}

}  // namespace

std::string RuleInWords(const RecurrenceRule& rule, const domain::Wording& wording,
                        std::optional<std::chrono::seconds> time_of_day) {
  return fmt::format("{}{}{}{}{}", Beginning(rule), Days(rule), MissingDays(rule),
                     Times(rule, wording, time_of_day), End(rule, wording));
}

}  // namespace todo::chat

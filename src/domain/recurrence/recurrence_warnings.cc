#include "domain/recurrence/recurrence_warnings.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <functional>
#include <optional>
#include <string_view>
#include <utility>

namespace todo::domain {
namespace {

using Frequency = RecurrenceRule::Frequency;
using std::chrono::days;
using std::chrono::local_days;
using std::chrono::year;
using std::chrono::year_month;
using std::chrono::year_month_day;

constexpr std::array<std::string_view, 7> kWeekdayNames = {
    "Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"};
constexpr std::string_view kLeapDay = "29 February comes only in leap years.";
constexpr std::string_view kDay366 = "Day 366 comes only in leap years.";

std::string_view NameOf(std::chrono::weekday day) { return kWeekdayNames[day.c_encoding()]; }

/// A month or a year.
struct Span {
  local_days first;
  int length;
  std::size_t occurrences = 0;
};

/// How often `weekday` comes in `span`.
int CountOf(std::chrono::weekday weekday, const Span& span) {
  const int index = static_cast<int>((weekday - std::chrono::weekday{span.first}).count());
  return (span.length - 1 - index) / 7 + 1;
}

/// A day or week that a rule names, and that some months or years do not have.
struct Lack {
  std::function<bool(const Span&)> concerns;  // whether a month or year is without
  std::string skips;                          // to say when those without have no occurrences
  std::string fewer;                          // to say when those without have fewer
};

Lack MakeLack(std::function<bool(const Span&)> concerns, std::string_view where) {
  return {std::move(concerns), fmt::format("The rule skips {}.", where),
          fmt::format("There are fewer occurrences in {}.", where)};
}

/// Whether BYDAY's positions count in a month; else they count in a year.
bool CountsInMonths(const RecurrenceRule& rule) {
  return rule.frequency == Frequency::kMonthly || !rule.by_month.empty();
}

std::vector<Lack> LacksOfMonths(const RecurrenceRule& rule) {
  std::vector<Lack> lacks;
  for (int number : rule.by_month_day) {
    const int day = std::abs(number);
    if (day < 29 || rule.skip != RecurrenceRule::Skip::kOmit) continue;
    std::string_view where = day == 29    ? "February in years in which it has no 29th day"
                             : day == 30  ? "February, which has no 30th day"
                             : number > 0 ? "months without a 31st"
                                          : "months without 31 days";
    Lack lack = MakeLack([day](const Span& month) { return month.length < day; }, where);
    if (number == 29 && rule.by_month == std::vector<int>{2}) lack.skips = lack.fewer = kLeapDay;
    lacks.push_back(std::move(lack));
  }
  for (const RecurrenceRule::Weekday& weekday : rule.by_day) {
    if (std::abs(weekday.position) != 5 || !CountsInMonths(rule)) continue;
    lacks.push_back(
        MakeLack([day = weekday.day](const Span& month) { return CountOf(day, month) < 5; },
                 fmt::format("months without a fifth {}", NameOf(weekday.day))));
  }
  return lacks;
}

std::vector<Lack> LacksOfYears(const RecurrenceRule& rule) {
  std::vector<Lack> lacks;
  for (int number : rule.by_week_no) {
    if (std::abs(number) != 53) continue;
    lacks.push_back(MakeLack([](const Span& year) { return year.length < 53 * 7; },
                             number > 0 ? "years without a week 53" : "years without 53 weeks"));
  }
  for (int number : rule.by_year_day) {
    if (std::abs(number) != 366 || rule.skip != RecurrenceRule::Skip::kOmit) continue;
    lacks.push_back({[](const Span& year) { return year.length < 366; }, std::string(kDay366),
                     std::string(kDay366)});
  }
  for (const RecurrenceRule::Weekday& weekday : rule.by_day) {
    if (std::abs(weekday.position) != 53 || CountsInMonths(rule)) continue;
    lacks.push_back(
        MakeLack([day = weekday.day](const Span& year) { return CountOf(day, year) < 53; },
                 fmt::format("years without a 53rd {}", NameOf(weekday.day))));
  }
  return lacks;
}

/// The whole months after that of the start and before `end` that the rule can fill.
std::vector<Span> MonthsOf(const RecurrencePattern& pattern, LocalSeconds end) {
  const RecurrenceRule& rule = pattern.rule();
  const year_month_day start{std::chrono::floor<days>(pattern.start())};
  std::vector<Span> months;
  for (year_month month = start.year() / start.month() + std::chrono::months{1};;
       month += std::chrono::months{1}) {
    const local_days first{month / 1};
    const local_days next{(month + std::chrono::months{1}) / 1};
    if (next > end) return months;
    const auto number = static_cast<int>(static_cast<unsigned>(month.month()));
    if (!rule.by_month.empty() && !std::ranges::binary_search(rule.by_month, number)) continue;
    if (rule.frequency != Frequency::kDaily && !pattern.IsActive(first)) continue;
    months.push_back({first, static_cast<int>((next - first).count())});
  }
}

/// The whole years after that of the start and before `end` that a yearly rule can fill.
std::vector<Span> YearsOf(const RecurrencePattern& pattern, LocalSeconds end) {
  std::vector<Span> years;
  for (year y = pattern.YearOf(std::chrono::floor<days>(pattern.start())) + std::chrono::years{1};;
       ++y) {
    const local_days first = pattern.FirstDayOf(y);
    const local_days next = pattern.FirstDayOf(y + std::chrono::years{1});
    if (next > end) return years;
    if (pattern.IsActive(first)) years.push_back({first, static_cast<int>((next - first).count())});
  }
}

void CountOccurrences(const RecurrencePattern& pattern, LocalSeconds end,
                      std::vector<Span>& spans) {
  RecurrenceRule rule = pattern.rule();
  if (rule.by_set_pos.empty()) {  // then one time a day is enough to compare
    rule.by_hour.clear();
    rule.by_minute.clear();
    rule.by_second.clear();
  }
  const RecurrencePattern plain(rule, ToCivilSecond(pattern.start()));
  RecurrencePattern::Walk walk = plain.From(pattern.start(), end);
  auto span = spans.begin();
  while (std::optional<LocalSeconds> time = walk.Next()) {
    while (span != spans.end() && *time >= span->first + days{span->length}) ++span;
    if (span == spans.end()) return;
    if (*time >= span->first) ++span->occurrences;
  }
}

/// The warning about `lack`; empty: there is none.
std::string SentenceFor(const Lack& lack, const std::vector<Span>& spans) {
  std::optional<std::size_t> least_with;
  std::optional<std::size_t> most_without;
  for (const Span& span : spans) {
    if (lack.concerns(span)) {
      most_without = std::max(most_without.value_or(0), span.occurrences);
    } else {
      least_with = std::min(least_with.value_or(span.occurrences), span.occurrences);
    }
  }
  if (!most_without) return {};
  // If months or years that have the day can be empty too, the rule leaves them out for other
  // reasons.
  if (*most_without == 0) return least_with == 0u ? std::string() : lack.skips;
  return least_with && *most_without < *least_with ? lack.fewer : std::string();
}

}  // namespace

std::vector<std::string> WarnOfMissingDays(const RecurrencePattern& pattern, LocalSeconds end) {
  const RecurrenceRule& rule = pattern.rule();
  std::vector<std::string> warnings;
  auto warn = [&warnings](std::string warning) {
    if (!warning.empty() && std::ranges::find(warnings, warning) == warnings.end())
      warnings.push_back(std::move(warning));
  };
  auto warn_of = [&](const std::vector<Lack>& lacks, auto spans_of) {
    if (lacks.empty()) return;
    std::vector<Span> spans = spans_of(pattern, end);
    CountOccurrences(pattern, end, spans);
    for (const Lack& lack : lacks) warn(SentenceFor(lack, spans));
  };
  for (const RecurrenceRule::Weekday& weekday : rule.by_day) {
    const int position = std::abs(weekday.position);
    if (position > 5 && CountsInMonths(rule))
      warn(fmt::format("No month has {} {}s.", position, NameOf(weekday.day)));
  }
  // Years of week numbers do not end with a month.
  if (rule.by_week_no.empty()) warn_of(LacksOfMonths(rule), MonthsOf);
  warn_of(LacksOfYears(rule), YearsOf);
  return warnings;
}

}  // namespace todo::domain

#include <algorithm>

#include "domain/recurrence/recurrence_pattern.h"

// The days of an active period.

namespace todo::domain {
namespace {

using Frequency = RecurrenceRule::Frequency;
using Skip = RecurrenceRule::Skip;
using std::chrono::days;
using std::chrono::local_days;
using std::chrono::year_month;

bool Holds(const std::vector<int>& sorted, int value) {
  return std::binary_search(sorted.begin(), sorted.end(), value);
}

/// A month or a year, in which days are numbered and weekdays are counted.
struct Span {
  local_days first;
  int length;
};

Span SpanOf(year_month month) {
  return {local_days{month / 1},
          static_cast<int>(static_cast<unsigned>((month / std::chrono::last).day()))};
}

Span SpanOf(std::chrono::year year) {
  return {local_days{year / 1 / 1}, year.is_leap() ? 366 : 365};
}

/// Day `number` of `span`, counted from its end if negative. `skip` decides about a day that does
/// not exist.
std::optional<local_days> DayOf(Span span, int number, Skip skip) {
  if (number < 0) number += span.length + 1;
  if (number < 1) return std::nullopt;
  if (number > span.length) {
    if (skip == Skip::kOmit) return std::nullopt;
    number = skip == Skip::kBackward ? span.length : span.length + 1;
  }
  return span.first + days{number - 1};
}

template <typename T>
void SortUnique(std::vector<T>& values) {
  std::sort(values.begin(), values.end());
  values.erase(std::unique(values.begin(), values.end()), values.end());
}

}  // namespace

bool RecurrencePattern::PassesMonth(local_days day) const {
  return months_ == 0 || (months_ >> static_cast<unsigned>(MonthOf(day).month()) & 1u) != 0;
}

bool RecurrencePattern::PassesMonthDay(local_days day) const {
  if (rule_.by_month_day.empty()) return true;
  Span month = SpanOf(MonthOf(day));
  int number = static_cast<int>((day - month.first).count()) + 1;
  return Holds(rule_.by_month_day, number) || Holds(rule_.by_month_day, number - 1 - month.length);
}

bool RecurrencePattern::PassesYearDay(local_days day) const {
  if (rule_.by_year_day.empty()) return true;
  Span year = SpanOf(MonthOf(day).year());
  int number = static_cast<int>((day - year.first).count()) + 1;
  return Holds(rule_.by_year_day, number) || Holds(rule_.by_year_day, number - 1 - year.length);
}

bool RecurrencePattern::PassesWeekday(local_days day) const {
  if (rule_.by_day.empty()) return true;
  const std::chrono::weekday weekday{day};
  if ((plain_weekdays_ >> weekday.c_encoding() & 1u) != 0) return true;
  if (!has_positions_) return false;
  const year_month month = MonthOf(day);
  const bool in_month = rule_.frequency == Frequency::kMonthly || months_ != 0;
  const Span span = in_month ? SpanOf(month) : SpanOf(month.year());
  const int index = static_cast<int>((day - span.first).count());
  const int from_begin = index / 7 + 1;
  const int from_end = -((span.length - 1 - index) / 7 + 1);
  return std::any_of(rule_.by_day.begin(), rule_.by_day.end(),
                     [&](const RecurrenceRule::Weekday& wanted) {
                       return wanted.day == weekday &&
                              (wanted.position == from_begin || wanted.position == from_end);
                     });
}

void RecurrencePattern::AddDaysOfMonth(year_month month, Days& into) const {
  Span span = SpanOf(month);
  if (!PassesMonth(span.first)) return;
  auto add = [&](local_days day) {
    if (PassesWeekday(day)) into.push_back(day);
  };
  if (rule_.by_month_day.empty()) {
    for (int i = 0; i < span.length; ++i) add(span.first + days{i});
  } else {
    for (int number : rule_.by_month_day) {
      if (auto day = DayOf(span, number, rule_.skip)) add(*day);
    }
  }
}

void RecurrencePattern::AddDaysOfYear(std::chrono::year year, Days& into) const {
  for (int number : rule_.by_year_day) {
    auto day = DayOf(SpanOf(year), number, rule_.skip);
    if (day && PassesMonth(*day) && PassesMonthDay(*day) && PassesWeekday(*day))
      into.push_back(*day);
  }
}

void RecurrencePattern::AddDaysOfWeeks(std::chrono::year year, Days& into) const {
  const local_days first = FirstDayOf(year);
  const int weeks = static_cast<int>((FirstDayOf(++year) - first).count() / 7);
  for (int number : rule_.by_week_no) {
    if (number < 0) number += weeks + 1;
    if (number < 1 || number > weeks) continue;
    for (int i = 0; i < 7; ++i) {
      const local_days day = first + days{(number - 1) * 7 + i};
      if (PassesWeekday(day) && PassesMonth(day) && PassesMonthDay(day) && PassesYearDay(day))
        into.push_back(day);
    }
  }
}

void RecurrencePattern::DaysOf(std::int64_t period, Days& found) const {
  found.clear();
  switch (rule_.frequency) {
    case Frequency::kDaily: {
      local_days day = first_day_ + days{period};
      if (PassesWeekday(day) && PassesMonth(day) && PassesMonthDay(day)) found.push_back(day);
      return;
    }
    case Frequency::kWeekly:
      for (int i = 0; i < 7; ++i) {
        local_days day = first_week_ + days{period * 7 + i};
        if (PassesWeekday(day) && PassesMonth(day)) found.push_back(day);
      }
      return;
    case Frequency::kMonthly:
      AddDaysOfMonth(first_month_ + std::chrono::months{period}, found);
      break;
    case Frequency::kYearly: {
      std::chrono::year year = first_year_ + std::chrono::years{period};
      if (!rule_.by_week_no.empty()) {
        AddDaysOfWeeks(year, found);
      } else if (!rule_.by_year_day.empty()) {
        AddDaysOfYear(year, found);
      } else {
        for (unsigned month = 1; month <= 12; ++month)
          AddDaysOfMonth(year / std::chrono::month{month}, found);
      }
      break;
    }
  }
  // Numbers from the end, and days that SKIP moved, may meet or overtake others of the list.
  if (!rule_.by_month_day.empty() || !rule_.by_year_day.empty() || !rule_.by_week_no.empty())
    SortUnique(found);
}

}  // namespace todo::domain

#include "domain/recurrence/recurrence_pattern.h"

#include <algorithm>
#include <cstdlib>
#include <utility>

#include "util/require.h"

namespace todo::domain {
namespace {

using Frequency = RecurrenceRule::Frequency;
using Skip = RecurrenceRule::Skip;
using std::chrono::days;
using std::chrono::local_days;
using std::chrono::seconds;

std::int64_t FloorDivide(std::int64_t value, std::int64_t divisor) {
  return value / divisor - (value % divisor < 0 ? 1 : 0);
}

std::vector<seconds> TimesOfDay(const RecurrenceRule& rule, absl::CivilSecond start) {
  auto or_else = [](const std::vector<int>& list, int from_start) {
    return list.empty() ? std::vector<int>{from_start} : list;
  };
  std::vector<seconds> times;
  for (int hour : or_else(rule.by_hour, start.hour())) {
    for (int minute : or_else(rule.by_minute, start.minute())) {
      for (int second : or_else(rule.by_second, start.second()))
        times.emplace_back((hour * 60 + minute) * 60 + second);
    }
  }
  return times;
}

/// Sets the day of a rule that names none: RFC 5545 takes it from the start.
void TakeDayFromStart(RecurrenceRule& rule, absl::CivilSecond start) {
  if (!rule.by_day.empty() || !rule.by_month_day.empty() || !rule.by_year_day.empty()) return;
  if (rule.frequency == Frequency::kWeekly || !rule.by_week_no.empty()) {
    rule.by_day = {{0, std::chrono::weekday{std::chrono::floor<days>(ToLocalSeconds(start))}}};
    return;
  }
  switch (rule.frequency) {
    case Frequency::kDaily:
    case Frequency::kWeekly: break;
    case Frequency::kYearly:
      if (rule.by_month.empty()) rule.by_month = {start.month()};
      [[fallthrough]];
    case Frequency::kMonthly: rule.by_month_day = {start.day()}; break;
  }
}

}  // namespace

std::chrono::year_month MonthOf(local_days day) {
  const std::chrono::year_month_day date{day};
  return date.year() / date.month();
}

LocalSeconds ToLocalSeconds(absl::CivilSecond time) {
  return LocalSeconds{seconds{time - absl::CivilSecond()}};
}

absl::CivilSecond ToCivilSecond(LocalSeconds time) {
  return absl::CivilSecond() + time.time_since_epoch().count();
}

RecurrencePattern::RecurrencePattern(const RecurrenceRule& rule, absl::CivilSecond start)
    : rule_(rule), start_(ToLocalSeconds(start)), first_day_(std::chrono::floor<days>(start_)) {
  TODO_REQUIRE(start.year() >= 1970 && start_ < kEnd);
  TakeDayFromStart(rule_, start);
  // Only rules of months and years can name a day that does not exist.
  if (rule_.frequency == Frequency::kDaily || rule_.frequency == Frequency::kWeekly ||
      !rule_.by_week_no.empty())
    rule_.skip = Skip::kOmit;
  first_week_ = WeekOf(first_day_);
  first_month_ = MonthOf(first_day_);
  first_year_ = YearOf(first_day_);
  times_of_day_ = TimesOfDay(rule_, start);
  for (int month : rule_.by_month) months_ = static_cast<std::uint16_t>(months_ | 1u << month);
  for (const RecurrenceRule::Weekday& weekday : rule_.by_day) {
    if (weekday.position != 0) {
      has_positions_ = true;
    } else {
      plain_weekdays_ = static_cast<std::uint8_t>(plain_weekdays_ | 1u << weekday.day.c_encoding());
    }
  }
}

std::int64_t RecurrencePattern::PeriodOf(local_days day) const {
  switch (rule_.frequency) {
    case Frequency::kDaily: return (day - first_day_).count();
    case Frequency::kWeekly: return FloorDivide((day - first_week_).count(), 7);
    case Frequency::kMonthly: return (MonthOf(day) - first_month_).count();
    case Frequency::kYearly: break;
  }
  return (YearOf(day) - first_year_).count();
}

local_days RecurrencePattern::WeekOf(local_days day) const {
  return day - (std::chrono::weekday{day} - rule_.week_start);
}

local_days RecurrencePattern::FirstDayOf(std::chrono::year year) const {
  // A week with four days in the year has its 4 January.
  return rule_.by_week_no.empty() ? local_days{year / 1 / 1} : WeekOf(local_days{year / 1 / 4});
}

std::chrono::year RecurrencePattern::YearOf(local_days day) const {
  // Four days of a week are its first ones or its last ones, and the fourth is among both.
  return MonthOf(rule_.by_week_no.empty() ? day : WeekOf(day) + days{3}).year();
}

std::int64_t RecurrencePattern::ActiveAtOrBefore(std::int64_t period) const {
  return FloorDivide(period, rule_.interval) * rule_.interval;
}

bool RecurrencePattern::IsActive(local_days day) const {
  const std::int64_t period = PeriodOf(day);
  return ActiveAtOrBefore(period) == period;
}

std::int64_t RecurrencePattern::FirstPeriod() const {
  return rule_.skip == Skip::kForward ? -rule_.interval : 0;
}

bool RecurrencePattern::SharesDays() const {
  return rule_.skip == Skip::kForward && rule_.interval == 1;
}

std::vector<std::size_t> RecurrencePattern::Chosen(std::size_t count) const {
  std::vector<std::size_t> chosen;
  for (int wanted : rule_.by_set_pos) {
    auto distance = static_cast<std::size_t>(std::abs(wanted));
    if (distance <= count) chosen.push_back(wanted > 0 ? distance - 1 : count - distance);
  }
  std::ranges::sort(chosen);
  chosen.erase(std::unique(chosen.begin(), chosen.end()), chosen.end());
  return chosen;
}

void RecurrencePattern::RawTimesOf(std::int64_t period, Window window, Days& found,
                                   Times& times) const {
  times.clear();
  DaysOf(period, found);
  if (found.empty()) return;
  if (rule_.by_set_pos.empty()) {
    for (local_days day : found) {
      if (day + days{1} <= window.from || day >= window.end) continue;
      for (seconds time : times_of_day_) times.push_back(day + time);
    }
    return;
  }
  const std::size_t per_day = times_of_day_.size();
  for (std::size_t index : Chosen(found.size() * per_day)) {
    times.push_back(found[index / per_day] + times_of_day_[index % per_day]);
  }
}

void RecurrencePattern::TimesOf(std::int64_t period, Window window, Days& found,
                                Times& times) const {
  RawTimesOf(period, window, found, times);
  if (SharesDays() && !times.empty()) {
    Times before;
    RawTimesOf(period - 1, window, found, before);
    std::erase_if(times, [&before](LocalSeconds time) {
      return std::binary_search(before.begin(), before.end(), time);
    });
  }
}

RecurrencePattern::Times RecurrencePattern::TimesOf(std::int64_t period) const {
  Days found;
  Times times;
  TimesOf(period, {LocalSeconds::min(), LocalSeconds::max()}, found, times);
  return times;
}

RecurrencePattern::Walk::Walk(const RecurrencePattern* pattern, LocalSeconds from, LocalSeconds end)
    : pattern_(pattern),
      window_{std::max(from, pattern->start_ + seconds{1}), std::min(end, kEnd)},
      period_(pattern->ActiveAtOrBefore(pattern->PeriodOf(std::chrono::floor<days>(window_.from)))),
      last_period_(pattern->PeriodOf(std::chrono::floor<days>(window_.end))) {
  // A time that SKIP=FORWARD carries over belongs to the period before.
  if (pattern->rule_.skip == Skip::kForward) period_ -= pattern->rule_.interval;
}

std::optional<LocalSeconds> RecurrencePattern::Walk::Next() {
  while (true) {
    for (; position_ < times_.size(); ++position_) {
      LocalSeconds time = times_[position_];
      if (time < window_.from) continue;
      if (time >= window_.end) return std::nullopt;
      ++position_;
      return time;
    }
    if (period_ > last_period_) return std::nullopt;
    pattern_->TimesOf(period_, window_, days_, times_);
    position_ = 0;
    period_ += pattern_->rule_.interval;
  }
}

RecurrencePattern::Walk RecurrencePattern::FromLaterPeriods(LocalSeconds from) const {
  Walk walk = From(from);
  walk.period_ = std::max<std::int64_t>(walk.period_, rule_.interval);
  return walk;
}

bool RecurrencePattern::IsUniform() const {
  switch (rule_.frequency) {
    case Frequency::kDaily:
      return rule_.by_month.empty() && rule_.by_month_day.empty() && rule_.by_day.empty();
    case Frequency::kWeekly: return rule_.by_month.empty();
    case Frequency::kMonthly:
    case Frequency::kYearly: break;
  }
  return false;
}

std::size_t RecurrencePattern::CountTwice(const Days& before, const Days& found) const {
  if (before.empty() || found.empty() || before.back() != found.front()) return 0;
  const std::size_t per_day = times_of_day_.size();
  if (rule_.by_set_pos.empty()) return per_day;
  // BYSETPOS chooses times of the shared day from either side.
  std::vector<std::size_t> last;
  for (std::size_t index : Chosen(before.size() * per_day)) {
    if (index / per_day == before.size() - 1) last.push_back(index % per_day);
  }
  const std::vector<std::size_t> first = Chosen(found.size() * per_day);
  return static_cast<std::size_t>(std::count_if(last.begin(), last.end(), [&](std::size_t index) {
    return std::binary_search(first.begin(), first.end(), index);
  }));
}

std::int64_t RecurrencePattern::CountPeriods(std::int64_t begin, std::int64_t end) const {
  if (IsUniform()) return (end - begin) / rule_.interval * std::ssize(TimesOf(0));
  std::size_t sum = 0;
  Days before;
  Days found;
  if (SharesDays()) DaysOf(begin - 1, before);
  for (std::int64_t period = begin; period < end; period += rule_.interval) {
    DaysOf(period, found);
    const std::size_t count = found.size() * times_of_day_.size();
    sum += rule_.by_set_pos.empty() ? count : Chosen(count).size();
    if (SharesDays()) {
      sum -= CountTwice(before, found);
      std::swap(before, found);
    }
  }
  return static_cast<std::int64_t>(sum);
}

std::int64_t RecurrencePattern::CountFromFirstPeriod(LocalSeconds last) const {
  const std::int64_t end = ActiveAtOrBefore(PeriodOf(std::chrono::floor<days>(last)));
  // The periods that may also have times after `last` are counted time by time.
  const std::int64_t partial = rule_.skip == Skip::kForward ? end - rule_.interval : end;
  std::int64_t count = CountPeriods(FirstPeriod(), partial);
  for (std::int64_t period = partial; period <= end; period += rule_.interval) {
    const Times times = TimesOf(period);
    count += std::upper_bound(times.begin(), times.end(), last) - times.begin();
  }
  return count;
}

std::int64_t RecurrencePattern::CountUpTo(LocalSeconds last) const {
  return last <= start_ ? 0 : CountFromFirstPeriod(last) - CountFromFirstPeriod(start_);
}

bool RecurrencePattern::NamesStart() const {
  for (std::int64_t period = FirstPeriod(); period <= 0; period += rule_.interval) {
    const Times times = TimesOf(period);
    if (std::binary_search(times.begin(), times.end(), start_)) return true;
  }
  return false;
}

bool RecurrencePattern::NamesDayOfStart() const {
  const auto on_day = [this](LocalSeconds time) {
    return std::chrono::floor<days>(time) == first_day_;
  };
  // The day may have been carried over from the period before.
  return std::ranges::any_of(TimesOf(0), on_day) ||
         (SharesDays() && std::ranges::any_of(TimesOf(-1), on_day));
}

bool RecurrencePattern::Contains(LocalSeconds time) const {
  return From(time, time + seconds{1}).Next().has_value();
}

}  // namespace todo::domain

#include "domain/recurrence/rule_move.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "domain/recurrence/recurrence_pattern.h"
#include "util/status.h"

namespace todo::domain {
namespace {

using Frequency = RecurrenceRule::Frequency;
using Weekday = RecurrenceRule::Weekday;

bool Holds(const std::vector<int>& numbers, int value) {
  return std::ranges::find(numbers, value) != numbers.end();
}

/// A day as the parts of a rule number it: from the beginning, and from the end.
struct Numbered {
  int from_begin;
  int from_end;  // negative
};

Numbered DayOfMonth(absl::CivilDay day) {
  const absl::CivilDay end(absl::CivilMonth(day) + 1);
  return {day.day(), static_cast<int>(day - end)};
}

/// Which of its weekdays `day` is, in its month or year.
Numbered WeekdayPosition(absl::CivilDay day, bool in_month) {
  const absl::CivilDay first =
      in_month ? absl::CivilDay(absl::CivilMonth(day)) : absl::CivilDay(absl::CivilYear(day));
  const absl::CivilDay end = in_month ? absl::CivilDay(absl::CivilMonth(day) + 1)
                                      : absl::CivilDay(absl::CivilYear(day) + 1);
  return {static_cast<int>((day - first) / 7) + 1, -static_cast<int>((end - 1 - day) / 7) - 1};
}

/// `rule` as it was written, on one line.
std::string Quote(std::string_view rule) {
  std::string shown(rule);
  std::ranges::replace_if(
      shown, [](char c) { return c >= 0 && c < ' '; }, ' ');
  return fmt::format("'{}'", shown);
}

/// A rule on its way to another day: each part that does not fit the day is noted, and follows
/// where it can.
class Move {
 public:
  /// `text`: how `rule` is written.
  Move(const RecurrenceRule& rule, std::string_view text, absl::CivilDay day)
      : rule_(rule), text_(text), moved_(rule), day_(day), date_(DayOfMonth(day)) {
    MoveMonth();
    MoveMonthDay();
    MoveWeekday();
    NoteWhatStays();
  }

  absl::StatusOr<RecurrenceRule> Result() && {
    if (can_follow_ && Names(moved_)) return std::move(moved_);
    if (parts_.empty()) NoteAll();
    return util::MakeStatus(
        absl::StatusCode::kInvalidArgument,
        fmt::format(
            "{:04}-{:02}-{:02} is not a date of {}, which cannot follow: {} in the same call, "
            "or choose a date that the rule names",
            day_.year(), day_.month(), day_.day(), Quote(text_), Advice()));
  }

 private:
  std::string Advice() const {
    const bool is_word = text_.find('=') == std::string_view::npos;
    if (is_word) return "replace task.recurrence_rule by a rule that names the day";
    return fmt::format("change {} of task.recurrence_rule", fmt::join(parts_, " and "));
  }

  bool Names(const RecurrenceRule& rule) const {
    return RecurrencePattern(rule, absl::CivilSecond(day_)).NamesDayOfStart();
  }

  void Note(std::string_view part, bool can_follow) {
    parts_.push_back(part);
    can_follow_ = can_follow_ && can_follow;
  }

  void MoveMonth() {
    if (rule_.by_month.empty() || Holds(rule_.by_month, day_.month())) return;
    Note("BYMONTH", rule_.by_month.size() == 1);
    moved_.by_month = {day_.month()};
  }

  void MoveMonthDay() {
    const std::vector<int>& days = rule_.by_month_day;
    if (days.empty() || Holds(days, date_.from_begin) || Holds(days, date_.from_end)) return;
    Note("BYMONTHDAY", days.size() == 1 && days.front() > 0);
    moved_.by_month_day = {date_.from_begin};
  }

  void MoveWeekday() {
    if (rule_.by_day.empty()) return;
    const std::chrono::weekday weekday{
        std::chrono::floor<std::chrono::days>(ToLocalSeconds(absl::CivilSecond(day_)))};
    const Numbered position =
        WeekdayPosition(day_, rule_.frequency == Frequency::kMonthly || !rule_.by_month.empty());
    const bool fits = std::ranges::any_of(rule_.by_day, [&](const Weekday& named) {
      return named.day == weekday &&
             (named.position == 0 || named.position == position.from_begin ||
              named.position == position.from_end);
    });
    if (fits) return;
    Note("BYDAY", rule_.by_day.size() == 1);
    const int was = rule_.by_day.front().position;
    moved_.by_day = {{was == 0 ? 0 : was > 0 ? position.from_begin : position.from_end, weekday}};
  }

  /// Parts that choose by counting, which one day does not tell how to go on with.
  void NoteWhatStays() {
    if (!rule_.by_week_no.empty()) {
      RecurrenceRule weeks;  // any of their days
      weeks.frequency = Frequency::kYearly;
      weeks.by_week_no = rule_.by_week_no;
      weeks.week_start = rule_.week_start;
      can_follow_ = false;
      if (!Names(weeks)) Note("BYWEEKNO", false);
    }
    if (!rule_.by_year_day.empty()) {
      const int day = static_cast<int>(day_ - absl::CivilDay(absl::CivilYear(day_))) + 1;
      const int days = static_cast<int>(absl::CivilDay(absl::CivilYear(day_) + 1) -
                                        absl::CivilDay(absl::CivilYear(day_)));
      if (Holds(rule_.by_year_day, day) || Holds(rule_.by_year_day, day - days - 1)) {
        can_follow_ = false;
      } else {
        Note("BYYEARDAY", false);
      }
    }
    if (!rule_.by_set_pos.empty()) Note("BYSETPOS", false);
  }

  /// Each part fits, but not all together.
  void NoteAll() {
    if (!rule_.by_month.empty()) Note("BYMONTH", false);
    if (!rule_.by_week_no.empty()) Note("BYWEEKNO", false);
    if (!rule_.by_year_day.empty()) Note("BYYEARDAY", false);
    if (!rule_.by_month_day.empty()) Note("BYMONTHDAY", false);
    if (!rule_.by_day.empty()) Note("BYDAY", false);
  }

  const RecurrenceRule& rule_;
  std::string_view text_;
  RecurrenceRule moved_;
  absl::CivilDay day_;
  Numbered date_;
  std::vector<std::string_view> parts_;  // those that do not fit the day
  bool can_follow_ = true;
};

/// `from`: nullopt where there was no time of day.
void MoveTime(std::vector<int>& part, std::optional<int> from, int to) {
  if (part.empty() || from == to || Holds(part, to)) return;
  if (part.size() == 1) part = {to};
  if (from) std::ranges::replace(part, *from, to);
  std::ranges::sort(part);
}

}  // namespace

absl::StatusOr<RecurrenceRule> MoveRule(std::string_view rule, absl::CivilSecond from,
                                        absl::CivilSecond to, Days days) {
  TODO_ASSIGN_OR_RETURN(const RecurrenceRule parsed, ParseRecurrenceRule(rule));
  RecurrenceRule moved = parsed;
  if (absl::CivilDay(from) != absl::CivilDay(to) &&
      !RecurrencePattern(parsed, to).NamesDayOfStart()) {
    TODO_ASSIGN_OR_RETURN(moved, Move(parsed, rule, absl::CivilDay(to)).Result());
  }
  if (days == Days::kAfter) return moved;
  const auto was = [days](int part) {
    return days == Days::kBefore ? std::nullopt : std::optional<int>(part);
  };
  MoveTime(moved.by_hour, was(from.hour()), to.hour());
  MoveTime(moved.by_minute, was(from.minute()), to.minute());
  MoveTime(moved.by_second, was(from.second()), to.second());
  return moved;
}

RecurrenceRule KeepDays(const RecurrenceRule& rule, absl::CivilSecond anchor,
                        absl::CivilSecond start) {
  const RecurrenceRule kept = RecurrencePattern(rule, anchor).rule();
  return kept == RecurrencePattern(rule, start).rule() ? rule : kept;
}

}  // namespace todo::domain

#include <fmt/format.h>

#include <string>
#include <string_view>
#include <vector>

#include "domain/recurrence/recurrence_rule.h"
#include "domain/recurrence/rule_text.h"

namespace todo::domain {
namespace {

using rule_text::kFrequencies;
using rule_text::kSkips;
using rule_text::NameOf;
using Skip = RecurrenceRule::Skip;
using Until = RecurrenceRule::Until;

std::string_view NameOf(std::chrono::weekday day) { return rule_text::kWeekdays[day.c_encoding()]; }

std::string Format(const Until& until) {
  const absl::CivilSecond& time = until.time;
  std::string value = fmt::format("{:04}{:02}{:02}", time.year(), time.month(), time.day());
  if (until.kind != Until::Kind::kDate)
    value += fmt::format("T{:02}{:02}{:02}", time.hour(), time.minute(), time.second());
  if (until.kind == Until::Kind::kUtc) value += 'Z';
  return value;
}

}  // namespace

std::string FormatRecurrenceRule(const RecurrenceRule& rule) {
  std::string text;
  auto add = [&text](std::string_view name, std::string_view value) {
    text += fmt::format("{}{}={}", text.empty() ? "" : ";", name, value);
  };
  auto add_numbers = [&add](std::string_view name, const std::vector<int>& numbers) {
    if (!numbers.empty()) add(name, fmt::format("{}", fmt::join(numbers, ",")));
  };

  if (rule.skip != Skip::kOmit) add("RSCALE", "GREGORIAN");
  add("FREQ", NameOf(kFrequencies, rule.frequency));
  if (rule.interval != 1) add("INTERVAL", fmt::format("{}", rule.interval));
  if (rule.count) add("COUNT", fmt::format("{}", *rule.count));
  if (rule.until) add("UNTIL", Format(*rule.until));
  add_numbers("BYMONTH", rule.by_month);
  add_numbers("BYWEEKNO", rule.by_week_no);
  add_numbers("BYYEARDAY", rule.by_year_day);
  add_numbers("BYMONTHDAY", rule.by_month_day);
  if (!rule.by_day.empty()) {
    std::vector<std::string> days;
    for (const RecurrenceRule::Weekday& weekday : rule.by_day) {
      days.push_back((weekday.position == 0 ? "" : fmt::format("{}", weekday.position)) +
                     std::string(NameOf(weekday.day)));
    }
    add("BYDAY", fmt::format("{}", fmt::join(days, ",")));
  }
  add_numbers("BYHOUR", rule.by_hour);
  add_numbers("BYMINUTE", rule.by_minute);
  add_numbers("BYSECOND", rule.by_second);
  add_numbers("BYSETPOS", rule.by_set_pos);
  if (rule.week_start != std::chrono::Monday) add("WKST", NameOf(rule.week_start));
  if (rule.skip != Skip::kOmit) add("SKIP", NameOf(kSkips, rule.skip));
  return text;
}

}  // namespace todo::domain

#include "domain/recurrence/recurrence_rule.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "absl/strings/str_replace.h"
#include "domain/recurrence/rule_text.h"
#include "util/status.h"

namespace todo::domain {
namespace {

using rule_text::Find;
using rule_text::kFrequencies;
using rule_text::kMaxYearDay;
using rule_text::kSkips;
using rule_text::NameTable;
using rule_text::Quote;
using rule_text::ReadNumbers;
using rule_text::ReadPositive;
using rule_text::ReadUntil;
using rule_text::ReadWeekday;
using rule_text::ReadWeekdays;
using rule_text::Refuse;
using rule_text::Split;
using rule_text::ToUpper;
using rule_text::TrimSpace;

using Frequency = RecurrenceRule::Frequency;
using Skip = RecurrenceRule::Skip;
using Weekday = RecurrenceRule::Weekday;

constexpr NameTable<std::string_view, 5> kWords = {{
    {"DAILY", "FREQ=DAILY"},
    {"WEEKLY", "FREQ=WEEKLY"},
    {"MONTHLY", "RSCALE=GREGORIAN;FREQ=MONTHLY;SKIP=BACKWARD"},
    {"YEARLY", "RSCALE=GREGORIAN;FREQ=YEARLY;SKIP=BACKWARD"},
    {"WEEKDAYS", "FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR"},
}};

constexpr int kMaxWeekOfYear = 53;
// A day of month below this one does not exist in some month.
constexpr int kLastSureMonthDay = -28;

/// `text` without the breaks by which iCalendar files fold long lines (RFC 5545, 3.1).
std::string Unfold(std::string_view text) {
  return absl::StrReplaceAll(util::ToAbsl(text),
                             {{"\r\n ", ""}, {"\r\n\t", ""}, {"\n ", ""}, {"\n\t", ""}});
}

/// Reads the parts one after another, in any case, then checks their combination.
class RuleReader {
 public:
  absl::Status ReadPart(std::string_view part) {
    std::size_t equals = part.find('=');
    if (equals == std::string_view::npos || equals == 0 || equals + 1 == part.size()) {
      return Refuse(part.empty() ? "there are two semicolons without a part between them"
                                 : fmt::format("{} is not of the form NAME=VALUE", Quote(part)));
    }
    const std::string name = ToUpper(part.substr(0, equals));
    if (Has(name)) return Refuse(fmt::format("{} is given twice", Quote(part.substr(0, equals))));
    seen_.push_back(name);
    const std::optional<absl::Status> status = ReadValue(name, part.substr(equals + 1));
    if (status) return *status;
    return Refuse(fmt::format("there is no part called {}", Quote(part.substr(0, equals))));
  }

  absl::StatusOr<RecurrenceRule> Finish() && {
    TODO_RETURN_IF_ERROR(CheckCombination());
    return std::move(rule_);
  }

 private:
  bool Has(std::string_view name) const {
    return std::find(seen_.begin(), seen_.end(), name) != seen_.end();
  }

  /// nullopt: there is no part of that name.
  std::optional<absl::Status> ReadValue(std::string_view name, std::string_view value) {
    if (name == "FREQ") return ReadFrequency(value);
    if (name == "INTERVAL")
      return Store(ReadPositive(name, value, kMaxRuleInterval), rule_.interval);
    if (name == "COUNT") return Store(ReadPositive(name, value, kMaxRuleCount), rule_.count);
    if (name == "UNTIL") return Store(ReadUntil(value), rule_.until);
    if (name == "BYMONTH") return Store(ReadNumbers(name, value, {1, 12}), rule_.by_month);
    if (name == "BYWEEKNO")
      return Store(ReadNumbers(name, value, {1, kMaxWeekOfYear, true}), rule_.by_week_no);
    if (name == "BYYEARDAY")
      return Store(ReadNumbers(name, value, {1, kMaxYearDay, true}), rule_.by_year_day);
    if (name == "BYMONTHDAY")
      return Store(ReadNumbers(name, value, {1, 31, true}), rule_.by_month_day);
    if (name == "BYDAY") return Store(ReadWeekdays(value), rule_.by_day);
    if (name == "BYHOUR") return Store(ReadNumbers(name, value, {0, 23}), rule_.by_hour);
    if (name == "BYMINUTE") return Store(ReadNumbers(name, value, {0, 59}), rule_.by_minute);
    if (name == "BYSECOND") return Store(ReadNumbers(name, value, {0, 59}), rule_.by_second);
    if (name == "BYSETPOS")
      return Store(ReadNumbers(name, value, {1, kMaxYearDay, true}), rule_.by_set_pos);
    if (name == "WKST") return ReadWeekStart(value);
    if (name == "SKIP") return ReadSkip(value);
    if (name == "RSCALE") {
      if (ToUpper(value) == "GREGORIAN") return absl::OkStatus();
      return Refuse(fmt::format("RSCALE must be GREGORIAN, no other calendar is known; not {}",
                                Quote(value)));
    }
    if (name.starts_with("DTSTART"))
      return Refuse("DTSTART is not a part of a rule: the due date is the start");
    return std::nullopt;
  }

  template <typename Value, typename Field>
  static absl::Status Store(absl::StatusOr<Value> value, Field& field) {
    if (!value.ok()) return value.status();
    field = *std::move(value);
    return absl::OkStatus();
  }

  absl::Status ReadFrequency(std::string_view value) {
    const std::string upper = ToUpper(value);
    if (upper == "HOURLY" || upper == "MINUTELY" || upper == "SECONDLY") {
      return Refuse(
          "a task can repeat once a day at most, not HOURLY, MINUTELY or SECONDLY; name times with "
          "BYHOUR");
    }
    std::optional<Frequency> frequency = Find(kFrequencies, value);
    if (!frequency)
      return Refuse(
          fmt::format("FREQ must be DAILY, WEEKLY, MONTHLY or YEARLY, not {}", Quote(value)));
    rule_.frequency = *frequency;
    return absl::OkStatus();
  }

  absl::Status ReadWeekStart(std::string_view value) {
    std::optional<std::chrono::weekday> day = ReadWeekday(value);
    if (!day)
      return Refuse(fmt::format("WKST must be a day such as MO or SU, not {}", Quote(value)));
    rule_.week_start = *day;
    return absl::OkStatus();
  }

  absl::Status ReadSkip(std::string_view value) {
    std::optional<Skip> skip = Find(kSkips, value);
    if (!skip)
      return Refuse(fmt::format("SKIP must be OMIT, BACKWARD or FORWARD, not {}", Quote(value)));
    rule_.skip = *skip;
    return absl::OkStatus();
  }

  absl::Status CheckCombination() const {
    const Frequency frequency = rule_.frequency;
    if (!Has("FREQ"))
      return Refuse("FREQ is missing: start with FREQ=DAILY, WEEKLY, MONTHLY or YEARLY");
    if (rule_.count && rule_.until) return Refuse("COUNT and UNTIL cannot be used together");
    if (!rule_.by_week_no.empty() && frequency != Frequency::kYearly) {
      return Refuse("BYWEEKNO can only be used with FREQ=YEARLY");
    }
    if (!rule_.by_year_day.empty() && frequency != Frequency::kYearly) {
      return Refuse("BYYEARDAY can only be used with FREQ=YEARLY");
    }
    if (!rule_.by_month_day.empty() && frequency == Frequency::kWeekly) {
      return Refuse("BYMONTHDAY cannot be used with FREQ=WEEKLY");
    }
    bool has_position = std::any_of(rule_.by_day.begin(), rule_.by_day.end(),
                                    [](const Weekday& weekday) { return weekday.position != 0; });
    if (has_position && frequency != Frequency::kMonthly && frequency != Frequency::kYearly) {
      return Refuse("BYDAY can only have a number, as in 2TU, with FREQ=MONTHLY or YEARLY");
    }
    if (has_position && !rule_.by_week_no.empty()) {
      return Refuse("BYDAY cannot have a number, as in 2TU, together with BYWEEKNO");
    }
    if (Has("BYSETPOS") && std::none_of(seen_.begin(), seen_.end(), [](std::string_view name) {
          return name.starts_with("BY") && name != "BYSETPOS";
        })) {
      return Refuse("BYSETPOS needs another BY part to choose from");
    }
    if (Has("SKIP") && !Has("RSCALE")) return Refuse("SKIP needs RSCALE=GREGORIAN");
    if (rule_.skip != Skip::kOmit &&
        ((!rule_.by_month_day.empty() && rule_.by_month_day.front() < kLastSureMonthDay) ||
         (!rule_.by_year_day.empty() && rule_.by_year_day.front() == -kMaxYearDay))) {
      return Refuse("SKIP cannot be used with BYMONTHDAY=-29, -30, -31 or BYYEARDAY=-366");
    }
    if (rule_.skip != Skip::kOmit && !rule_.by_week_no.empty() &&
        (!rule_.by_month_day.empty() || !rule_.by_year_day.empty())) {
      return Refuse("SKIP cannot be used with BYWEEKNO and BYMONTHDAY or BYYEARDAY");
    }
    std::size_t times = 1;
    for (const std::vector<int>* list : {&rule_.by_hour, &rule_.by_minute, &rule_.by_second}) {
      times *= std::max<std::size_t>(1, list->size());
    }
    if (times > kMaxTimesOfDay) {
      return Refuse(
          fmt::format("BYHOUR, BYMINUTE and BYSECOND name {} times of day together; {} are allowed",
                      times, kMaxTimesOfDay));
    }
    return absl::OkStatus();
  }

  RecurrenceRule rule_;
  std::vector<std::string> seen_;  // names in capitals
};

}  // namespace

absl::StatusOr<RecurrenceRule> ParseRecurrenceRule(std::string_view text) {
  if (text.size() > kMaxRuleBytes)
    return Refuse(fmt::format("it is longer than {} bytes", kMaxRuleBytes));
  constexpr std::string_view kPrefix = "RRULE:";
  const std::string unfolded = Unfold(text);
  std::string_view rest = TrimSpace(unfolded);
  if (ToUpper(rest.substr(0, kPrefix.size())) == kPrefix) rest.remove_prefix(kPrefix.size());
  rest = TrimSpace(rest);
  if (rest.starts_with(';')) rest.remove_prefix(1);
  if (rest.ends_with(';')) rest.remove_suffix(1);
  if (rest.empty()) return Refuse("it is empty: leave it out, or write one such as FREQ=DAILY");
  if (auto meaning = Find(kWords, rest)) rest = *meaning;
  if (rest.find('=') == std::string_view::npos) {
    return Refuse(fmt::format(
        "{} is neither daily, weekdays, weekly, monthly or yearly nor a rule such as FREQ=DAILY",
        Quote(rest)));
  }
  RuleReader reader;
  for (std::string_view part : Split(rest, ';')) TODO_RETURN_IF_ERROR(reader.ReadPart(part));
  return std::move(reader).Finish();
}

std::vector<std::string_view> LimitToDays(RecurrenceRule& rule) {
  std::vector<std::string_view> ignored;
  auto ignore = [&ignored](std::string_view name, std::vector<int>& part) {
    if (!part.empty()) ignored.push_back(name);
    part.clear();
  };
  ignore("BYHOUR", rule.by_hour);
  ignore("BYMINUTE", rule.by_minute);
  ignore("BYSECOND", rule.by_second);
  if (rule.until)
    rule.until = {RecurrenceRule::Until::Kind::kDate,
                  absl::CivilSecond(absl::CivilDay(rule.until->time))};
  return ignored;
}

}  // namespace todo::domain

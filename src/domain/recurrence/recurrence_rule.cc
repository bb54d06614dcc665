#include "domain/recurrence/recurrence_rule.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <tuple>
#include <utility>

#include "absl/strings/str_replace.h"
#include "domain/task/task.h"
#include "util/status.h"
#include "util/utf8.h"

namespace todo::domain {
namespace {

using Frequency = RecurrenceRule::Frequency;
using Skip = RecurrenceRule::Skip;
using Until = RecurrenceRule::Until;
using Weekday = RecurrenceRule::Weekday;

constexpr std::array<std::pair<std::string_view, std::string_view>, 5> kWords = {{
    {"DAILY", "FREQ=DAILY"},
    {"WEEKLY", "FREQ=WEEKLY"},
    {"MONTHLY", "RSCALE=GREGORIAN;FREQ=MONTHLY;SKIP=BACKWARD"},
    {"YEARLY", "RSCALE=GREGORIAN;FREQ=YEARLY;SKIP=BACKWARD"},
    {"WEEKDAYS", "FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR"},
}};

constexpr std::array<std::pair<std::string_view, Frequency>, 4> kFrequencies = {{
    {"DAILY", Frequency::kDaily},
    {"WEEKLY", Frequency::kWeekly},
    {"MONTHLY", Frequency::kMonthly},
    {"YEARLY", Frequency::kYearly},
}};

constexpr std::array<std::pair<std::string_view, Skip>, 3> kSkips = {{
    {"OMIT", Skip::kOmit},
    {"BACKWARD", Skip::kBackward},
    {"FORWARD", Skip::kForward},
}};

constexpr std::array<std::string_view, 7> kWeekdays = {"SU", "MO", "TU", "WE",
                                                       "TH", "FR", "SA"};  // by C encoding

constexpr std::string_view kSpace = " \t\r\n";
constexpr std::size_t kQuotedBytes = 40;
constexpr int kMaxWeekdayPosition = 53;
constexpr int kMaxYearDay = 366;
constexpr int kMaxWeekOfYear = 53;
// A day of month below this is one that some month lacks.
constexpr int kLastSureMonthDay = -28;

absl::Status Refuse(std::string_view reason) {
  return util::MakeStatus(absl::StatusCode::kInvalidArgument,
                          fmt::format("recurrence rule: {}", reason));
}

/// `text` in quotation marks, as it was written as far as it can be shown.
std::string Quote(std::string_view text) {
  std::string shown = util::CutText(text, kQuotedBytes);
  const bool is_utf8 = util::CountCharacters(shown).has_value();
  for (char& c : shown) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < ' ' || byte == 0x7f || (byte >= 0x80 && !is_utf8)) c = '?';
  }
  return fmt::format("'{}'", shown);
}

std::string_view TrimSpace(std::string_view text) {
  std::size_t first = text.find_first_not_of(kSpace);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kSpace) - first + 1);
}

/// `text` without the breaks by which iCalendar files fold long lines (RFC 5545, 3.1).
std::string Unfold(std::string_view text) {
  return absl::StrReplaceAll(util::ToAbsl(text),
                             {{"\r\n ", ""}, {"\r\n\t", ""}, {"\n ", ""}, {"\n\t", ""}});
}

std::string ToUpper(std::string_view text) {
  std::string upper(text);
  for (char& c : upper) {
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
  }
  return upper;
}

/// The pieces of `text` between separators, without space around them; "a,,b" has three.
std::vector<std::string_view> Split(std::string_view text, char separator) {
  std::vector<std::string_view> pieces;
  while (true) {
    std::size_t end = text.find(separator);
    pieces.push_back(TrimSpace(text.substr(0, end)));
    if (end == std::string_view::npos) return pieces;
    text.remove_prefix(end + 1);
  }
}

template <typename Value, std::size_t n>
std::optional<Value> Find(const std::array<std::pair<std::string_view, Value>, n>& table,
                          std::string_view name) {
  for (const auto& [entry, value] : table) {
    if (entry == ToUpper(name)) return value;
  }
  return std::nullopt;
}

template <typename Value, std::size_t n>
std::string_view NameOf(const std::array<std::pair<std::string_view, Value>, n>& table,
                        Value value) {
  for (const auto& [name, entry] : table) {
    if (entry == value) return name;
  }
  return {};
}

/// Digits only, at most nine of them.
std::optional<int> ReadNumber(std::string_view text) {
  if (text.empty() || text.size() > 9) return std::nullopt;
  int value = 0;
  for (char c : text) {
    if (c < '0' || c > '9') return std::nullopt;
    value = value * 10 + (c - '0');
  }
  return value;
}

std::optional<int> ReadSignedNumber(std::string_view text) {
  bool negative = !text.empty() && text.front() == '-';
  if (negative || (!text.empty() && text.front() == '+')) text.remove_prefix(1);
  std::optional<int> value = ReadNumber(text);
  if (value && negative) value = -*value;
  return value;
}

std::optional<std::chrono::weekday> ReadWeekday(std::string_view text) {
  auto found = std::find(kWeekdays.begin(), kWeekdays.end(), ToUpper(text));
  if (found == kWeekdays.end()) return std::nullopt;
  return std::chrono::weekday{static_cast<unsigned>(found - kWeekdays.begin())};
}

/// A whole number from 1 to `high`.
absl::StatusOr<int> ReadPositive(std::string_view name, std::string_view text, int high) {
  std::optional<int> value = ReadNumber(text);
  if (!value || *value < 1 || *value > high) {
    return Refuse(
        fmt::format("{} must be a whole number from 1 to {}, not {}", name, high, Quote(text)));
  }
  return *value;
}

/// Which numbers a list part may hold: low..high, and when `from_end` also -high..-1.
struct NumberRange {
  int low;
  int high;
  bool from_end = false;
};

absl::StatusOr<std::vector<int>> ReadNumbers(std::string_view name, std::string_view text,
                                             NumberRange range) {
  std::vector<int> numbers;
  for (std::string_view piece : Split(text, ',')) {
    std::optional<int> value = range.from_end ? ReadSignedNumber(piece) : ReadNumber(piece);
    int magnitude = value ? std::abs(*value) : -1;
    if (magnitude < range.low || magnitude > range.high) {
      return Refuse(fmt::format("{} takes numbers from {} to {}{}, separated by commas, not {}",
                                name, range.low, range.high,
                                range.from_end ? fmt::format(" or -{} to -1", range.high) : "",
                                Quote(piece)));
    }
    numbers.push_back(*value);
  }
  std::sort(numbers.begin(), numbers.end());
  numbers.erase(std::unique(numbers.begin(), numbers.end()), numbers.end());
  return numbers;
}

absl::StatusOr<std::vector<Weekday>> ReadWeekdays(std::string_view text) {
  std::vector<Weekday> weekdays;
  for (std::string_view piece : Split(text, ',')) {
    std::string_view name = piece.substr(piece.size() < 2 ? 0 : piece.size() - 2);
    std::string_view position_text = piece.substr(0, piece.size() - name.size());
    std::optional<std::chrono::weekday> day = ReadWeekday(name);
    std::optional<int> position = position_text.empty() ? 0 : ReadSignedNumber(position_text);
    if (!day || !position || std::abs(*position) > kMaxWeekdayPosition ||
        (*position == 0 && !position_text.empty())) {
      return Refuse(fmt::format(
          "BYDAY takes days such as MO, 2TU or -1FR, separated by commas, not {}", Quote(piece)));
    }
    weekdays.push_back({*position, *day});
  }
  auto order = [](const Weekday& weekday) {
    return std::tuple(weekday.position, weekday.day.iso_encoding());
  };
  std::sort(weekdays.begin(), weekdays.end(),
            [order](const Weekday& a, const Weekday& b) { return order(a) < order(b); });
  weekdays.erase(std::unique(weekdays.begin(), weekdays.end()), weekdays.end());
  return weekdays;
}

absl::StatusOr<Until> ReadUntil(std::string_view as_written) {
  absl::Status error = Refuse(
      fmt::format("UNTIL must be a date or time such as 20261130 or 20261130T235959Z, not {}",
                  Quote(as_written)));
  const std::string upper = ToUpper(as_written);
  const std::string_view text = upper;
  bool has_time = text.size() == 15 || text.size() == 16;
  if ((text.size() != 8 && !has_time) || (has_time && text[8] != 'T') ||
      (text.size() == 16 && text[15] != 'Z')) {
    return error;
  }
  std::optional<int> date = ReadNumber(text.substr(0, 8));
  std::optional<int> time = has_time ? ReadNumber(text.substr(9, 6)) : 0;
  if (!date || !time) return error;
  absl::CivilSecond until(*date / 10'000, *date / 100 % 100, *date % 100, *time / 10'000,
                          *time / 100 % 100, *time % 100);
  // CivilSecond carries 31 April over to 1 May; a date that moved does not exist.
  if (until.year() != *date / 10'000 || until.month() != *date / 100 % 100 ||
      until.day() != *date % 100 || until.hour() != *time / 10'000 ||
      until.minute() != *time / 100 % 100 || until.second() != *time % 100) {
    return error;
  }
  return Until{!has_time           ? Until::Kind::kDate
               : text.size() == 16 ? Until::Kind::kUtc
                                   : Until::Kind::kFloating,
               until};
}

/// Reads the parts one after another, then checks what holds between them. Case does not count.
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
      return Refuse("DTSTART is no part of a rule: the due date is the start");
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

std::string FormatRecurrenceRule(const RecurrenceRule& rule) {
  std::string text;
  auto add = [&text](std::string_view name, std::string_view value) {
    text += fmt::format("{}{}={}", text.empty() ? "" : ";", name, value);
  };
  auto add_numbers = [&add](std::string_view name, const std::vector<int>& numbers) {
    if (!numbers.empty()) add(name, fmt::format("{}", fmt::join(numbers, ",")));
  };
  auto name_of = [](std::chrono::weekday day) { return kWeekdays[day.c_encoding()]; };

  if (rule.skip != Skip::kOmit) add("RSCALE", "GREGORIAN");
  add("FREQ", NameOf(kFrequencies, rule.frequency));
  if (rule.interval != 1) add("INTERVAL", fmt::format("{}", rule.interval));
  if (rule.count) add("COUNT", fmt::format("{}", *rule.count));
  if (rule.until) {
    const absl::CivilSecond& time = rule.until->time;
    std::string value = fmt::format("{:04}{:02}{:02}", time.year(), time.month(), time.day());
    if (rule.until->kind != Until::Kind::kDate) {
      value += fmt::format("T{:02}{:02}{:02}", time.hour(), time.minute(), time.second());
    }
    if (rule.until->kind == Until::Kind::kUtc) value += 'Z';
    add("UNTIL", value);
  }
  add_numbers("BYMONTH", rule.by_month);
  add_numbers("BYWEEKNO", rule.by_week_no);
  add_numbers("BYYEARDAY", rule.by_year_day);
  add_numbers("BYMONTHDAY", rule.by_month_day);
  if (!rule.by_day.empty()) {
    std::vector<std::string> days;
    for (const Weekday& weekday : rule.by_day) {
      days.push_back((weekday.position == 0 ? "" : fmt::format("{}", weekday.position)) +
                     std::string(name_of(weekday.day)));
    }
    add("BYDAY", fmt::format("{}", fmt::join(days, ",")));
  }
  add_numbers("BYHOUR", rule.by_hour);
  add_numbers("BYMINUTE", rule.by_minute);
  add_numbers("BYSECOND", rule.by_second);
  add_numbers("BYSETPOS", rule.by_set_pos);
  if (rule.week_start != std::chrono::Monday) add("WKST", name_of(rule.week_start));
  if (rule.skip != Skip::kOmit) add("SKIP", NameOf(kSkips, rule.skip));
  return text;
}

}  // namespace todo::domain

#include "domain/time.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <optional>

#include "util/status.h"

namespace todo::domain {
namespace {

using std::chrono::days;
using std::chrono::microseconds;
using std::chrono::seconds;

absl::Status Refuse(std::string_view what) {
  return util::MakeStatus(
      absl::StatusCode::kInvalidArgument,
      fmt::format("not an RFC 3339 date-time such as 2026-10-24T09:00:00Z: {}", what));
}

/// Reads text from the left. After a failure every further step fails too.
class Scanner {
 public:
  explicit Scanner(std::string_view text) : rest_(text) {}

  /// Exactly `count` digits, as a number within [low, high].
  std::optional<int> Number(std::size_t count, int low, int high) {
    if (rest_.size() < count) return std::nullopt;
    int value = 0;
    for (char c : rest_.substr(0, count)) {
      if (c < '0' || c > '9') return std::nullopt;
      value = value * 10 + (c - '0');
    }
    rest_.remove_prefix(count);
    if (value < low || value > high) return std::nullopt;
    return value;
  }

  bool Take(char expected) {
    if (rest_.empty() || rest_.front() != expected) return false;
    rest_.remove_prefix(1);
    return true;
  }

  bool TakeEither(char first, char second) { return Take(first) || Take(second); }

  /// The digits at the front, perhaps none.
  std::string_view Digits() {
    std::size_t count = 0;
    while (count < rest_.size() && rest_[count] >= '0' && rest_[count] <= '9') ++count;
    std::string_view digits = rest_.substr(0, count);
    rest_.remove_prefix(count);
    return digits;
  }

  bool AtEnd() const { return rest_.empty(); }

 private:
  std::string_view rest_;
};

std::optional<seconds> ScanOffset(Scanner& scanner) {
  if (scanner.TakeEither('Z', 'z')) return seconds{0};
  int sign = 1;
  if (scanner.Take('-')) {
    sign = -1;
  } else if (!scanner.Take('+')) {
    return std::nullopt;
  }
  auto hours = scanner.Number(2, 0, 23);
  if (!hours || !scanner.Take(':')) return std::nullopt;
  auto minutes = scanner.Number(2, 0, 59);
  if (!minutes) return std::nullopt;
  return seconds{sign * (*hours * 3600 + *minutes * 60)};
}

/// An RFC 3339 date-time of any year.
absl::StatusOr<Instant> Read(std::string_view text) {
  Scanner scanner(text);
  auto year = scanner.Number(4, 0, 9999);
  if (!year || !scanner.Take('-'))
    return Refuse("it does not begin with a year of four digits and '-'");
  auto month = scanner.Number(2, 1, 12);
  if (!month || !scanner.Take('-')) return Refuse("the month is not 01 to 12");
  auto day = scanner.Number(2, 1, 31);
  std::chrono::year_month_day date{std::chrono::year{*year},
                                   std::chrono::month{static_cast<unsigned>(*month)},
                                   std::chrono::day{static_cast<unsigned>(day.value_or(0))}};
  if (!date.ok()) return Refuse("there is no such day");
  if (!scanner.TakeEither('T', 't')) return Refuse("a 'T' and a time of day must follow the date");
  auto hour = scanner.Number(2, 0, 23);
  if (!hour || !scanner.Take(':')) return Refuse("the hour is not 00 to 23");
  auto minute = scanner.Number(2, 0, 59);
  if (!minute || !scanner.Take(':')) return Refuse("the minute is not 00 to 59");
  auto second = scanner.Number(2, 0, 60);
  if (!second) return Refuse("the second is not 00 to 59");
  microseconds fraction{0};
  if (scanner.Take('.')) {
    std::string_view digits = scanner.Digits();
    if (digits.empty()) return Refuse("no digit follows the decimal point");
    std::int64_t value = 0;
    for (std::size_t i = 0; i < 6; ++i)
      value = value * 10 + (i < digits.size() ? digits[i] - '0' : 0);
    fraction = microseconds{value};
  }
  auto offset = ScanOffset(scanner);
  if (!offset) return Refuse("it must end in 'Z' or an offset such as +02:00");
  if (!scanner.AtEnd()) return Refuse("something follows the offset");

  std::chrono::sys_seconds whole =
      std::chrono::sys_days{date} + seconds{*hour * 3600 + *minute * 60 + *second} - *offset;
  if (*second == 60) {
    // `whole` is already the start of the next minute; a leap second is always the last second of a
    // UTC day.
    if (whole != std::chrono::floor<days>(whole))
      return Refuse("only 23:59:60 UTC can be a leap second");
    fraction = microseconds{0};
  }
  return whole + fraction;
}

}  // namespace

absl::StatusOr<Instant> ParseInstant(std::string_view text) {
  TODO_ASSIGN_OR_RETURN(const Instant instant, Read(text));
  if (instant < kMinInstant || instant > kMaxInstant)
    return Refuse("the year must be 1970 to 9999");
  return instant;
}

absl::StatusOr<Instant> ParseAnyInstant(std::string_view text) {
  TODO_ASSIGN_OR_RETURN(const Instant instant, Read(text));
  return std::clamp(instant, kFirstInstant, kMaxInstant);
}

std::string FormatInstant(Instant instant) {
  auto day = std::chrono::floor<days>(instant);
  std::chrono::year_month_day date{day};
  std::chrono::hh_mm_ss time{instant - day};
  std::string text =
      fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}", static_cast<int>(date.year()),
                  static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                  time.hours().count(), time.minutes().count(), time.seconds().count());
  if (auto micros = time.subseconds().count(); micros % 1000 != 0) {
    text += fmt::format(".{:06}", micros);
  } else if (micros != 0) {
    text += fmt::format(".{:03}", micros / 1000);
  }
  return text + 'Z';
}

absl::StatusOr<std::chrono::seconds> ParseTimeOfDay(std::string_view text) {
  const auto digits = [&text](std::size_t at, int limit) -> std::optional<int> {
    int value = 0;
    const auto [end, error] = std::from_chars(text.data() + at, text.data() + at + 2, value);
    if (error != std::errc() || end != text.data() + at + 2 || value < 0 || value >= limit)
      return std::nullopt;
    return value;
  };
  std::optional<int> hours;
  std::optional<int> minutes;
  std::optional<int> whole_seconds = 0;
  if ((text.size() == 5 || text.size() == 8) && text[2] == ':') {
    hours = digits(0, 24);
    minutes = digits(3, 60);
    if (text.size() == 8) whole_seconds = text[5] == ':' ? digits(6, 60) : std::nullopt;
  }
  if (!hours || !minutes || !whole_seconds) {
    return absl::InvalidArgumentError("must be a time of day such as 09:00");
  }
  return std::chrono::seconds(*hours * 3600 + *minutes * 60 + *whole_seconds);
}

std::string FormatTimeOfDay(std::chrono::seconds time) {
  const auto total = time.count();
  std::string text = fmt::format("{:02}:{:02}", total / 3600, total / 60 % 60);
  if (total % 60 != 0) text += fmt::format(":{:02}", total % 60);
  return text;
}

}  // namespace todo::domain

#include "domain/recurrence/rule_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <tuple>

#include "util/status.h"
#include "util/utf8.h"

namespace todo::domain::rule_text {
namespace {

using Until = RecurrenceRule::Until;
using Weekday = RecurrenceRule::Weekday;

constexpr std::string_view kSpace = " \t\r\n";
constexpr std::size_t kQuotedBytes = 40;
constexpr int kMaxWeekdayPosition = 53;

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

}  // namespace

absl::Status Refuse(std::string_view reason) {
  return util::MakeStatus(absl::StatusCode::kInvalidArgument,
                          fmt::format("recurrence rule: {}", reason));
}

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

std::string ToUpper(std::string_view text) {
  std::string upper(text);
  for (char& c : upper) {
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
  }
  return upper;
}

std::vector<std::string_view> Split(std::string_view text, char separator) {
  std::vector<std::string_view> pieces;
  while (true) {
    std::size_t end = text.find(separator);
    pieces.push_back(TrimSpace(text.substr(0, end)));
    if (end == std::string_view::npos) return pieces;
    text.remove_prefix(end + 1);
  }
}

std::optional<std::chrono::weekday> ReadWeekday(std::string_view text) {
  auto found = std::find(kWeekdays.begin(), kWeekdays.end(), ToUpper(text));
  if (found == kWeekdays.end()) return std::nullopt;
  return std::chrono::weekday{static_cast<unsigned>(found - kWeekdays.begin())};
}

absl::StatusOr<int> ReadPositive(std::string_view name, std::string_view text, int high) {
  std::optional<int> value = ReadNumber(text);
  if (!value || *value < 1 || *value > high) {
    return Refuse(
        fmt::format("{} must be a whole number from 1 to {}, not {}", name, high, Quote(text)));
  }
  return *value;
}

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

}  // namespace todo::domain::rule_text

#pragma once

#include <array>
#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "domain/recurrence/recurrence_rule.h"

// The names and values inside the text of a rule. For recurrence_rule.cc and
// recurrence_rule_format.cc only. Readers answer kInvalidArgument with a reason for people.

namespace todo::domain::rule_text {

template <typename Value, std::size_t n>
using NameTable = std::array<std::pair<std::string_view, Value>, n>;

inline constexpr NameTable<RecurrenceRule::Frequency, 4> kFrequencies = {{
    {"DAILY", RecurrenceRule::Frequency::kDaily},
    {"WEEKLY", RecurrenceRule::Frequency::kWeekly},
    {"MONTHLY", RecurrenceRule::Frequency::kMonthly},
    {"YEARLY", RecurrenceRule::Frequency::kYearly},
}};

inline constexpr NameTable<RecurrenceRule::Skip, 3> kSkips = {{
    {"OMIT", RecurrenceRule::Skip::kOmit},
    {"BACKWARD", RecurrenceRule::Skip::kBackward},
    {"FORWARD", RecurrenceRule::Skip::kForward},
}};

inline constexpr std::array<std::string_view, 7> kWeekdays = {"SU", "MO", "TU", "WE",
                                                              "TH", "FR", "SA"};  // by C encoding

inline constexpr int kMaxYearDay = 366;

/// kInvalidArgument: "recurrence rule: <reason>".
absl::Status Refuse(std::string_view reason);
/// `text` in quotation marks, shortened, and without bytes that cannot be shown.
std::string Quote(std::string_view text);

std::string_view TrimSpace(std::string_view text);
std::string ToUpper(std::string_view text);
/// The pieces of `text` between separators, without space around them; "a,,b" has three.
std::vector<std::string_view> Split(std::string_view text, char separator);

/// The value with that name, in any case.
template <typename Value, std::size_t n>
std::optional<Value> Find(const NameTable<Value, n>& table, std::string_view name) {
  const std::string upper = ToUpper(name);
  for (const auto& [entry, value] : table) {
    if (entry == upper) return value;
  }
  return std::nullopt;
}

/// The name of a value that is in the table.
template <typename Value, std::size_t n>
std::string_view NameOf(const NameTable<Value, n>& table, Value value) {
  for (const auto& [name, entry] : table) {
    if (entry == value) return name;
  }
  return {};
}

std::optional<std::chrono::weekday> ReadWeekday(std::string_view text);
/// A whole number from 1 to `high`, for the part `name`.
absl::StatusOr<int> ReadPositive(std::string_view name, std::string_view text, int high);

/// The numbers that a list may hold: low..high, and if `from_end` also -high..-1.
struct NumberRange {
  int low;
  int high;
  bool from_end = false;
};
/// A list of numbers for the part `name`, sorted and without repeats.
absl::StatusOr<std::vector<int>> ReadNumbers(std::string_view name, std::string_view text,
                                             NumberRange range);
/// The list of BYDAY, sorted and without repeats.
absl::StatusOr<std::vector<RecurrenceRule::Weekday>> ReadWeekdays(std::string_view text);
absl::StatusOr<RecurrenceRule::Until> ReadUntil(std::string_view as_written);

}  // namespace todo::domain::rule_text

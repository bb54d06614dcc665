#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

#include "chat/grammar/tokens.h"
#include "chat/grammar/words.h"

// Amounts of time: "3 days", "half an hour", "2h".

namespace todo::chat::grammar {

/// Elapsed time, or a number of days or months. One of the three is not zero.
struct Duration {
  std::chrono::minutes time{0};
  int days = 0;
  int months = 0;
};

/// The largest number of units that is read.
inline constexpr int kMaxCount = 9'999;

/// A whole number of units: digits or a word. 1 to kMaxCount.
std::optional<int> ReadCount(Cursor& cursor);

std::optional<Duration> ReadDuration(Cursor& cursor);

/// The time of "30 minutes before", "the day before" or "an hour earlier".
std::optional<Duration> ReadOffset(Cursor& cursor);

/// "1 hour 30 minutes", "2 days".
std::string InWords(const Duration& duration);

}  // namespace todo::chat::grammar

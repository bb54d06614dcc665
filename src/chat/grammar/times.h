#pragma once

#include <chrono>
#include <optional>

#include "chat/grammar/tokens.h"
#include "chat/grammar/words.h"
#include "domain/wording.h"

// Times of day: "9am", "15:00", "at 9", "noon", "2-3pm".

namespace todo::chat::grammar {

struct TimePhrase {
  std::chrono::seconds time{0};  // since midnight, as written
  bool either_half = false;      // 1 to 12 without am or pm: may stand for the afternoon
  bool is_bare = false;          // also an ordinary number or word: "at 9", "midnight"
  std::optional<Span> range;     // of "2-3pm", whose end is dropped
};

/// `after_preposition`: an hour alone is a time ("at 9").
std::optional<TimePhrase> ReadTime(Cursor& cursor, bool after_preposition);

/// The time of day that `part` stands for.
std::chrono::seconds TimeOf(DayPart part, const domain::Wording& wording);
/// The time of day that `time` means beside `part`: "at 8" is 20:00 beside "evening". Alone, an
/// hour of 1 to 6 without a half of the day is in the afternoon.
std::chrono::seconds TimeOf(const TimePhrase& time, std::optional<DayPart> part);

}  // namespace todo::chat::grammar

#include "chat/grammar/times.h"

#include <tuple>

namespace todo::chat::grammar {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;

constexpr int kNoon = 12;
constexpr int kLastAfternoonHour =
    6;  // of the hours that are in the afternoon when nothing is said

enum class Half { kMorning, kAfternoon };

struct Clock {
  int hour = 0;
  int minute = 0;
  bool has_minute = false;
  bool has_leading_zero = false;
  std::optional<Half> half;

  bool IsBare() const { return !has_minute && !half; }
};

std::optional<Half> ReadHalf(Cursor& cursor) {
  for (const auto& [letter, word, half] :
       {std::tuple{"a", "am", Half::kMorning}, std::tuple{"p", "pm", Half::kAfternoon}}) {
    if (cursor.Take(word)) return half;
    Cursor ahead = cursor;
    if (ahead.Take(letter) && ahead.TakeGlued(".") && ahead.TakeGlued("m")) {
      ahead.TakeGlued(".");
      cursor = ahead;
      return half;
    }
  }
  return std::nullopt;
}

std::optional<int> ReadTwoDigits(Cursor& cursor) {
  const Token& token = cursor.Peek();
  if (!cursor.IsNumber() || !token.glued || token.text.size() != 2) return std::nullopt;
  cursor.Skip();
  return token.number;
}

/// "9", "9am", "9:30", "9:30 pm", "9.30pm", "9 o'clock".
std::optional<Clock> ReadClock(Cursor& cursor) {
  Cursor ahead = cursor;
  const Token& number = ahead.Peek();
  if (!ahead.IsNumber() || number.text.size() > 2) return std::nullopt;
  Clock clock{.hour = number.number, .half = std::nullopt};
  clock.has_leading_zero = number.text.size() == 2 && number.number < 10;
  ahead.Skip();
  cursor = ahead;

  const bool colon = ahead.TakeGlued(":");
  if (colon || ahead.TakeGlued(".")) {
    const std::optional<int> minute = ReadTwoDigits(ahead);
    Cursor behind = ahead;
    if (minute && (colon || ReadHalf(behind))) {
      clock.minute = *minute;
      clock.has_minute = true;
      cursor = ahead;
    } else if (colon) {
      return std::nullopt;
    }
  }
  clock.half = ReadHalf(cursor);
  if (clock.half && (clock.hour < 1 || clock.hour > kNoon)) return std::nullopt;
  if (!clock.half && !clock.has_minute && cursor.TakeAny({"o'clock", "oclock"}))
    clock.has_minute = true;
  if (clock.hour >= 24 || clock.minute >= 60) return std::nullopt;
  return clock;
}

TimePhrase PhraseOf(const Clock& clock) {
  TimePhrase phrase;
  int hour = clock.hour;
  if (clock.half) hour = hour % kNoon + (*clock.half == Half::kAfternoon ? kNoon : 0);
  phrase.time = hours(hour) + minutes(clock.minute);
  phrase.either_half =
      !clock.half && !clock.has_leading_zero && clock.hour >= 1 && clock.hour <= kNoon;
  phrase.is_bare = clock.IsBare();
  return phrase;
}

/// Whether a number word before the cursor counts nothing: "at two", but "at two places".
bool EndsPhrase(const Cursor& cursor) {
  const Meanings& means = *cursor.Peek().means;
  return !cursor.IsWord() || means.begins_piece || means.continues_sentence;
}

/// "at nine", "nine am", "nine o'clock".
std::optional<TimePhrase> ReadHourInWords(Cursor& cursor, bool after_preposition) {
  const std::optional<int> hour = cursor.Peek().means->number;
  if (!hour) return std::nullopt;
  Cursor ahead = cursor;
  ahead.Skip();
  Clock clock{.hour = *hour, .half = ReadHalf(ahead)};
  if (!clock.half) clock.has_minute = ahead.TakeAny({"o'clock", "oclock"});
  if (clock.IsBare() && !(after_preposition && EndsPhrase(ahead))) return std::nullopt;
  cursor = ahead;
  return PhraseOf(clock);
}

/// "half past 3", "quarter to 4".
std::optional<TimePhrase> ReadSpokenTime(Cursor& cursor) {
  Cursor ahead = cursor;
  minutes shift{0};
  if (ahead.TakeAll({"half", "past"})) {
    shift = minutes(30);
  } else if (ahead.TakeAll({"quarter", "past"})) {
    shift = minutes(15);
  } else if (ahead.TakeAll({"quarter", "to"})) {
    shift = minutes(-15);
  } else {
    return std::nullopt;
  }
  const std::optional<int> hour = ahead.Peek().means->number;
  std::optional<Clock> clock;
  if (hour) {
    clock = Clock{.hour = *hour, .half = std::nullopt};
    ahead.Skip();
  } else {
    clock = ReadClock(ahead);
  }
  if (!clock || clock->has_minute || clock->hour == 0) return std::nullopt;
  clock->has_minute = true;
  TimePhrase phrase = PhraseOf(*clock);
  phrase.time += shift;
  cursor = ahead;
  return phrase;
}

/// The end of a range, behind its beginning: "-3pm".
std::optional<Clock> ReadEnd(Cursor& cursor) {
  Cursor ahead = cursor;
  if (!ahead.TakeAny({"-", "to", "until", "till"})) return std::nullopt;
  const std::optional<Clock> clock = ReadClock(ahead);
  if (clock) cursor = ahead;
  return clock;
}

std::optional<TimePhrase> ReadClockOrRange(Cursor& cursor, bool after_preposition) {
  Cursor ahead = cursor;
  std::optional<Clock> clock = ReadClock(ahead);
  if (!clock) return std::nullopt;
  const std::size_t begin = cursor.at();
  Cursor behind = ahead;
  const std::optional<Clock> end = ReadEnd(behind);
  const bool is_range = end && (after_preposition || !clock->IsBare() || !end->IsBare()) &&
                        !(clock->half && end->IsBare());
  if (!is_range) {
    if (clock->IsBare() && !after_preposition) return std::nullopt;
    cursor = ahead;
    return PhraseOf(*clock);
  }
  // "2-3pm" is in the afternoon, "11-1pm" begins in the morning.
  if (!clock->half && end->half && clock->hour >= 1 && clock->hour <= kNoon) {
    const bool same_half = clock->hour % kNoon <= end->hour % kNoon;
    clock->half = (*end->half == Half::kAfternoon) == same_half ? Half::kAfternoon : Half::kMorning;
  }
  TimePhrase phrase = PhraseOf(*clock);
  phrase.is_bare = clock->IsBare() && end->IsBare();
  phrase.range = cursor.tokens().SpanOf(begin, behind.at());
  cursor = behind;
  return phrase;
}

}  // namespace

std::optional<TimePhrase> ReadTime(Cursor& cursor, bool after_preposition) {
  if (!cursor.IsNumber() && !cursor.IsWord()) return std::nullopt;
  Cursor ahead = cursor;
  if (ahead.Peek().number == kNoon) ahead.Skip();  // "12 noon"
  if (ahead.TakeAny({"noon", "midday"})) {
    cursor = ahead;
    return TimePhrase{.time = hours(kNoon), .is_bare = true, .range = std::nullopt};
  }
  if (ahead.Take("midnight")) {
    cursor = ahead;
    return TimePhrase{.time = seconds(0), .is_bare = true, .range = std::nullopt};
  }
  if (auto spoken = ReadSpokenTime(cursor)) return spoken;
  if (auto hour = ReadHourInWords(cursor, after_preposition)) return hour;
  return ReadClockOrRange(cursor, after_preposition);
}

seconds TimeOf(DayPart part, const domain::Wording& wording) {
  switch (part) {
    case DayPart::kMorning: return wording.morning;
    case DayPart::kAfternoon: return wording.afternoon;
    case DayPart::kEvening: return wording.evening;
    case DayPart::kNight: break;
  }
  return wording.night;
}

seconds TimeOf(const TimePhrase& time, std::optional<DayPart> part) {
  if (!time.either_half) return time.time;
  const bool before_noon = time.time < hours(kNoon);
  if (part) return *part != DayPart::kMorning && before_noon ? time.time + hours(kNoon) : time.time;
  return time.time < hours(kLastAfternoonHour + 1) ? time.time + hours(kNoon) : time.time;
}

}  // namespace todo::chat::grammar

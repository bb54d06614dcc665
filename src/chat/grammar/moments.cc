#include "chat/grammar/moments.h"

#include <fmt/format.h>

#include <string_view>

#include "chat/grammar/calendar.h"
#include "domain/time.h"

namespace todo::chat::grammar {
namespace {

using std::chrono::hours;
using std::chrono::seconds;
using Repeats = DayPhrase::Repeats;

constexpr int kMaxParts = 4;

/// Takes a preposition of dates. The answer is the one that counts: "by" of "due by".
std::string_view TakePreposition(Cursor& cursor) {
  if (!cursor.Peek().means->is_preposition) return {};
  std::string_view found;
  if (cursor.Take("due")) {
    found = "due";
    cursor.Take(":");
  }
  if (cursor.Take("@")) return "at";
  for (const std::string_view word : {"on", "by", "before", "at", "in", "for"}) {
    if ((found == "due" && word == "for") || !cursor.Take(word)) continue;
    return word;
  }
  return found;
}

/// "tonight", "this evening", "in the morning", and behind a day "morning".
bool ReadPart(Cursor& cursor, MomentPhrase& phrase, std::string_view preposition,
              const GrammarContext& context) {
  Cursor ahead = cursor;
  const bool tonight = ahead.Take("tonight");
  const bool this_one = !tonight && ahead.Take("this");
  const bool the = !tonight && !this_one && ahead.Take("the");
  std::optional<DayPart> part = DayPart::kNight;
  if (!tonight) {
    part = ahead.Peek().means->day_part;
    if (!part) return false;
    ahead.Skip();
  }
  if (tonight || this_one) {
    if (phrase.day) return false;
    phrase.day = DayPhrase{.day = Today(context), .exact = std::nullopt};
  } else if (the) {
    if (preposition != "in") return false;
  } else if (!phrase.day || phrase.day->exact || !preposition.empty()) {
    return false;
  }
  phrase.part = part;
  cursor = ahead;
  return true;
}

/// One more part of the moment, with its preposition.
bool ReadNextPart(Cursor& cursor, MomentPhrase& phrase, const GrammarContext& context,
                  std::string_view outer) {
  Cursor ahead = cursor;
  std::string_view preposition = TakePreposition(ahead);
  const bool led = !preposition.empty();
  if (!led) preposition = outer;
  const bool first = phrase.empty();
  bool found = !phrase.part && ReadPart(ahead, phrase, preposition, context);
  if (!found && !phrase.day) {
    phrase.day = ReadDay(ahead, context, preposition);
    if (phrase.day && phrase.day->exact && phrase.time) phrase.day.reset();
    found = phrase.day.has_value();
  }
  const bool has_exact_time = phrase.day && phrase.day->exact;
  if (!found && !phrase.time && !has_exact_time && preposition != "in" && preposition != "on") {
    const bool bare = preposition == "at" || preposition == "by" || preposition == "before";
    phrase.time = ReadTime(ahead, bare);
    found = phrase.time.has_value();
  }
  if (!found && !phrase.time && !led && ahead.Take("from")) {
    // "from 2 to 3pm"; other dates behind "from" are no due dates.
    phrase.time = ReadTime(ahead, true);
    if (phrase.time && !phrase.time->range) phrase.time.reset();
    found = phrase.time.has_value();
  }
  if (!found) return false;
  phrase.is_led = phrase.is_led || led;
  if (first) phrase.follows_for = preposition == "for";
  cursor = ahead;
  return true;
}

/// "or tuesday", "- wednesday", "and 8pm": a second day or time of day.
void ReadAlternative(Cursor& cursor, MomentPhrase& phrase, const GrammarContext& context) {
  if (phrase.day && phrase.day->exact) return;
  Cursor ahead = cursor;
  if (!ahead.TakeAny({"or", "and", "to", "-", "through", "till", "until"})) return;
  MomentPhrase other;
  if (!ReadNextPart(ahead, other, context, {}) || (other.day && other.day->exact)) return;
  const bool second_day = phrase.day && other.day && (phrase.day->is_weak || !other.day->is_weak);
  const bool second_time = phrase.time && other.time && !other.day;
  if (!second_day && !second_time) return;
  phrase.dropped = cursor.tokens().SpanOf(cursor.at(), ahead.at());
  cursor = ahead;
}

Moment At(absl::CivilDay day, seconds time) {
  return {.local = absl::CivilSecond(day) + time.count(), .has_time = true};
}

}  // namespace

bool MomentPhrase::is_weak() const {
  if (day && (time || part)) return false;
  return day ? day->is_weak : time && time->is_bare;
}

std::optional<MomentPhrase> ReadMoment(Cursor& cursor, const GrammarContext& context,
                                       std::string_view preposition) {
  MomentPhrase phrase;
  for (int parts = 0; parts < kMaxParts; ++parts) {
    Cursor ahead = cursor;
    if (parts > 0) {
      ahead.Take(",");
      preposition = {};
    }
    if (!ReadNextPart(ahead, phrase, context, preposition)) break;
    cursor = ahead;
    ReadAlternative(cursor, phrase, context);
  }
  if (phrase.empty()) return std::nullopt;
  return phrase;
}

std::optional<seconds> TimeOfDay(const MomentPhrase& phrase, const GrammarContext& context) {
  if (phrase.time) return TimeOf(*phrase.time, phrase.part);
  if (phrase.part) return TimeOf(*phrase.part, context.wording);
  return std::nullopt;
}

std::optional<Moment> Resolve(const MomentPhrase& phrase, const GrammarContext& context,
                              std::vector<std::string>& notes) {
  if (phrase.day && phrase.day->exact) {
    const Moment exact{.local = *phrase.day->exact, .has_time = true};
    if (!IsPast(exact, context)) return exact;
    notes.push_back(
        fmt::format("{} is in the past, so it is no due date.", Describe(exact, context.wording)));
    return std::nullopt;
  }
  DayPhrase day = phrase.day.value_or(
      DayPhrase{.day = Today(context), .repeats = Repeats::kDaily, .exact = std::nullopt});
  const std::optional<seconds> time = TimeOfDay(phrase, context);
  const Moment whole_day{.local = absl::CivilSecond(day.day), .has_time = false};
  if (IsPast(whole_day, context)) {
    notes.push_back(fmt::format("{} is in the past, so it is no due date.",
                                Describe(whole_day, context.wording)));
    return std::nullopt;
  }
  if (!time) return whole_day;
  Moment moment = At(day.day, *time);
  if (day.repeats != Repeats::kNever) {
    while (IsPast(moment, context)) {
      day.day = Later(day);
      moment = At(day.day, *time);
    }
    return moment;
  }
  if (!IsPast(moment, context)) return moment;
  // The day is certain, and is today. "Today at 9" may mean the evening, and midnight ends the day.
  if (*time == seconds(0)) return At(day.day + 1, *time);
  if (phrase.time && phrase.time->either_half && *time < hours(12)) {
    const Moment evening = At(day.day, *time + hours(12));
    if (!IsPast(evening, context)) return evening;
  }
  notes.push_back(fmt::format("{} has passed today, so the task is due today without a time.",
                              domain::ClockWords(*time, context.wording)));
  return whole_day;
}

}  // namespace todo::chat::grammar

std::optional<todo::chat::Moment> todo::chat::MorningBefore(const Moment& due,
                                                            const domain::Period& before,
                                                            const GrammarContext& context) {
  if (due.has_time || before.time.count() != 0) return std::nullopt;
  const absl::CivilDay day = absl::CivilDay(due.local) - before.days.count();
  const Moment at = grammar::At(day, context.wording.morning);
  if (grammar::IsPast(at, context)) return std::nullopt;
  return at;
}

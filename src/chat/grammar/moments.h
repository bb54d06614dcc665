#pragma once

#include <optional>
#include <string>
#include <vector>

#include "chat/grammar/days.h"
#include "chat/grammar/grammar.h"
#include "chat/grammar/times.h"
#include "chat/grammar/tokens.h"

// A day and a time of day together: "on friday at 3pm", "at 9 tomorrow morning".

namespace todo::chat::grammar {

struct MomentPhrase {
  std::optional<DayPhrase> day;
  std::optional<TimePhrase> time;
  std::optional<DayPart> part;
  std::optional<Span> dropped;  // "or tuesday" in "monday or tuesday"
  bool is_led = false;          // a preposition stands in it
  bool follows_for = false;     // its first preposition is "for"
  bool empty() const { return !day && !time && !part; }
  /// Whether the words alone may mean something else: "sun", "1st", "at 9".
  bool is_weak() const;
};

/// The moment that begins at the cursor. `preposition`: the one before the cursor, if any.
std::optional<MomentPhrase> ReadMoment(Cursor& cursor, const GrammarContext& context,
                                       std::string_view preposition = {});

/// What `phrase` means: never in the past. What would be past rolls forward. `notes` get what is a
/// surprise. nullopt: a date in the past, with its year; a note says so.
std::optional<Moment> Resolve(const MomentPhrase& phrase, const GrammarContext& context,
                              std::vector<std::string>& notes);

/// The time of day of `phrase`; nullopt: it has none.
std::optional<std::chrono::seconds> TimeOfDay(const MomentPhrase& phrase,
                                              const GrammarContext& context);

}  // namespace todo::chat::grammar

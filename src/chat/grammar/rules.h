#pragma once

#include <optional>

#include "chat/grammar/durations.h"
#include "chat/grammar/moments.h"
#include "chat/grammar/tokens.h"
#include "domain/recurrence/recurrence_rule.h"
#include "domain/task/task.h"

// Recurrence: "every monday at 9", "every 3 months starting march 1", "6 weeks after completion".

namespace todo::chat::grammar {

struct RulePhrase {
  domain::RecurrenceRule rule;  // lists in any order; without an end
  domain::RecurrenceBasis basis = domain::RecurrenceBasis::kSchedule;
  MomentPhrase clock;                 // its time of day; never with a day
  std::optional<MomentPhrase> start;  // "starting march 1"
  std::optional<MomentPhrase> until;  // "until friday"
  std::optional<Duration> length;     // "for 3 weeks"
  bool is_led = false;                // begins with "every": the middle of a text may hold it
  bool is_too_often = false;          // "every hour": there are no such rules

  /// Whether the rule takes its day from the first date.
  bool names_days() const {
    return !rule.by_day.empty() || !rule.by_month_day.empty() || !rule.by_month.empty();
  }
};

std::optional<RulePhrase> ReadRule(Cursor& cursor, const GrammarContext& context);

/// What rule_tails.cc reads behind "every week": days, time of day, beginning, end, basis.
void ReadTails(Cursor& cursor, RulePhrase& phrase, const GrammarContext& context);
/// "mon, wed and fri", "monday to friday". Sets BYDAY.
bool ReadWeekdays(Cursor& cursor, domain::RecurrenceRule& rule, bool plural);
/// "1st and 15th", "last friday", "first day". Sets BYMONTHDAY or BYDAY.
bool ReadDaysOfMonth(Cursor& cursor, domain::RecurrenceRule& rule);

}  // namespace todo::chat::grammar

#pragma once

#include <optional>
#include <string>

#include "chat/grammar/durations.h"
#include "chat/grammar/moments.h"
#include "chat/grammar/tokens.h"
#include "domain/task/task.h"

// Priorities, tags and reminders.

namespace todo::chat::grammar {

/// "p1" to "p3", "!high".
std::optional<domain::Priority> ReadPriority(Cursor& cursor);

/// "#errand" or "@home": the tag as it was written, without the mark. It has at least one letter.
std::optional<std::string> ReadTag(Cursor& cursor);

/// "30 min before", "remind me at 8am": one member is set.
struct ReminderWish {
  std::optional<Duration> before;
  std::optional<MomentPhrase> at;
  bool is_led = false;  // begins with "remind me" or the like
  bool at_due = false;  // and says no more
};
std::optional<ReminderWish> ReadReminder(Cursor& cursor, const GrammarContext& context);

}  // namespace todo::chat::grammar

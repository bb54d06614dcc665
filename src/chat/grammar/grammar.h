#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/time/civil_time.h"
#include "domain/reminder/reminder.h"
#include "domain/task/task.h"
#include "domain/time.h"
#include "domain/time_zone.h"
#include "domain/wording.h"

// What a line of text says about a task: dates, rules, tags, priority, reminders, and the title
// that is left. Pure functions of the text and its circumstances: no I/O, no clock. They take text
// of any content (valid UTF-8) and never fail: what they do not understand is a part of the title.

namespace todo::chat {

/// The longest text that the functions look at, in bytes. What is behind it is plain words.
inline constexpr std::size_t kMaxTextBytes = 8'000;

/// A stretch of a text, in bytes: from `begin` up to `end`.
struct Span {
  std::size_t begin = 0;
  std::size_t end = 0;
  bool operator==(const Span&) const = default;
};

/// The circumstances in which a text was written.
struct GrammarContext {
  domain::Instant now;
  domain::TimeZone zone;
  domain::Wording wording;
};

/// A day, or a time of a day, on the clocks of the context's zone.
struct Moment {
  absl::CivilSecond local;  // a day: its midnight
  bool has_time = false;
  bool operator==(const Moment&) const = default;
};
/// "2026-11-27" or "2026-11-27T15:00:00": as Task.due_local.
std::string ToDueLocal(const Moment& moment);
/// "Friday, 27 November 2026" or "Friday, 27 November 2026, 15:00"; "…, 3 pm" if `wording` has 12
/// hours.
std::string Describe(const Moment& moment, const domain::Wording& wording);

/// A reminder that a text asks for: exactly one member is set.
struct ReminderPhrase {
  std::optional<domain::Period> before;  // the due time
  std::optional<Moment> at;
  bool operator==(const ReminderPhrase&) const = default;
};

enum class PieceKind { kDueDate, kRecurrence, kPriority, kTag, kReminder };

/// A stretch of the text that is not a part of the title, and what it means.
struct Piece {
  PieceKind kind = PieceKind::kDueDate;
  Span span;
  std::string meaning;  // in words: "Friday, 27 November 2026", "every Monday", "30 minutes before"
  bool operator==(const Piece&) const = default;
};

/// When a reminder comes that is asked for `before` a task without a time of day: in the morning,
/// whole days before `due`. nullopt: the reminder needs a due time, or has passed.
std::optional<Moment> MorningBefore(const Moment& due, const domain::Period& before,
                                    const GrammarContext& context);

inline constexpr std::size_t kMaxNotes = 10;  // of a task or a reminder

/// What a text says about a task. Each field is as TaskFields takes it.
struct TaskPhrase {
  std::string title;  // what no piece covers, with single spaces; may be empty
  std::optional<Moment> due;
  std::optional<std::string> recurrence_rule;  // "FREQ=WEEKLY;BYDAY=MO"; then `due` is set
  domain::RecurrenceBasis basis = domain::RecurrenceBasis::kSchedule;
  std::optional<domain::Priority> priority;
  std::vector<std::string> tags;
  std::vector<ReminderPhrase> reminders;
  std::vector<Piece> pieces;       // in the order of the text; they do not overlap
  std::vector<std::string> notes;  // surprises, in sentences for the user
};

/// Reads `text` as the description of a task. `plain`: stretches that are taken as plain words, as
/// if they stood in quotes; they are in order and do not overlap.
TaskPhrase ParseTaskPhrase(std::string_view text, const GrammarContext& context,
                           const std::vector<Span>& plain = {});

/// A new date for a task: a moment, or a shift of the date that the task has ("by two days").
struct WhenPhrase {
  std::optional<Moment> moment;
  std::optional<domain::Period> shift;
  bool has_no_day = false;  // "4pm": the day of `moment` is the next one that has the time
  std::vector<std::string> notes = {};
};

/// Reads the whole of `text` as a date: "friday", "to tomorrow at 9", "by two days", "for an hour",
/// "until next week". nullopt: it is none, or more than one.
std::optional<WhenPhrase> ParseWhen(std::string_view text, const GrammarContext& context);

/// A range of days that a question is about.
struct DayRange {
  absl::CivilDay first;
  absl::CivilDay last;  // inclusive
  bool operator==(const DayRange&) const = default;
};
/// Reads the whole of `text` as a day or a range of days: "today", "this week", "next week", "on
/// friday", "this month". Weeks begin as the context's wording says. nullopt: it is none.
std::optional<DayRange> ParseDayRange(std::string_view text, const GrammarContext& context);

}  // namespace todo::chat

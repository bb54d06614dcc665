#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "chat/grammar/grammar.h"

// What a sentence asks for. Pure functions, like the rest of the grammar.

namespace todo::chat {

/// The words by which a sentence names a task, without its verb and its articles.
struct TaskReference {
  std::string words;  // empty with `it`
  Span span;
  bool it = false;            // "it", "that one": the task that was spoken of last
  std::string undated;        // the words without those that may be dates; empty: there are none
  std::optional<Moment> due;  // the date that `undated` leaves out
  /// Words by which a task is only suggested: "rent" of "paid the rent". Empty: there are none.
  std::string suggested;
  bool only_named = false;  // a task that merely resembles the words is not meant
  /// "milk and eggs": the parts that may each name a task, when no task fits all words.
  std::vector<TaskReference> parts;
  /// The parts are sentences of their own: "bought milk" and "paid the rent". When no task fits all
  /// words, each part names a task.
  bool parts_are_deeds = false;
  bool operator==(const TaskReference&) const = default;
};

struct AddIntent {
  TaskPhrase task;
};
struct CompleteIntent {
  TaskReference task;
};
struct UncompleteIntent {
  TaskReference task;
};
struct DeleteIntent {
  TaskReference task;
};
/// Of "rename reply to Bob to answer Bob", the intent says that "reply" is renamed.
struct RenameIntent {
  TaskReference task;
  std::string title;
  /// The other ways to read the sentence, the longest name of a task first: "reply to Bob".
  std::vector<RenameIntent> others = {};
};
struct PostponeIntent {
  TaskReference task;
  std::optional<WhenPhrase> when;  // nullopt: the sentence names none
  std::string when_text;           // as it was written
  /// Words beside the date, such as "to last" of "to last monday": if they are not in the title,
  /// the sentence has a date that is not understood.
  std::string unread = {};
  bool later = false;  // "postpone", "push": a date before the present one is not meant
  /// The other ways to read the sentence, the longest name of a task first: "report for tom" of
  /// "move report for tom", which names no date.
  std::vector<PostponeIntent> others = {};
};
struct RemindIntent {
  TaskReference task;
  std::vector<ReminderPhrase> reminders;  // empty: the sentence names no time
  std::string when_text;
  std::string unread = {};              // as PostponeIntent's
  std::vector<std::string> notes = {};  // as TaskPhrase's
};
struct ListIntent {
  enum class What { kRange, kOverdue, kAllOpen, kDone };
  What what = What::kRange;
  std::optional<DayRange> range;                  // of kRange
  std::string range_text;                         // as it was written
  std::optional<domain::Priority> priority = {};  // of kAllOpen: only tasks that have it
};
struct SearchIntent {
  std::string words;
};
struct UsageIntent {
  std::optional<DayRange> days = {};  // nullopt: the sentence names none
};
struct UndoIntent {};
struct HelpIntent {};

using Intent = std::variant<AddIntent, CompleteIntent, UncompleteIntent, DeleteIntent, RenameIntent,
                            PostponeIntent, RemindIntent, ListIntent, SearchIntent, UsageIntent,
                            UndoIntent, HelpIntent>;

struct Sentence {
  std::vector<Intent> intents;         // in the order of the text; empty: nothing was understood
  std::optional<Span> not_understood;  // a part with no intent; then `intents` must not be applied
};

/// At most this many intents are read from one text.
inline constexpr std::size_t kMaxIntents = 20;

Sentence ParseSentence(std::string_view text, const GrammarContext& context);

/// What names one of the tasks that a question offers.
struct OfferWords {
  std::string title;
  std::string due = {};  // "Friday, 27 November 2026, 15:00"; empty: it has no due date
};
/// An answer to a question with `choices` (empty: a yes or a no is expected).
struct Choice {
  enum class Kind { kYes, kNo, kOne, kUnclear };
  Kind kind = Kind::kUnclear;
  std::size_t index = 0;  // of kOne
};
/// "2", "the second one", "the last", words that only one choice has ("milk", "the monday one");
/// "none", "no", "never mind"; "yes", "yes please". kUnclear: it is no answer, and may be a new
/// sentence.
Choice ParseChoice(std::string_view text, const std::vector<OfferWords>& choices);

}  // namespace todo::chat

#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "chat/grammar/intents.h"
#include "chat/grammar/sentence_words.h"
#include "chat/grammar/verbs.h"

// Inside this folder only: one part of a sentence, as one intent.

namespace todo::chat {

/// Adds a note. Of too many, the last ones make room for it.
void AddNote(std::vector<std::string>& notes, std::string note);

/// Reads parts of `text`. Both arguments must outlive the reader.
class IntentReader {
 public:
  IntentReader(std::string_view text, const GrammarContext& context)
      : text_(text), context_(context) {}

  /// The intent of `words`, all of them; nullopt: they are no intent.
  std::optional<Intent> Read(Words words) const;
  /// The task that `words` describe.
  TaskPhrase ReadTask(Words words) const { return Phrase(words); }
  /// Whether `words` end with what was done to a task: "the rent is paid".
  bool EndsWithDeed(Words words) const { return WasDone(words).has_value(); }

 private:
  /// As Read, of words without courtesies.
  std::optional<Intent> ReadWish(Words words) const;
  /// As ReadWish, and a question that names a task is a statement.
  std::optional<Intent> ReadStatement(Words words) const;
  std::optional<Intent> ReadAfter(const Opening& opening, Words rest) const;
  std::optional<Intent> ReadByEnding(Words words) const;
  /// Completing, deleting or the like; nullopt: `words` name no task.
  template <typename Change>
  std::optional<Intent> About(Words words) const;
  std::optional<Intent> Complete(Words words) const;
  std::optional<Intent> Delete(Words rest) const;
  Intent Add(Words rest) const;
  std::optional<Intent> PutOn(Words rest) const;
  std::optional<Intent> Remind(Words rest) const;
  Intent RemindOf(Words rest) const;
  std::optional<Intent> RemindTo(Words when, Words task) const;
  std::optional<Intent> Mark(Words rest) const;
  std::optional<Intent> Tick(Words rest) const;
  std::optional<Intent> Did(Words rest) const;
  std::optional<Intent> DidNot(Words rest) const;
  /// The reference of "paid the rent" to the task that is called "pay the rent". nullopt: the
  /// words do not begin with a verb in the past, or take it back.
  std::optional<TaskReference> DeedOf(Words words) const;
  /// Makes deeds of the parts of `reference` that are some: "paid the rent" of "the milk and paid
  /// the rent". false: a part takes back that something is done.
  bool ReadDeeds(TaskReference& reference, Words words) const;
  std::optional<Intent> WasDone(Words words) const;
  std::optional<Intent> Rename(Words rest) const;
  std::optional<Intent> Change(Words rest) const;
  std::optional<Intent> Postpone(Words rest, bool needs_when) const;
  std::optional<Intent> List(Words words) const;
  std::optional<Intent> Show(Words words, Words rest) const;
  std::optional<Intent> Search(Words rest) const;
  std::optional<Intent> IsItDone(Words rest) const;

  TaskReference Reference(Words words) const;
  TaskPhrase Phrase(Words words) const;
  std::optional<WhenPhrase> When(Words words) const;

  std::string_view text_;
  const GrammarContext& context_;
};

/// The date of a list's question: "what's due today", "anything overdue?". nullopt: it is none.
std::optional<ListIntent> ReadList(Words words, std::string_view text,
                                   const GrammarContext& context);

/// The days that end a question about the past: "this week", "on monday" (the last one), "in
/// october". nullopt: it names none.
std::optional<DayRange> PastDaysAtEnd(Words words, std::string_view text,
                                      const GrammarContext& context);

/// When a reminder of `moment` comes: at that time, and of a day in the morning. When the morning
/// has passed, it comes in the afternoon, in the evening or at night. nullopt: all have passed.
std::optional<Moment> ReminderAt(const Moment& moment, const GrammarContext& context);

}  // namespace todo::chat

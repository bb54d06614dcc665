#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "chat/grammar/grammar.h"
#include "chat/grammar/pieces.h"
#include "chat/grammar/tokens.h"

namespace todo::chat::grammar {

/// Puts the pieces of one text together to a task. Use one reader for one text.
class TaskReader {
 public:
  /// `text` and `context` must outlive the reader.
  TaskReader(std::string_view text, const GrammarContext& context, const std::vector<Span>& plain)
      : text_(text), context_(context), tokens_(text, plain) {}

  TaskPhrase Read();

 private:
  /// The pieces that say when the task is due: at most one rule, one day and one time of day.
  struct Dates {
    const FoundPiece* rule = nullptr;
    MomentPhrase said;
    std::vector<const FoundPiece*> moments;
  };

  void Collect(const FoundPiece& piece, Dates& dates);
  void CollectMoment(const FoundPiece& piece, const MomentPhrase& moment, Dates& dates);
  bool IsSecondRule(const FoundPiece& piece, const Dates& dates) const;
  void CollectRule(const FoundPiece& piece, const RulePhrase& rule, Dates& dates);
  void ResolveDates(const Dates& dates);
  void AddTag(const FoundPiece& piece, const std::string& tag);
  void SetPriority(const FoundPiece& piece, domain::Priority priority);
  void AddReminder(const FoundPiece& piece, const ReminderWish& wish);
  /// The reminder, or a reason why there is none.
  std::optional<ReminderPhrase> ReminderOf(const ReminderWish& wish, std::string& problem);

  void AddPiece(PieceKind kind, const FoundPiece& piece, std::string meaning);
  void NoteDropped(const MomentPhrase& moment);
  /// A note that `piece` stays in the title.
  void NoteKept(const FoundPiece& piece, std::string_view reason);
  void NoteTitleDates(const std::vector<FoundPiece>& found);
  void NoteYesterday(std::size_t size);
  void NoteNoDateAtEnd(std::size_t size);
  std::string Title() const;

  std::string_view text_;
  const GrammarContext& context_;
  Tokens tokens_;
  TaskPhrase phrase_;
};

}  // namespace todo::chat::grammar

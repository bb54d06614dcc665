#pragma once

#include <cstddef>
#include <string>
#include <variant>
#include <vector>

#include "chat/grammar/grammar.h"
#include "chat/grammar/labels.h"
#include "chat/grammar/moments.h"
#include "chat/grammar/rules.h"
#include "chat/grammar/tokens.h"
#include "domain/task/task.h"

namespace todo::chat::grammar {

/// The tokens from `begin` up to `end`, and what they say.
struct FoundPiece {
  std::size_t begin = 0;
  std::size_t end = 0;
  std::variant<MomentPhrase, RulePhrase, ReminderWish, domain::Priority, std::string> content;
  bool is_title = false;  // a date at a place where it is a part of the title
};

/// The pieces of a text, in its order; they do not overlap. A piece with a date stands at the
/// beginning or at the end of the text, or has a preposition: a date in the middle is a part of the
/// title, and so is one that belongs to a name ("Good Friday", "Edge of Tomorrow"). Pieces at other
/// places are titles.
std::vector<FoundPiece> FindPieces(const Tokens& tokens, const GrammarContext& context);

}  // namespace todo::chat::grammar

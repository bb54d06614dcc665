#pragma once

#include <string_view>

#include "chat/grammar/intents.h"
#include "chat/grammar/sentence_words.h"

// Inside this folder only: from the words of a sentence to the task that they name.

namespace todo::chat {

/// The reference that `words` of `text` make. No words, and "it", stand for the task spoken of
/// last.
TaskReference ReferenceOf(Words words, std::string_view text, const GrammarContext& context);

/// Whether `words` stand for no task in particular: "all", "nothing", "all of them".
bool NamesNoTask(Words words);

/// The last word of `words`, which stand before a date, if it changes a date: "last", "or"; else
/// nothing.
Words DateWordAtEnd(Words words);

/// `words` without "from my list" at their end.
Words WithoutList(Words words);

}  // namespace todo::chat

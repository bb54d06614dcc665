#pragma once

#include "chat/grammar/sentence_words.h"

// Inside this folder only: words that say that something is done, and words that take it back.

namespace todo::chat {

bool IsQuestion(Words words);
bool IsNegation(const Word& word);

/// Without "today" or "just now" at the end: the time at which something was done.
Words WithoutTimeOfDoing(Words words);

/// Whether `words`, before an ending like "done", take back that something is done: "no report",
/// "report should be", "report isn't", "if the report is".
bool DenyDoing(Words words);

/// Whether `words`, before an ending like "done", name no task: "I'm done", "clear completed".
bool AreNoTitle(Words words);

}  // namespace todo::chat

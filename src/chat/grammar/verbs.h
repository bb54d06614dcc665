#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "chat/grammar/sentence_words.h"

// Inside this folder only: the words by which a sentence says what it wants.

namespace todo::chat {

enum class Verb {
  kAdd,       // "add …", "i need to …"
  kPutOn,     // "put … on my list"
  kRemind,    // "remind me …"
  kComplete,  // "complete …"
  kMark,      // "mark … as done"
  kTick,      // "tick … off"
  kDid,       // "i paid …": the verb is a part of the title
  kDidNot,    // "i didn't pay …"
  kUncomplete,
  kDelete,
  kRename,    // "rename … to …"
  kChange,    // "change … to …": a title or a date
  kPostpone,  // "postpone … to …"
  kMove,      // the same, and a date must follow
  kDelay,     // as kPostpone, and only to a later date
  kPush,      // as kMove, and only to a later date
  kList,      // "what …": a question about days
  kShow,      // "show …": a list or a search
  kSearch,
  kIsItDone,  // "is … done?"
  kUsage,
  kUndo,
  kHelp
};

/// A beginning that says what a sentence wants.
struct Opening {
  Verb verb = Verb::kHelp;
  std::size_t word_count = 0;
  /// Its verb is common in titles too: after "add …", it opens no sentence of its own.
  bool weak = false;
};
/// The openings of `words`, the longest first.
std::vector<Opening> OpeningsOf(Words words);

/// How many words of courtesy `words` begin with ("could you please"), or end with.
std::size_t CourtesyBefore(Words words);
std::size_t CourtesyBehind(Words words);

/// The ends that say what a sentence wants: "… is done". The count is that of their words; 0: none.
struct Ending {
  Verb verb = Verb::kComplete;  // or kUncomplete, kDelete
  std::size_t word_count = 0;
};
Ending EndingOf(Words words);

/// The base of a verb in the past: "paid" is "pay", "bought" is "buy". Regular ones stay as they
/// are, because search compares stems. Empty: the word is no verb in the past.
std::string BaseOfPast(std::string_view word);

}  // namespace todo::chat

#pragma once

#include <optional>
#include <set>
#include <string>

// How well a task fits words by which a user names it. Pure functions.

namespace todo::domain {

/// How well a task fits, the best first.
enum class Fit {
  kExact,     // the title consists of these words, in some form of theirs
  kAllWords,  // title, description and tags have all words, in some form of theirs
  kSimilar    // the title resembles the words: one has a typing error, or some are missing
};

/// The words of a text, each in the form in which words are compared: its stem, or the word itself.
struct WordForms {
  std::set<std::string> telling;  // nouns, verbs and the like
  std::set<std::string> small;    // "the", "it": they tell texts apart only when nothing else does
};

/// The words of a task.
struct TaskWords {
  WordForms title;
  std::set<std::string> others;  // telling ones of description and tags
  double likeness = 0;           // 0 to 1: how much the title resembles the words, letter by letter
};

struct WordMatch {
  Fit fit = Fit::kSimilar;
  double score = 0;  // 0 to 1, within one fit; words in the title count more than others

  bool operator==(const WordMatch&) const = default;
};

/// How well a task fits `words`; nullopt: it does not, or there are no telling words.
std::optional<WordMatch> MatchWords(const WordForms& words, const TaskWords& task);

}  // namespace todo::domain

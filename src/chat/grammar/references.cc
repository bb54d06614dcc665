#include "chat/grammar/references.h"

#include <algorithm>
#include <utility>

namespace todo::chat {
namespace {

constexpr std::size_t kMaxParts = kMaxIntents;

bool IsIt(Words words) {
  static const Form form("it|that|this|the|last last? one|task|todo|item|thing?");
  return words.empty() || form.MatchAll(words);
}

/// Without "the", "my", "the task called" at the beginning, and "task" at the end.
Words WithoutArticles(Words words) {
  static const Form naming("task|todo|to-do|item called|named|about|to?");
  while (words.size() > 1 && IsOneOf(words.front(), {"the", "my", "a", "an", "our"}))
    words = words.subspan(1);
  if (const std::size_t count = naming.Match(words); count > 0 && count < words.size())
    words = words.subspan(count);
  if (words.size() > 1 && IsOneOf(words.back(), {"task", "todo", "to-do", "item"}))
    words = words.first(words.size() - 1);
  return words;
}

/// The words as they are written, with single spaces.
std::string Joined(Words words, std::string_view text) {
  std::string joined;
  for (const Word& word : words) {
    if (!joined.empty()) joined += ' ';
    joined += TextOf(text, {word.span.begin, &word == &words.back() ? word.span.end : word.end});
  }
  return std::string(Unquoted(joined));
}

/// The words between "and", "," and the like.
std::vector<Words> PartsOf(Words words) {
  std::vector<Words> parts;
  std::size_t begin = 0;
  for (std::size_t i = 0; i <= words.size(); ++i) {
    const bool connects = i < words.size() && IsOneOf(words[i], {"and", "&", "plus"});
    const bool ends = i == words.size() || connects;
    if (ends && i > begin) parts.push_back(words.subspan(begin, i - begin));
    if (ends) {
      begin = i + 1;
    } else if (words[i].mark == ',' && !words[i].quoted) {
      parts.push_back(words.subspan(begin, i + 1 - begin));
      begin = i + 1;
    }
  }
  return parts;
}

TaskReference Single(Words words, std::string_view text, const GrammarContext& context) {
  TaskReference reference;
  reference.span = SpanOf(words);
  if (IsIt(words)) {
    reference.it = true;
    return reference;
  }
  words = WithoutArticles(words);
  reference.words = Joined(words, text);
  const bool quoted = std::ranges::any_of(words, &Word::quoted);
  if (quoted) return reference;
  TaskPhrase phrase = ParseTaskPhrase(reference.words, context);
  if (phrase.title == reference.words) return reference;
  reference.undated = std::move(phrase.title);
  if (!phrase.recurrence_rule) reference.due = phrase.due;
  return reference;
}

}  // namespace

bool NamesNoTask(Words words) {
  return !IsIt(words) && std::ranges::all_of(words, [](const Word& word) {
    return IsOneOf(
        word,
        {"all",   "any",  "some",  "none", "everything", "anything", "something", "nothing", "of",
         "it",    "them", "that",  "this", "these",      "those",    "the",       "my",      "task",
         "tasks", "todo", "todos", "item", "items",      "thing",    "things",    "stuff"});
  });
}

Words DateWordAtEnd(Words words) {
  const bool found =
      words.size() > 1 &&
      IsOneOf(words.back(),
              {"last",  "past", "previous", "next", "this",   "yesterday", "ago", "or",
               "and",   "&",    "plus",     "not",  "no",     "except",    "but", "every",
               "early", "late", "mid",      "end",  "before", "after"});
  return found ? words.last(1) : Words();
}

Words WithoutList(Words words) {
  static const Form form("from|off|on|in|to my|the|our todo|to-do|task|shopping? list|tasks|todos");
  if (const std::size_t count = form.MatchEnd(words); count > 0 && count < words.size())
    return words.first(words.size() - count);
  return words;
}

TaskReference ReferenceOf(Words words, std::string_view text, const GrammarContext& context) {
  words = WithoutList(words);
  TaskReference reference = Single(words, text, context);
  const std::vector<Words> parts = PartsOf(words);
  if (reference.it || parts.size() < 2 || parts.size() > kMaxParts) return reference;
  for (const Words part : parts) {
    TaskReference one = Single(part, text, context);
    reference.parts.push_back(std::move(one));
  }
  return reference;
}

}  // namespace todo::chat

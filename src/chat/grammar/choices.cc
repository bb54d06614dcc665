#include <algorithm>
#include <charconv>
#include <iterator>
#include <set>
#include <string>

#include "chat/grammar/intents.h"
#include "chat/grammar/sentence_words.h"

// Answers to questions.

namespace todo::chat {
namespace {

bool IsYes(Words words) {
  static const Form agreeing(
      "yes|y|yeah|yep|yup|sure|ok|okay|correct|right|confirm|confirmed|absolutely|definitely|"
      "affirmative yes|sure|please|go|do|delete|that's|it's? it|them|ahead|so|right|correct? "
      "please|thanks?");
  static const Form please("please do|delete it|them|so?");
  static const Form plain("do|go|delete it|them|ahead|so|that please?");
  return agreeing.MatchAll(words) || plain.MatchAll(words) || please.MatchAll(words);
}

bool IsNo(Words words) {
  static const Form refusing(
      "no|n|nope|nah|none|neither|nothing|stop|cancel|negative of|no|not|don't|keep|leave|thanks|"
      "thank|never|do? these|those|them|you|it|mind|that|not|delete? it|that?");
  static const Form never_mind("never mind that|it?");
  static const Form single(
      "nevermind|forget|leave|keep|don't|abort it|that|them|do|delete? "
      "it|that|them?");
  static const Form not_any("not any|that|this|it of|one? them|these|those?");
  return refusing.MatchAll(words) || never_mind.MatchAll(words) || single.MatchAll(words) ||
         not_any.MatchAll(words);
}

/// The number that `word` is: "2", "#2", "2nd", "second".
std::optional<std::size_t> NumberOf(const Word& word) {
  constexpr std::string_view kOrdinals[] = {"first", "second",  "third",  "fourth", "fifth",
                                            "sixth", "seventh", "eighth", "ninth",  "tenth"};
  constexpr std::string_view kNumbers[] = {"one", "two",   "three", "four", "five",
                                           "six", "seven", "eight", "nine", "ten"};
  if (word.quoted) return std::nullopt;
  for (std::size_t i = 0; i < std::size(kOrdinals); ++i) {
    if (word.text == kOrdinals[i] || word.text == kNumbers[i]) return i + 1;
  }
  std::string_view digits = word.text;
  if (digits.starts_with('#') || digits.starts_with('(')) digits.remove_prefix(1);
  for (const std::string_view suffix : {"st", "nd", "rd", "th", ")"}) {
    if (digits.ends_with(suffix)) digits.remove_suffix(suffix.size());
  }
  std::size_t number = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
  const bool whole = error == std::errc() && end == digits.data() + digits.size();
  return whole ? std::optional(number) : std::nullopt;
}

/// "2", "number 2", "the second one", "the last".
std::optional<std::size_t> NumberOf(Words words, std::size_t count) {
  static const Form before(
      "the|number|option|no|nr|choice|take|pick|i mean|meant|want|take? "
      "the|number|option? number|option?");
  if (const std::size_t matched = before.Match(words); matched > 0 && matched < words.size())
    words = words.subspan(matched);
  if (words.size() > 1 && IsOneOf(words.back(), {"please"})) words = words.first(words.size() - 1);
  if (words.size() > 1 && IsOneOf(words.back(), {"one", "task", "option"}))
    words = words.first(words.size() - 1);
  if (words.size() != 1) return std::nullopt;
  if (IsOneOf(words[0], {"last", "latter"})) return count;
  if (IsOneOf(words[0], {"former"})) return 1;
  return NumberOf(words[0]);
}

std::set<std::string> WordsOf(std::string_view text) {
  std::set<std::string> texts;
  for (Word& word : SplitWords(text)) texts.insert(std::move(word.text));
  return texts;
}

/// The only choice that is named `words`, or that has all of them.
std::optional<std::size_t> ChoiceNamed(Words words, const std::vector<OfferWords>& choices) {
  std::set<std::string> wanted;
  for (const Word& word : words) {
    if (!IsOneOf(word, {"the", "a", "an", "one", "with", "that", "i", "mean", "meant", "is", "it's",
                        "about", "for", "please", "my", "due", "on", "at"})) {
      wanted.insert(word.text);
    }
  }
  if (wanted.empty()) return std::nullopt;
  std::vector<std::size_t> exact;
  std::vector<std::size_t> fitting;
  for (std::size_t i = 0; i < choices.size(); ++i) {
    const std::set<std::string> title = WordsOf(choices[i].title);
    std::set<std::string> all = WordsOf(choices[i].due);
    all.insert(title.begin(), title.end());
    if (title == wanted) exact.push_back(i);
    if (std::ranges::includes(all, wanted)) fitting.push_back(i);
  }
  const std::vector<std::size_t>& best = exact.empty() ? fitting : exact;
  return best.size() == 1 ? std::optional(best.front()) : std::nullopt;
}

}  // namespace

Choice ParseChoice(std::string_view text, const std::vector<OfferWords>& choices) {
  const std::vector<Word> words = SplitWords(text);
  if (IsNo(words)) return {.kind = Choice::Kind::kNo};
  const bool yes = IsYes(words);
  if (choices.empty()) return {.kind = yes ? Choice::Kind::kYes : Choice::Kind::kUnclear};
  if (yes && choices.size() == 1) return {.kind = Choice::Kind::kOne, .index = 0};
  if (const auto number = NumberOf(words, choices.size())) {
    if (*number < 1 || *number > choices.size()) return {};
    return {.kind = Choice::Kind::kOne, .index = *number - 1};
  }
  if (const auto index = ChoiceNamed(words, choices))
    return {.kind = Choice::Kind::kOne, .index = *index};
  return {};
}

}  // namespace todo::chat

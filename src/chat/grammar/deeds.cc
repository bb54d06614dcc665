#include "chat/grammar/deeds.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "chat/grammar/intent_reader.h"
#include "chat/grammar/references.h"
#include "chat/grammar/verbs.h"

// "I paid the rent" and "the rent is paid" complete a task.

namespace todo::chat {

bool IsQuestion(Words words) {
  return !words.empty() &&
         IsOneOf(words.front(),
                 {"is",    "are",      "was",  "were",   "am",   "do",    "does",  "did", "have",
                  "has",   "had",      "what", "what's", "when", "who",   "why",   "how", "which",
                  "where", "anything", "can",  "could",  "will", "would", "should"});
}

bool IsNegation(const Word& word) {
  return IsOneOf(word,
                 {"not", "no", "never", "none", "nothing", "nobody", "neither", "nor", "yet"});
}

Words WithoutTimeOfDoing(Words words) {
  static const Form part_of_day("this morning|afternoon|evening");
  static const Form word("today|already|yesterday|finally|earlier|now");
  static const Form two_words("just|right|earlier now|today");
  for (const Form* const end : {&two_words, &part_of_day, &word}) {
    if (const std::size_t count = end->MatchEnd(words); count > 0 && count < words.size())
      return words.first(words.size() - count);
  }
  return words;
}

bool DenyDoing(Words words) {
  const auto denies = [](const Word& word) {
    return IsNegation(word) || (!word.quoted && word.text.ends_with("n't")) ||
           IsOneOf(word, {"cannot", "cant",   "dont",      "wont",   "isnt",   "arent",
                          "wasnt",  "hasnt",  "havent",    "didnt",  "doesnt", "without",
                          "should", "must",   "will",      "would",  "could",  "can",
                          "might",  "shall",  "ought",     "be",     "almost", "nearly",
                          "half",   "partly", "partially", "hardly", "barely"});
  };
  return std::ranges::any_of(words, denies) ||
         (!words.empty() &&
          IsOneOf(words.front(), {"if", "once", "until", "till", "unless", "before", "after",
                                  "while", "because", "since", "as", "although", "though"})) ||
         (!words.empty() && IsOneOf(words.back(), {"may"}));
}

bool AreNoTitle(Words words) {
  return std::ranges::all_of(words, [](const Word& word) {
    return IsOneOf(
        word, {"i",    "i'm",     "im",      "am",       "i've", "we",   "we're", "we've", "are",
               "have", "has",     "clear",   "list",     "show", "view", "hide",  "get",   "my",
               "the",  "archive", "already", "recently", "now",  "just", "count"});
  });
}

namespace {

/// Whether a task is probably not done by what `verb`, in the past, says.
bool LeavesItUndone(std::string_view verb) {
  constexpr std::string_view kVerbs[] = {
      "added",       "began",     "begun",   "blocked",   "canceled", "cancelled", "changed",
      "created",     "delayed",   "deleted", "expected",  "expired",  "failed",    "forgot",
      "forgotten",   "hated",     "liked",   "lost",      "loved",    "missed",    "moved",
      "needed",      "opened",    "planned", "postponed", "removed",  "renamed",   "reopened",
      "rescheduled", "scheduled", "skipped", "snoozed",   "started",  "stopped",   "supposed",
      "thought",     "wanted",    "wished"};
  return std::ranges::find(kVerbs, verb) != std::end(kVerbs);
}

/// The reference of a deed to the task that is probably called as its verb says: `base` stands for
/// `verb` in the words, which is in the past. The words without the verb suggest a task too.
TaskReference InThePresent(TaskReference reference, const Word& verb, const std::string& base,
                           const TaskReference& without) {
  const auto replace = [&](std::string& words) {
    const std::size_t written = verb.span.end - verb.span.begin;
    if (words.size() >= written) words.replace(0, written, base);
  };
  replace(reference.words);
  if (!reference.undated.empty()) replace(reference.undated);
  if (!reference.parts.empty()) replace(reference.parts.front().words);
  reference.only_named = LeavesItUndone(verb.text);
  if (!without.it && !reference.only_named)
    reference.suggested = without.undated.empty() ? without.words : without.undated;
  return reference;
}

/// "pay rent" for "rent", which is paid.
TaskReference WithVerb(TaskReference reference, const std::string& verb) {
  reference.suggested = reference.undated.empty() ? reference.words : reference.undated;
  reference.words = fmt::format("{} {}", verb, reference.words);
  if (!reference.undated.empty()) reference.undated = fmt::format("{} {}", verb, reference.undated);
  for (TaskReference& part : reference.parts) {
    if (!part.it) part = WithVerb(std::move(part), verb);
  }
  return reference;
}

/// The words before "paid" in "the rent is paid", without "is". nullopt: they may be other than a
/// thing to which something was done, as in "get the car washed".
std::optional<Words> DoneTo(Words words, bool is_doubtful) {
  static const Form is("is|are|was|were now|all|both|finally|already|just?");
  static const Form has_been("has|have now|all|both|finally|already|just? been");
  std::size_t count = has_been.MatchEnd(words);
  if (count == 0) count = is.MatchEnd(words);
  const Words named = words.first(words.size() - count);
  // Without "is", longer words are rather a sentence of another kind.
  constexpr std::size_t kMaxNaming = 4;
  if (count == 0 && (is_doubtful || named.size() > kMaxNaming)) return std::nullopt;
  if (named.empty() || AreNoTitle(named) || DenyDoing(words)) return std::nullopt;
  if (words.back().mark != 0) return std::nullopt;  // "rent? paid!"
  const bool is_wish = std::ranges::any_of(named, [&](const Word& word) {
    return IsOneOf(word, {"get", "gets", "have", "want", "need", "needs", "keep", "being"}) ||
           (count == 0 && IsOneOf(word, {"to"}));
  });
  const bool is_person =
      IsOneOf(named.front(), {"i", "you", "he", "she", "it", "we", "they", "that", "this"});
  return is_wish || is_person ? std::nullopt : std::optional(named);
}

}  // namespace

std::optional<TaskReference> IntentReader::DeedOf(Words words) const {
  if (words.size() < 2 || words.front().quoted) return std::nullopt;
  const std::string base = BaseOfPast(words.front().text);
  if (base.empty() || IsNegation(words[1]) || IsNegation(words.back())) return std::nullopt;
  return InThePresent(Reference(words), words.front(), base, Reference(words.subspan(1)));
}

bool IntentReader::ReadDeeds(TaskReference& reference, Words words) const {
  std::size_t deeds = 0;
  std::size_t shortest = words.size();
  for (TaskReference& part : reference.parts) {
    std::vector<Word> named;
    std::ranges::copy_if(words, std::back_inserter(named), [&](const Word& word) {
      return word.span.begin >= part.span.begin && word.span.end <= part.span.end;
    });
    if (named.empty()) continue;
    named.back().mark = 0;
    if (IsNegation(named.front()) || named.front().text.ends_with("n't")) return false;
    shortest = std::min(shortest, named.size());
    if (&part == &reference.parts.front()) continue;
    const Words words_of_part = WithoutTimeOfDoing(named);
    if (std::optional<TaskReference> deed = DeedOf(words_of_part)) {
      part = *std::move(deed);
      ++deeds;
    }
  }
  // "I washed and dried the car" is rather one task.
  reference.parts_are_deeds = deeds > 0 && deeds + 1 == reference.parts.size() && shortest > 1;
  return true;
}

/// "i paid the rent": the task is probably called "pay the rent".
std::optional<Intent> IntentReader::Did(Words rest) const {
  const Words words = WithoutTimeOfDoing(rest);
  std::optional<TaskReference> deed = DeedOf(words);
  if (!deed || IsNegation(rest.back()) || !ReadDeeds(*deed, words)) return std::nullopt;
  return CompleteIntent{*std::move(deed)};
}

/// "i didn't pay the rent", "i haven't paid the rent"
std::optional<Intent> IntentReader::DidNot(Words rest) const {
  rest = WithoutTimeOfDoing(rest);
  if (rest.size() > 1 && IsOneOf(rest.back(), {"yet"})) rest = rest.first(rest.size() - 1);
  // "I did not the report" says nothing.
  if (rest.size() < 2 || IsOneOf(rest.front(), {"the", "a", "an", "my", "our", "this", "that"}))
    return std::nullopt;
  if (std::optional<TaskReference> deed = DeedOf(rest)) return UncompleteIntent{*std::move(deed)};
  return About<UncompleteIntent>(rest);
}

/// "the rent is paid", "bills paid"
std::optional<Intent> IntentReader::WasDone(Words words) const {
  words = WithoutTimeOfDoing(words);
  if (words.size() < 2 || words.back().quoted || IsQuestion(words)) return std::nullopt;
  if (EndingOf(words).word_count > 0) return std::nullopt;  // "the meeting is cancelled"
  const std::string& verb = words.back().text;
  const std::string base = BaseOfPast(verb);
  if (base.empty() || LeavesItUndone(verb)) return std::nullopt;
  const bool looks_like_its_base = base == verb && !verb.ends_with("ed");  // "cut", "read"
  const std::optional<Words> named = DoneTo(words.first(words.size() - 1), looks_like_its_base);
  if (!named || NamesNoTask(*named)) return std::nullopt;
  TaskReference reference = Reference(*named);
  if (reference.it) return std::nullopt;
  return CompleteIntent{WithVerb(std::move(reference), base)};
}

}  // namespace todo::chat

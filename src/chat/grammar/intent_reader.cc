#include "chat/grammar/intent_reader.h"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "chat/grammar/deeds.h"
#include "chat/grammar/references.h"

namespace todo::chat {
namespace {

/// A date has at most this many words.
constexpr std::size_t kMaxDateWords = 12;

/// The words of `task`, which stand before a date, that may be a part of the date.
Words UnreadOf(Words task) {
  for (std::size_t i = 1; i < task.size(); ++i) {
    if (IsOneOf(task[i], {"to", "until", "till", "by"})) return task.subspan(i);
  }
  return DateWordAtEnd(task);
}

std::optional<Intent> OnlyLater(std::optional<Intent> intent) {
  auto* const postpone = intent ? std::get_if<PostponeIntent>(&*intent) : nullptr;
  if (postpone == nullptr) return intent;
  postpone->later = true;
  for (PostponeIntent& other : postpone->others) other.later = true;
  return intent;
}

/// Whether `words` begin with an order to complete or to reopen a task. A question mark behind them
/// is a part of the title, or of a polite question.
bool Orders(Words words) {
  return IsOneOf(words.front(), {"complete", "finish", "mark", "set", "tick", "check", "cross",
                                 "strike", "close", "reopen", "untick", "uncomplete", "uncheck"});
}

/// A sentence is read in this many ways at most.
constexpr std::size_t kMaxReadings = 6;

/// The first of `readings`, with the others from the last one on. nullopt: there are none.
template <typename Change>
std::optional<Intent> FirstOf(std::vector<Change> readings) {
  if (readings.empty()) return std::nullopt;
  Change first = std::move(readings.front());
  for (std::size_t i = readings.size(); i-- > 1;) first.others.push_back(std::move(readings[i]));
  return first;
}

/// "have finished the report" of "I should have finished the report".
bool IsRegret(Words words, Words rest) {
  return rest.size() > 2 && IsOneOf(words.front(), {"i", "we"}) &&
         IsOneOf(rest.front(), {"have"}) && !BaseOfPast(rest[1].text).empty();
}

}  // namespace

void AddNote(std::vector<std::string>& notes, std::string note) {
  if (notes.size() >= kMaxNotes) notes.resize(kMaxNotes - 1);
  notes.push_back(std::move(note));
}

std::optional<Intent> IntentReader::Read(Words words) const {
  const std::size_t courtesy = std::min(CourtesyBefore(words), words.size());
  const bool asks = std::ranges::any_of(words.first(courtesy), [](const Word& word) {
    return IsOneOf(word, {"can", "could", "would", "will"});
  });
  words = words.subspan(courtesy);
  words = words.first(words.size() - CourtesyBehind(words));
  if (words.empty()) return std::nullopt;
  if (!asks || words.back().mark != '?') return ReadWish(words);
  // The mark of "can you add milk?" is no part of the title.
  std::vector<Word> unmarked(words.begin(), words.end());
  unmarked.back().mark = 0;
  unmarked.back().end = unmarked.back().span.end;
  return ReadWish(unmarked);
}

std::optional<Intent> IntentReader::ReadWish(Words words) const {
  std::optional<Intent> intent = ReadStatement(words);
  if (!intent || words.back().mark != '?' || Orders(words)) return intent;
  // "Is it done?" may also be asked as "milk done?".
  const TaskReference* task = nullptr;
  if (const auto* complete = std::get_if<CompleteIntent>(&*intent)) task = &complete->task;
  if (const auto* uncomplete = std::get_if<UncompleteIntent>(&*intent)) task = &uncomplete->task;
  if (task == nullptr) return intent;
  if (task->it) return std::nullopt;
  return SearchIntent{task->suggested.empty() ? task->words : task->suggested};
}

std::optional<Intent> IntentReader::ReadStatement(Words words) const {
  for (const Opening& opening : OpeningsOf(words)) {
    const bool whole = opening.verb == Verb::kList || opening.verb == Verb::kShow;
    if (whole) {
      const auto intent = opening.verb == Verb::kList
                              ? List(words)
                              : Show(words, words.subspan(opening.word_count));
      if (intent) return intent;
      continue;
    }
    const Words rest = words.subspan(opening.word_count);
    if (opening.verb == Verb::kAdd && IsRegret(words, rest)) return std::nullopt;
    if (auto intent = ReadAfter(opening, rest)) return intent;
  }
  if (auto intent = ReadByEnding(words)) return intent;
  if (auto intent = List(words)) return intent;
  if (auto intent = WasDone(words)) return intent;
  // "Bought groceries". But "read chapter 5" may be a title.
  const std::string_view first = words.front().text;
  const bool is_past = first.ends_with("ed") || BaseOfPast(first) != first;
  return is_past ? Did(words) : std::nullopt;
}

std::optional<Intent> IntentReader::ReadAfter(const Opening& opening, Words rest) const {
  switch (opening.verb) {
    case Verb::kAdd: return Add(rest);
    case Verb::kPutOn: return PutOn(rest);
    case Verb::kRemind: return Remind(rest);
    case Verb::kComplete: return Complete(WithoutTimeOfDoing(rest));
    case Verb::kMark: return Mark(rest);
    case Verb::kTick: return Tick(rest);
    case Verb::kDid: return Did(rest);
    case Verb::kDidNot: return DidNot(rest);
    case Verb::kUncomplete: return About<UncompleteIntent>(rest);
    case Verb::kDelete: return Delete(rest);
    case Verb::kRename: return Rename(rest);
    case Verb::kChange: return Change(rest);
    case Verb::kPostpone: return Postpone(rest, /*needs_when=*/false);
    case Verb::kMove: return Postpone(rest, /*needs_when=*/true);
    case Verb::kDelay: return OnlyLater(Postpone(rest, /*needs_when=*/false));
    case Verb::kPush: return OnlyLater(Postpone(rest, /*needs_when=*/true));
    case Verb::kSearch: return Search(rest);
    case Verb::kIsItDone: return IsItDone(rest);
    case Verb::kUsage: {
      constexpr std::size_t kMaxRest = 8;  // "… have I finished this week"
      if (rest.size() > kMaxRest) return std::nullopt;
      return UsageIntent{PastDaysAtEnd(rest, text_, context_)};
    }
    case Verb::kUndo: return rest.empty() ? std::optional<Intent>(UndoIntent{}) : std::nullopt;
    case Verb::kHelp: return rest.empty() ? std::optional<Intent>(HelpIntent{}) : std::nullopt;
    case Verb::kList:
    case Verb::kShow: break;  // Read looks at all words of these
  }
  return std::nullopt;
}

std::optional<Intent> IntentReader::ReadByEnding(Words words) const {
  if (IsQuestion(words)) return std::nullopt;
  if (const Ending ending = EndingOf(words);
      ending.word_count > 0 && ending.word_count < words.size()) {
    const Words named = words.first(words.size() - ending.word_count);
    if (AreNoTitle(named)) return std::nullopt;
    if (ending.verb == Verb::kUncomplete) return About<UncompleteIntent>(named);
    if (DenyDoing(named)) return std::nullopt;
    if (ending.verb == Verb::kDelete) return About<DeleteIntent>(named);
    return Complete(named);
  }
  // "the report is due on friday"
  for (std::size_t i = 1; i + 2 < words.size(); ++i) {
    if (!IsOneOf(words[i], {"is", "are"}) || !IsOneOf(words[i + 1], {"due", "now"})) continue;
    if (const auto when = When(words.subspan(i + 2))) {
      return PostponeIntent{.task = Reference(words.first(i)),
                            .when = when,
                            .when_text = std::string(TextOf(text_, SpanOf(words.subspan(i + 2))))};
    }
  }
  return std::nullopt;
}

TaskReference IntentReader::Reference(Words words) const {
  return ReferenceOf(words, text_, context_);
}

template <typename Change>
std::optional<Intent> IntentReader::About(Words words) const {
  if (NamesNoTask(words)) return std::nullopt;
  return Change{Reference(words)};
}

/// "Remove the due date of the report" does not delete the report.
std::optional<Intent> IntentReader::Delete(Words rest) const {
  static const Form part(
      "the|a|my|all|any? reminder|reminders|alarm|alarms|deadline|tag|tags|priority|description "
      "from|of|for|on");
  static const Form due("the|a|my? due date|time from|of|for|on");
  if (part.Match(rest) > 0 || due.Match(rest) > 0) return std::nullopt;
  return About<DeleteIntent>(rest);
}

/// A negation at either end is no part of a title, and means that nothing is done.
std::optional<Intent> IntentReader::Complete(Words words) const {
  if (!words.empty() && (IsNegation(words.front()) || IsNegation(words.back())))
    return std::nullopt;
  std::optional<Intent> intent = About<CompleteIntent>(words);
  if (intent && !ReadDeeds(std::get<CompleteIntent>(*intent).task, words)) return std::nullopt;
  return intent;
}

TaskPhrase IntentReader::Phrase(Words words) const {
  if (words.empty()) return {};
  Span span = SpanWithMark(words);
  // The end of a sentence is no part of a title; the full stop of "etc." is.
  const Word& last = words.back();
  constexpr std::size_t kLongestAbbreviation = 3;
  const bool separates = last.mark == ',' || last.mark == ';';
  if (separates || (last.mark == '.' && last.text.size() > kLongestAbbreviation))
    span.end = last.span.end;
  TaskPhrase phrase = ParseTaskPhrase(TextOf(text_, span), context_);
  for (Piece& piece : phrase.pieces) {
    piece.span.begin += span.begin;
    piece.span.end += span.begin;
  }
  return phrase;
}

std::optional<WhenPhrase> IntentReader::When(Words words) const {
  if (words.empty() || words.size() > kMaxDateWords) return std::nullopt;
  return ParseWhen(TextOf(text_, SpanOf(words)), context_);
}

Intent IntentReader::Add(Words rest) const {
  while (!rest.empty() && IsOneOf(rest.front(), {":", "-", "\u2014"})) rest = rest.subspan(1);
  // "I want to add a task to call mom"
  const std::vector<Opening> again = OpeningsOf(rest);
  constexpr std::size_t kShortest = 3;  // "add a task"
  if (!again.empty() && again.front().verb == Verb::kAdd && again.front().word_count >= kShortest &&
      IsOneOf(rest.front(), {"add", "create", "make"}))
    rest = rest.subspan(again.front().word_count);
  AddIntent intent{Phrase(WithoutList(rest))};
  intent.task.title = std::string(Unquoted(intent.task.title));
  return intent;
}

std::optional<Intent> IntentReader::PutOn(Words rest) const {
  const Words task = WithoutList(rest);
  if (task.size() == rest.size()) return std::nullopt;
  return AddIntent{Phrase(task)};
}

std::optional<Intent> IntentReader::Mark(Words rest) const {
  static const Form undone("as|to? not|un done|finished|complete|completed");
  static const Form open("as|to? undone|open|incomplete|unfinished|todo");
  static const Form done("as|to? done|finished|complete|completed");
  for (const Form* const form : {&undone, &open}) {
    if (const std::size_t count = form->MatchEnd(rest); count > 0 && count < rest.size())
      return About<UncompleteIntent>(rest.first(rest.size() - count));
  }
  const std::size_t count = done.MatchEnd(rest);
  if (count == 0 && rest.size() > 2 && IsOneOf(rest[rest.size() - 2], {"as"})) {
    std::vector<Word> deed(rest.begin(), rest.end());  // "rent paid" of "mark rent as paid"
    deed.erase(deed.end() - 2);
    return WasDone(deed);
  }
  if (count == 0 || count == rest.size()) return std::nullopt;
  const Words named = rest.first(rest.size() - count);
  return DenyDoing(named) ? std::nullopt : Complete(named);
}

std::optional<Intent> IntentReader::Tick(Words rest) const {
  const Words words = WithoutList(rest);
  if (words.size() < 2 || !IsOneOf(words.back(), {"off"})) {
    if (words.size() == rest.size() || words.empty()) return std::nullopt;
    return Complete(words);  // "cross milk off my list"
  }
  return Complete(words.first(words.size() - 1));
}

std::optional<Intent> IntentReader::Rename(Words rest) const {
  std::vector<RenameIntent> readings;
  for (std::size_t i = 1; i + 1 < rest.size() && readings.size() < kMaxReadings; ++i) {
    if (!IsOneOf(rest[i], {"to", "as", "into"})) continue;
    const Words title = rest.subspan(i + 1);
    const TaskReference named = ReferenceOf(title, text_, context_);
    // The title is taken as it is written: no dates, no articles taken off.
    Span span = SpanOf(title);
    std::string written(TextOf(text_, span));
    if (title.size() == 1 && title.front().quoted) written = named.words;
    readings.push_back({.task = Reference(rest.first(i)), .title = std::move(written)});
  }
  return FirstOf(std::move(readings));
}

std::optional<Intent> IntentReader::Change(Words rest) const {
  if (auto postponed = Postpone(rest, /*needs_when=*/true)) return postponed;
  return Rename(rest);
}

std::optional<Intent> IntentReader::Postpone(Words rest, bool needs_when) const {
  if (rest.size() > 1 && IsOneOf(rest.front(), {"back", "forward", "off"})) rest = rest.subspan(1);
  std::vector<PostponeIntent> readings;
  const std::size_t first = rest.size() > kMaxDateWords ? rest.size() - kMaxDateWords : 0;
  for (std::size_t i = first; i < rest.size() && readings.size() < kMaxReadings; ++i) {
    PostponeIntent intent;
    intent.when = When(rest.subspan(i));
    if (!intent.when) continue;
    intent.when_text = TextOf(text_, SpanOf(rest.subspan(i)));
    Words task = rest.first(i);
    while (!task.empty() && IsOneOf(task.back(), {"to", "back", "forward", "off", "due", "for",
                                                  "until", "till", "by", "on", "the"})) {
      task = task.first(task.size() - 1);
    }
    if (NamesNoTask(task)) break;
    intent.task = Reference(task);
    intent.unread = TextOf(text_, SpanOf(UnreadOf(task)));
    if (readings.empty() || readings.back().task != intent.task)
      readings.push_back(std::move(intent));
  }
  if (!readings.empty()) {
    // The date may be a part of a title, and the sentence may name none.
    readings.push_back({.task = Reference(rest), .when = std::nullopt, .when_text = {}});
    return FirstOf(std::move(readings));
  }
  if (needs_when) return std::nullopt;
  PostponeIntent intent;
  Words task = rest;
  for (std::size_t i = rest.size(); i-- > 1;) {
    if (!IsOneOf(rest[i], {"to", "until", "till", "by"})) continue;
    task = rest.first(i);
    intent.when_text = TextOf(text_, SpanOf(rest.subspan(std::min(i + 1, rest.size() - 1))));
    break;
  }
  intent.task = Reference(task);
  return intent;
}

std::optional<Intent> IntentReader::List(Words words) const {
  if (auto list = ReadList(words, text_, context_)) return *std::move(list);
  return std::nullopt;
}

/// A list when the words ask for days, else a search.
std::optional<Intent> IntentReader::Show(Words words, Words rest) const {
  if (auto list = List(words)) return list;
  static const Form about("me? all|the|my? tasks|todos|items? about|with|for|called|named?");
  static const Form tasks_about(
      "all|the|my|tasks|todos|items tasks|todos|items? "
      "about|with|for|called|named?");
  for (const Form* const form : {&about, &tasks_about}) {
    if (const std::size_t count = form->Match(rest); count > 0 && count < rest.size())
      return Search(rest.subspan(count));
  }
  return Search(rest);
}

std::optional<Intent> IntentReader::Search(Words rest) const {
  static const Form end("due|done|scheduled|planned");
  if (rest.size() > 1) rest = rest.first(rest.size() - end.MatchEnd(rest));
  const TaskReference reference = ReferenceOf(rest, text_, context_);
  if (reference.it) return std::nullopt;
  return SearchIntent{reference.words};
}

std::optional<Intent> IntentReader::IsItDone(Words rest) const {
  static const Form end("done|finished|complete|completed|open|due|overdue yet|already?");
  std::size_t count = end.MatchEnd(rest);
  if (count == 0 && !rest.empty() && !BaseOfPast(rest.back().text).empty()) count = 1;  // "paid?"
  if (count == 0 || count >= rest.size()) return std::nullopt;
  const Words named = rest.first(rest.size() - count);
  return NamesNoTask(named) ? std::nullopt : Search(named);
}

}  // namespace todo::chat

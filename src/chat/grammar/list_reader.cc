#include <algorithm>
#include <string>

#include "chat/grammar/intent_reader.h"

// Questions about days: "what do I have to do this week", "anything overdue?", "show everything".

namespace todo::chat {
namespace {

/// Longer texts are no such question.
constexpr std::size_t kMaxWords = 16;

bool IsFiller(const Word& word) {
  return IsOneOf(
      word,
      {"what",    "what's", "whats",     "which",    "show",   "list",       "see",       "view",
       "display", "give",   "tell",      "me",       "is",     "are",        "am",        "there",
       "do",      "does",   "i",         "we",       "have",   "has",        "had",       "got",
       "to",      "need",   "should",    "must",     "get",    "my",         "the",       "our",
       "due",     "open",   "task",      "tasks",    "todo",   "todos",      "to-do",     "to-dos",
       "item",    "items",  "thing",     "things",   "any",    "anything",   "something", "else",
       "on",      "for",    "agenda",    "plan",     "plans",  "schedule",   "scheduled", "planned",
       "coming",  "up",     "left",      "upcoming", "of",     "still",      "undone",    "doing",
       "done",    "next",   "happening", "going",    "all",    "everything", "how",       "look",
       "looks",   "like",   "looking",   "be",       "please", "remaining",  "pending",   "in",
       "week's",  "day's",  "now",       "current",  "plate",  "calendar"});
}

bool Has(Words words, std::initializer_list<std::string_view> wanted) {
  return std::ranges::any_of(words, [&](const Word& word) { return IsOneOf(word, wanted); });
}

bool IsDone(const Word& word) { return IsOneOf(word, {"completed", "finished"}); }

bool IsPriority(const Word& word) { return IsOneOf(word, {"high", "medium", "low", "priority"}); }

/// "high priority"
std::optional<domain::Priority> PriorityIn(Words words) {
  if (!Has(words, {"priority"})) return std::nullopt;
  if (Has(words, {"high"})) return domain::Priority::kHigh;
  if (Has(words, {"medium"})) return domain::Priority::kMedium;
  if (Has(words, {"low"})) return domain::Priority::kLow;
  return std::nullopt;
}

/// The date that stands in `words`, with only fillers before and behind it.
std::optional<ListIntent> ReadRange(Words words, std::string_view text,
                                    const GrammarContext& context) {
  for (std::size_t begin = 0; begin < words.size(); ++begin) {
    for (std::size_t end = words.size(); end > begin; --end) {
      const Words date = words.subspan(begin, end - begin);
      std::string_view written = TextOf(text, SpanOf(date));
      for (const std::string_view possessive : {"'s", "\u2019s"}) {
        if (written.ends_with(possessive)) written.remove_suffix(possessive.size());
      }
      if (const auto range = ParseDayRange(written, context)) {
        return ListIntent{
            .what = ListIntent::What::kRange, .range = range, .range_text = std::string(written)};
      }
      if (!IsFiller(words[end - 1])) break;
    }
    if (!IsFiller(words[begin])) break;
  }
  return std::nullopt;
}

/// A weekday or a month is the last one of its name in a question about the past.
DayRange InThePast(DayRange range, absl::CivilDay today) {
  constexpr int kDaysOfWeek = 7;
  if (range.first == range.last && range.first > today && range.first <= today + kDaysOfWeek)
    return {range.first - kDaysOfWeek, range.last - kDaysOfWeek};
  const absl::CivilMonth month(range.first);
  const bool is_month =
      range.first == absl::CivilDay(month) && range.last == absl::CivilDay(month + 1) - 1;
  constexpr int kMonths = 12;
  if (is_month && range.first > today && month < absl::CivilMonth(today) + kMonths)
    return {absl::CivilDay(month - kMonths), absl::CivilDay(month - kMonths + 1) - 1};
  return range;
}

}  // namespace

std::optional<DayRange> PastDaysAtEnd(Words words, std::string_view text,
                                      const GrammarContext& context) {
  for (std::size_t begin = 0; begin < words.size(); ++begin) {
    const Words days = words.subspan(begin);
    const auto range = ParseDayRange(TextOf(text, SpanOf(days)), context);
    if (!range) continue;
    if (IsOneOf(days.front(), {"next", "coming", "tomorrow"})) return range;
    return InThePast(*range, absl::CivilDay(context.zone.ToLocal(context.now)));
  }
  return std::nullopt;
}

std::optional<ListIntent> ReadList(Words words, std::string_view text,
                                   const GrammarContext& context) {
  if (words.empty() || words.size() > kMaxWords) return std::nullopt;
  if (auto range = ReadRange(words, text, context)) return range;
  const auto is_overdue = [](const Word& word) {
    return IsOneOf(word, {"overdue", "late", "missed", "behind"});
  };
  const std::optional<domain::Priority> priority = PriorityIn(words);
  const bool is_list = std::ranges::all_of(words, [&](const Word& word) {
    return IsFiller(word) || is_overdue(word) || IsDone(word) || (priority && IsPriority(word));
  });
  if (!is_list) return std::nullopt;
  if (priority) {
    return ListIntent{
        .what = ListIntent::What::kAllOpen, .range = {}, .range_text = {}, .priority = priority};
  }
  if (std::ranges::any_of(words, is_overdue))
    return ListIntent{.what = ListIntent::What::kOverdue, .range = {}, .range_text = {}};
  const bool asks_for_done = std::ranges::any_of(words, IsDone) ||
                             (Has(words, {"done"}) && IsOneOf(words.front(), {"show", "list"}));
  if (asks_for_done)
    return ListIntent{.what = ListIntent::What::kDone, .range = {}, .range_text = {}};
  const bool asks_for_due = Has(words, {"due"});
  const bool asks =
      asks_for_due || Has(words, {"what", "what's", "whats", "show", "list", "all", "everything",
                                  "tasks", "todos", "agenda", "anything", "upcoming", "any"});
  if (!asks || Has(words, {"done"})) return std::nullopt;
  if (!asks_for_due) {
    return ListIntent{.what = ListIntent::What::kAllOpen, .range = {}, .range_text = {}};
  }
  const absl::CivilDay today(context.zone.ToLocal(context.now));
  return ListIntent{.what = ListIntent::What::kRange,
                    .range = DayRange{.first = today, .last = today},
                    .range_text = "today"};
}

}  // namespace todo::chat

#include <algorithm>
#include <chrono>
#include <string>
#include <utility>

#include "chat/grammar/durations.h"
#include "chat/grammar/intent_reader.h"
#include "chat/grammar/references.h"
#include "chat/grammar/tokens.h"

// "Remind me to …" adds a task, "remind me of …" is about one that there is.

namespace todo::chat {
namespace {

/// "30 min before", and the words that say it.
struct Offset {
  domain::Period before;
  Words words;
};

/// The offset that `words` begin with.
std::optional<Offset> ReadOffset(Words words, std::string_view text) {
  constexpr std::size_t kMaxOffsetWords = 6;  // "1 hour and 30 minutes before"
  words = words.first(std::min(words.size(), kMaxOffsetWords));
  const grammar::Tokens tokens(TextOf(text, SpanOf(words)));
  grammar::Cursor cursor(tokens, 0);
  const auto duration = grammar::ReadOffset(cursor);
  if (!duration) return std::nullopt;
  const std::size_t end = words.front().span.begin + tokens.SpanOf(0, cursor.at()).end;
  std::size_t count = 0;
  while (count < words.size() && words[count].span.begin < end) ++count;
  return Offset{.before = {.days = std::chrono::days(duration->days), .time = duration->time},
                .words = words.first(count)};
}

/// The offset in `words`.
std::optional<Offset> FindOffset(Words words, std::string_view text) {
  for (std::size_t i = 0; i < words.size(); ++i) {
    if (!IsOneOf(words[i], {"before", "earlier", "ahead"})) continue;
    constexpr std::size_t kMaxBefore = 5;
    for (std::size_t begin = i > kMaxBefore ? i - kMaxBefore : 0; begin < i; ++begin) {
      if (auto offset = ReadOffset(words.subspan(begin), text)) return offset;
    }
  }
  return std::nullopt;
}

void Say(std::string& text, std::string_view more) {
  if (!text.empty()) text += ' ';
  text += more;
}

/// The words of `naming` that may be a part of the date at `date`. A title stands before or behind
/// the date, and not on both sides.
Words UnreadOf(Words naming, std::size_t date) {
  std::size_t before = 0;
  while (before < naming.size() && naming[before].span.begin < date) ++before;
  if (before > 0 && before < naming.size()) return naming.subspan(before);
  return DateWordAtEnd(naming.first(before));
}

}  // namespace

std::optional<Moment> ReminderAt(const Moment& moment, const GrammarContext& context) {
  if (moment.has_time) return moment;
  const domain::Wording& wording = context.wording;
  for (const std::chrono::seconds time :
       {wording.morning, wording.afternoon, wording.evening, wording.night}) {
    const Moment at{.local = moment.local + time.count(), .has_time = true};
    if (context.zone.ToInstant(at.local) > context.now) return at;
  }
  return std::nullopt;
}

std::optional<Intent> IntentReader::Remind(Words rest) const {
  if (rest.empty()) return std::nullopt;
  if (IsOneOf(rest.front(), {"to", "called", "named"})) return RemindTo({}, rest.subspan(1));
  if (IsOneOf(rest.front(), {"for"})) {  // "for tomorrow 9am to call Joe"
    for (std::size_t i = 2; i + 1 < rest.size(); ++i) {
      if (IsOneOf(rest[i], {"to"}) && When(rest.subspan(1, i - 1)))
        return RemindTo(rest.subspan(1, i - 1), rest.subspan(i + 1));
    }
  }
  if (IsOneOf(rest.front(), {"about", "of", "for"})) return RemindOf(rest.subspan(1));
  for (std::size_t i = 1; i + 1 < rest.size(); ++i) {
    const bool to = IsOneOf(rest[i], {"to", "that"});
    if (!to && !IsOneOf(rest[i], {"about", "of", "for"})) continue;
    if (!When(rest.first(i))) continue;
    if (to) return RemindTo(rest.first(i), rest.subspan(i + 1));
    RemindIntent intent = std::get<RemindIntent>(RemindOf(rest.first(i)));
    intent.task = Reference(rest.subspan(i + 1));
    return intent;
  }
  // "remind me 30 minutes before the dentist", "remind me tomorrow"
  const TaskPhrase phrase = Phrase(rest);
  if (FindOffset(rest, text_) || (phrase.due && phrase.title.empty())) return RemindOf(rest);
  if (phrase.due) return RemindTo({}, rest);
  return std::nullopt;
}

/// A new task, with a reminder at its due time.
std::optional<Intent> IntentReader::RemindTo(Words when, Words task) const {
  AddIntent intent{Phrase(task)};
  TaskPhrase& phrase = intent.task;
  if (!when.empty()) {
    const std::optional<WhenPhrase> read = When(when);
    if (!read || !read->moment || phrase.due) return std::nullopt;
    phrase.due = read->moment;
    phrase.pieces.insert(phrase.pieces.begin(),
                         {.kind = PieceKind::kDueDate,
                          .span = SpanOf(when),
                          .meaning = Describe(*read->moment, context_.wording)});
    for (const std::string& note : read->notes) AddNote(phrase.notes, note);
  }
  if (!phrase.due) {
    AddNote(phrase.notes, "There is no reminder, because no time was named.");
  } else if (phrase.reminders.empty() && phrase.due->has_time) {
    phrase.reminders.push_back({.before = domain::Period(), .at = std::nullopt});
  } else if (phrase.reminders.empty()) {
    const std::optional<Moment> at = ReminderAt(*phrase.due, context_);
    if (at) phrase.reminders.push_back({.before = std::nullopt, .at = at});
    if (!at) AddNote(phrase.notes, "There is no reminder, because the day is nearly over.");
  }
  return intent;
}

Intent IntentReader::RemindOf(Words rest) const {
  RemindIntent intent;
  std::vector<Word> naming(rest.begin(), rest.end());  // the words that name the task
  std::size_t first_taken = text_.size();
  const auto take = [&](Span span) {
    first_taken = std::min(first_taken, span.begin);
    Say(intent.when_text, TextOf(text_, span));
    std::erase_if(naming, [&](const Word& word) {
      return span.begin < word.span.end && word.span.begin < span.end;
    });
  };
  if (const std::optional<Offset> offset = FindOffset(rest, text_)) {
    intent.reminders.push_back({.before = offset->before, .at = std::nullopt});
    take(SpanOf(offset->words));
  } else {
    const TaskPhrase phrase = Phrase(rest);
    intent.reminders = phrase.reminders;
    intent.notes = phrase.notes;
    for (const Piece& piece : phrase.pieces) take(piece.span);
    if (phrase.due && !phrase.recurrence_rule && intent.reminders.empty()) {
      const std::optional<Moment> at = ReminderAt(*phrase.due, context_);
      if (at) intent.reminders.push_back({.before = std::nullopt, .at = at});
    }
  }
  while (!naming.empty() && IsOneOf(naming.front(), {"of", "about", "for"}))
    naming.erase(naming.begin());
  intent.unread = TextOf(text_, SpanOf(UnreadOf(naming, first_taken)));
  intent.task = Reference(naming);
  return intent;
}

}  // namespace todo::chat

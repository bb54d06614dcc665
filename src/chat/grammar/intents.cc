#include "chat/grammar/intents.h"

#include <algorithm>
#include <utility>
#include <variant>

#include "chat/grammar/intent_reader.h"
#include "chat/grammar/sentence_words.h"
#include "chat/grammar/verbs.h"

namespace todo::chat {
namespace {

/// Places at which a sentence may be split are looked at up to this many times, so that the time
/// for a text stays short.
constexpr int kMaxTries = 40;

/// A place at which one intent may end and the next may begin.
struct Joint {
  std::size_t end = 0;    // of the words before it
  std::size_t begin = 0;  // of the words after it
  bool firm = false;      // more than "and" or a comma
};

bool IsConnection(const Word& word) { return IsOneOf(word, {"and", "&", "then", "plus", "also"}); }

std::vector<Joint> JointsOf(Words words) {
  std::vector<Joint> joints;
  for (std::size_t i = 1; i < words.size(); ++i) {
    const char mark = words[i - 1].quoted ? '\0' : words[i - 1].mark;
    if (mark == 0 && !IsConnection(words[i])) continue;
    if (mark == ':') continue;
    Joint joint{.end = i, .begin = i, .firm = mark != 0 && mark != ','};
    while (joint.begin < words.size() && IsConnection(words[joint.begin])) {
      joint.firm = joint.firm || IsOneOf(words[joint.begin], {"then"});
      ++joint.begin;
    }
    if (joint.begin < words.size()) joints.push_back(joint);
    i = std::max(i, joint.begin);
  }
  return joints;
}

bool Adds(Verb verb) { return verb == Verb::kAdd || verb == Verb::kPutOn || verb == Verb::kRemind; }

/// Whether `words`, behind a joint, begin with a verb. After an intent that adds a task, a verb
/// that is common in titles does not count: "add find a gift and cancel the room".
bool OpensIntent(Words words, bool after_adding, bool firm) {
  words = words.subspan(CourtesyBefore(words));
  return std::ranges::any_of(OpeningsOf(words), [&](const Opening& opening) {
    return firm || !after_adding || !opening.weak;
  });
}

/// Whether the words are a title with a date behind it.
bool EndsWithDate(const TaskPhrase& task, Words words) {
  return !task.title.empty() && std::ranges::any_of(task.pieces, [&](const Piece& piece) {
    const bool dates = piece.kind == PieceKind::kDueDate || piece.kind == PieceKind::kRecurrence;
    return dates && piece.span.end == words.back().span.end;
  });
}

/// Splits a sentence into the parts that are intents of their own.
class Splitter {
 public:
  Splitter(std::string_view text, const GrammarContext& context)
      : text_(text), context_(context), words_(SplitWords(text)), reader_(text, context) {}

  Sentence Split() {
    const std::vector<Joint> joints = JointsOf(words_);
    for (std::size_t i = 0; i < joints.size() && tries_ < kMaxTries; ++i) {
      if (joints[i].end > begin_) TryAt(joints, i);
    }
    const Words rest = Words(words_).subspan(begin_);
    if (std::optional<Intent> last = rest.empty() ? std::nullopt : ReadPart(rest)) {
      Push(*std::move(last));
    } else if (!rest.empty()) {
      sentence_.not_understood = SpanWithMark(rest);
    }
    if (sentence_.intents.size() > kMaxIntents) sentence_.not_understood = SpanWithMark(rest);
    return std::move(sentence_);
  }

 private:
  void TryAt(const std::vector<Joint>& joints, std::size_t index) {
    const Joint& joint = joints[index];
    const Words before = Words(words_).subspan(begin_, joint.end - begin_);
    const Words after = Words(words_).subspan(joint.begin);
    const std::vector<Opening> openings = OpeningsOf(before.subspan(CourtesyBefore(before)));
    const bool goes_on = adding_ && !HasVerb(before);
    const bool adds = goes_on || (!openings.empty() && Adds(openings.front().verb));
    const bool by_ending =
        EndingOf(before).word_count > 0 || (openings.empty() && reader_.EndsWithDeed(before));
    const bool opens =
        by_ending || ((goes_on || !openings.empty()) && OpensIntent(after, adds, joint.firm));
    if (!opens && !adds) return;
    ++tries_;
    if (opens ? !ReadsUpToAJoint(joints, index) : !IsDatedTaskUpToAJoint(joints, index)) return;
    std::optional<Intent> intent = ReadPart(before);
    if (!intent || sentence_.intents.size() >= kMaxIntents) return;
    if (!opens) {
      const auto* const added = std::get_if<AddIntent>(&*intent);
      if (added == nullptr || !EndsWithDate(added->task, before)) return;
    }
    Push(*std::move(intent));
    begin_ = joint.begin;
    adding_ = adds;
    by_date_ = !opens;
  }

  /// Whether `words` begin with a verb of a sentence. Where only dates separate the tasks that are
  /// added, a verb that is common in titles is a part of the title.
  bool HasVerb(Words words) const {
    const std::vector<Opening> openings = OpeningsOf(words.subspan(CourtesyBefore(words)));
    return std::ranges::any_of(openings,
                               [&](const Opening& opening) { return !by_date_ || !opening.weak; });
  }

  /// As IntentReader::Read. Behind a task that is added, words without a verb are the next one.
  std::optional<Intent> ReadPart(Words words) const {
    return adding_ && !HasVerb(words) ? AddIntent{reader_.ReadTask(words)} : reader_.Read(words);
  }

  /// "oil change friday" of "add car wash tomorrow and oil change friday".
  bool IsDatedTaskUpToAJoint(const std::vector<Joint>& joints, std::size_t index) const {
    const std::size_t begin = joints[index].begin;
    const std::size_t end = index + 1 < joints.size() ? joints[index + 1].end : words_.size();
    if (end <= begin) return false;
    const Words words = Words(words_).subspan(begin, end - begin);
    return EndsWithDate(reader_.ReadTask(words), words);
  }

  /// Adds an intent to the sentence. A reminder of "it", said of a task that is just added, belongs
  /// to that task: "add call mom tomorrow at 3pm, remind me 30 min before".
  void Push(Intent intent) {
    AddIntent* const added =
        sentence_.intents.empty() ? nullptr : std::get_if<AddIntent>(&sentence_.intents.back());
    const RemindIntent* const remind = std::get_if<RemindIntent>(&intent);
    if (added != nullptr && remind != nullptr && remind->task.it && !remind->reminders.empty()) {
      Remind(added->task, *remind);
      return;
    }
    sentence_.intents.push_back(std::move(intent));
  }

  void Remind(TaskPhrase& task, const RemindIntent& remind) const {
    for (ReminderPhrase reminder : remind.reminders) {
      if (reminder.before && task.due) {
        if (const auto at = MorningBefore(*task.due, *reminder.before, context_))
          reminder = {.before = std::nullopt, .at = at};
      }
      task.reminders.push_back(reminder);
    }
    for (const std::string& note : remind.notes) AddNote(task.notes, note);
    if (remind.when_text.empty()) return;
    const std::size_t begin = text_.find(remind.when_text, words_[begin_].span.begin);
    if (begin == std::string_view::npos) return;  // the words of the time are apart
    const std::optional<Moment>& at = remind.reminders.front().at;
    task.pieces.push_back({.kind = PieceKind::kReminder,
                           .span = {begin, begin + remind.when_text.size()},
                           .meaning = at ? Describe(*at, context_.wording) : remind.when_text});
  }

  /// Whether the words behind a joint are an intent, up to one of the next joints or to the end.
  bool ReadsUpToAJoint(const std::vector<Joint>& joints, std::size_t index) const {
    constexpr std::size_t kLookahead = 3;
    const std::size_t begin = joints[index].begin;
    for (std::size_t next = index + 1; next <= index + kLookahead; ++next) {
      const std::size_t end = next < joints.size() ? joints[next].end : words_.size();
      if (end > begin && reader_.Read(Words(words_).subspan(begin, end - begin))) return true;
      if (next >= joints.size()) break;
    }
    return false;
  }

  const std::string_view text_;
  const GrammarContext& context_;
  const std::vector<Word> words_;
  const IntentReader reader_;
  std::size_t begin_ = 0;  // of the words that are not yet read
  bool adding_ = false;    // the part before it adds a task
  bool by_date_ = false;   // … and ends only where its date does
  int tries_ = 0;
  Sentence sentence_;
};

}  // namespace

Sentence ParseSentence(std::string_view text, const GrammarContext& context) {
  return Splitter(text, context).Split();
}

}  // namespace todo::chat

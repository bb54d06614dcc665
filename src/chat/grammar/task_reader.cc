#include "chat/grammar/task_reader.h"

#include <fmt/format.h>

#include <algorithm>
#include <variant>

#include "chat/grammar/calendar.h"
#include "chat/grammar/series.h"
#include "chat/grammar/words.h"
#include "domain/reminder/reminder.h"
#include "util/status.h"

namespace todo::chat::grammar {
namespace {

bool IsSpace(char c) { return static_cast<unsigned char>(c) <= ' ' || c == '\x7f'; }

/// Removes spaces, and the marks that were between words and a piece.
std::string_view Trimmed(std::string_view text, bool after_piece, bool before_piece) {
  const auto is_loose = [](char c) { return IsSpace(c) || c == ',' || c == ';' || c == ':'; };
  while (!text.empty() && (after_piece ? is_loose(text.front()) : IsSpace(text.front())))
    text.remove_prefix(1);
  while (!text.empty() && (before_piece ? is_loose(text.back()) : IsSpace(text.back())))
    text.remove_suffix(1);
  for (const std::string_view dash : {"-", "\u2013", "\u2014"}) {
    if (after_piece && text.starts_with(dash) && text.substr(dash.size()).starts_with(" "))
      return Trimmed(text.substr(dash.size()), after_piece, before_piece);
    if (before_piece && text.ends_with(dash) &&
        (text.size() == dash.size() || text[text.size() - dash.size() - 1] == ' '))
      return Trimmed(text.substr(0, text.size() - dash.size()), after_piece, before_piece);
  }
  constexpr std::string_view kEnds = ".!?";
  const bool only_marks = text.find_first_not_of(kEnds) == std::string_view::npos;
  return after_piece && only_marks ? std::string_view() : text;
}

/// Adds the words of `text` to `title`, with single spaces.
void Append(std::string& title, std::string_view text) {
  bool space = !title.empty();
  for (const char c : text) {
    if (IsSpace(c)) {
      space = true;
      continue;
    }
    if (space && !title.empty()) title += ' ';
    space = false;
    title += c;
  }
}

std::string InWords(const ReminderPhrase& reminder, const ReminderWish& wish,
                    const domain::Wording& wording) {
  if (reminder.at) return Describe(*reminder.at, wording);
  return wish.at_due ? "at the due time" : fmt::format("{} before", InWords(*wish.before));
}

/// The number of tokens in front of the pieces at the end, such as tags.
std::size_t EndOfTitle(const std::vector<FoundPiece>& found, std::size_t size) {
  for (std::size_t i = found.size(); i-- > 0 && found[i].end == size && !found[i].is_title;)
    size = found[i].begin;
  return size;
}

}  // namespace

TaskPhrase TaskReader::Read() {
  const std::vector<FoundPiece> found = FindPieces(tokens_, context_);
  Dates dates;
  for (const FoundPiece& piece : found)
    if (!piece.is_title) Collect(piece, dates);
  ResolveDates(dates);
  const std::size_t end = EndOfTitle(found, tokens_.size());
  NoteYesterday(end);
  if (!phrase_.due) {
    NoteTitleDates(found);
    NoteNoDateAtEnd(end);
  }
  // A reminder depends on the due date, which may stand behind it.
  for (const FoundPiece& piece : found)
    if (const auto* wish = std::get_if<ReminderWish>(&piece.content); wish && !piece.is_title)
      AddReminder(piece, *wish);
  std::ranges::sort(phrase_.pieces, {}, [](const Piece& piece) { return piece.span.begin; });
  phrase_.title = Title();
  if (phrase_.notes.size() > kMaxNotes) phrase_.notes.resize(kMaxNotes);
  return std::move(phrase_);
}

void TaskReader::Collect(const FoundPiece& piece, Dates& dates) {
  if (const auto* moment = std::get_if<MomentPhrase>(&piece.content)) {
    CollectMoment(piece, *moment, dates);
  } else if (const auto* rule = std::get_if<RulePhrase>(&piece.content)) {
    CollectRule(piece, *rule, dates);
  } else if (const auto* priority = std::get_if<domain::Priority>(&piece.content)) {
    SetPriority(piece, *priority);
  } else if (const auto* tag = std::get_if<std::string>(&piece.content)) {
    AddTag(piece, *tag);
  }
}

void TaskReader::CollectMoment(const FoundPiece& piece, const MomentPhrase& moment, Dates& dates) {
  if (IsSecondRule(piece, dates)) return NoteKept(piece, "a task has one rule");
  MomentPhrase& said = dates.said;
  const bool has_clock = said.time || said.part;
  if ((said.day && moment.day) || (has_clock && (moment.time || moment.part)) ||
      (has_clock && moment.day && moment.day->exact) || (said.day && said.day->exact))
    return NoteKept(piece, "a task has one due date");
  if (moment.day) said.day = moment.day;
  if (moment.time) said.time = moment.time;
  if (moment.part) said.part = moment.part;
  dates.moments.push_back(&piece);
}

/// "and thursday at 14" of "every monday at 10 and thursday at 14" is no beginning of the rule.
bool TaskReader::IsSecondRule(const FoundPiece& piece, const Dates& dates) const {
  return dates.rule != nullptr && dates.rule->end + 1 == piece.begin &&
         (tokens_[dates.rule->end].text == "and" || tokens_[dates.rule->end].text == "&");
}

void TaskReader::CollectRule(const FoundPiece& piece, const RulePhrase& rule, Dates& dates) {
  if (rule.is_too_often) return NoteKept(piece, "a rule repeats at most once a day");
  if (dates.rule != nullptr) return NoteKept(piece, "a task has one rule");
  dates.rule = &piece;
}

void TaskReader::ResolveDates(const Dates& dates) {
  if (dates.rule != nullptr) {
    const auto& rule = std::get<RulePhrase>(dates.rule->content);
    if (const auto series = ResolveSeries(rule, dates.said, context_, phrase_.notes)) {
      phrase_.due = series->first;
      phrase_.recurrence_rule = series->rule;
      phrase_.basis = rule.basis;
      AddPiece(PieceKind::kRecurrence, *dates.rule, series->meaning);
      if (rule.clock.time) NoteDropped(rule.clock);
      if (rule.start) NoteDropped(*rule.start);
    }
  }
  if (dates.moments.empty()) return;
  if (!phrase_.due) phrase_.due = Resolve(dates.said, context_, phrase_.notes);
  if (!phrase_.due) return;
  for (const FoundPiece* piece : dates.moments) {
    AddPiece(PieceKind::kDueDate, *piece, Describe(*phrase_.due, context_.wording));
    NoteDropped(std::get<MomentPhrase>(piece->content));
  }
}

void TaskReader::AddTag(const FoundPiece& piece, const std::string& tag) {
  std::vector<std::string>& tags = phrase_.tags;
  if (std::ranges::find(tags, tag) == tags.end()) {
    std::vector<util::FieldViolation> violations;
    domain::CheckTags({tag}, "", violations);
    if (!violations.empty())
      return NoteKept(piece,
                      fmt::format("a tag has at most {} characters, and one that can be seen",
                                  domain::kMaxTagCharacters));
    if (tags.size() == domain::kMaxTags)
      return NoteKept(piece, fmt::format("a task has at most {} tags", domain::kMaxTags));
    tags.push_back(tag);
  }
  AddPiece(PieceKind::kTag, piece, tag);
}

void TaskReader::SetPriority(const FoundPiece& piece, domain::Priority priority) {
  if (phrase_.priority) return NoteKept(piece, "a task has one priority");
  phrase_.priority = priority;
  AddPiece(PieceKind::kPriority, piece, fmt::format("{} priority", domain::ToString(priority)));
}

void TaskReader::AddReminder(const FoundPiece& piece, const ReminderWish& wish) {
  std::string problem;
  const std::optional<ReminderPhrase> reminder = ReminderOf(wish, problem);
  if (!reminder) return NoteKept(piece, problem);
  phrase_.reminders.push_back(*reminder);
  AddPiece(PieceKind::kReminder, piece, InWords(*reminder, wish, context_.wording));
}

std::optional<ReminderPhrase> TaskReader::ReminderOf(const ReminderWish& wish,
                                                     std::string& problem) {
  if (phrase_.reminders.size() == static_cast<std::size_t>(domain::kMaxRemindersPerTask)) {
    problem = fmt::format("a task has at most {} reminders", domain::kMaxRemindersPerTask);
    return std::nullopt;
  }
  ReminderPhrase reminder;
  if (wish.before || wish.at_due) {
    const Duration distance = wish.before.value_or(Duration{});
    const domain::Period period{.days = std::chrono::days(distance.days), .time = distance.time};
    if (phrase_.due && (reminder.at = MorningBefore(*phrase_.due, period, context_)))
      return reminder;
    if (!phrase_.due || (!phrase_.due->has_time && (wish.at_due || period.time.count() != 0))) {
      problem = "such a reminder needs a due time";
    } else if (period.days + period.time > domain::kMaxReminderOffset) {
      problem = fmt::format("a reminder comes at most {} days before",
                            domain::kMaxReminderOffset.count());
    } else if (context_.zone.ToInstant(phrase_.due->local) - period.days - period.time <
               context_.now) {
      problem = "the time of the reminder has passed";
    } else {
      reminder.before = period;
      return reminder;
    }
    return std::nullopt;
  }
  MomentPhrase at = *wish.at;
  if (!at.day && phrase_.due) {
    at.day = DayPhrase{.day = absl::CivilDay(phrase_.due->local), .exact = std::nullopt};
  } else if (!at.time && !at.part && !(at.day && at.day->exact)) {
    at.part = DayPart::kMorning;
  }
  std::vector<std::string> ignored;
  const std::optional<Moment> moment = Resolve(at, context_, ignored);
  if (!moment || !moment->has_time || IsPast(*moment, context_)) {
    problem = "the time of the reminder has passed";
    return std::nullopt;
  }
  reminder.at = moment;
  return reminder;
}

/// Says which date was not taken, where somebody may have meant it: "submit expenses tomorrow
/// important".
void TaskReader::NoteTitleDates(const std::vector<FoundPiece>& found) {
  constexpr std::size_t kNearEnd = 3;  // tokens
  for (const FoundPiece& piece : found) {
    const auto* moment = std::get_if<MomentPhrase>(&piece.content);
    if (!piece.is_title || moment == nullptr || !moment->day || moment->is_weak()) continue;
    if (piece.end + kNearEnd < tokens_.size() || moment->follows_for) continue;
    NoteKept(piece, "a date between other words needs a word like “on” before it");
  }
}

/// Says why "yesterday" is no date: at the beginning, and at the end of the title, which has the
/// first `size` tokens, "yesterday evening".
void TaskReader::NoteYesterday(std::size_t size) {
  constexpr std::size_t kNearEnd = 2;
  for (std::size_t i = 0; i < size && tokens_.size() > 1; ++i) {
    if (tokens_[i].kind != Token::Kind::kWord || tokens_[i].text != "yesterday") continue;
    if (i > 0 && i + kNearEnd < size) continue;
    return NoteKept({.begin = i, .end = i + 1, .content = {}, .is_title = true},
                    "nothing is due in the past");
  }
}

/// Says why an end that looks like a date is none: "on february 30", "at 25:00".
void TaskReader::NoteNoDateAtEnd(std::size_t size) {
  const auto note = [&](std::size_t length, std::string_view reason) {
    NoteKept({.begin = size - length, .end = size, .content = {}, .is_title = true}, reason);
  };
  const auto is_no_day = [](const Token& month, const Token& day) {
    constexpr int kLeapYear = 2000;
    return month.means->month && day.number > 0 &&
           !DayOf(absl::CivilMonth(kLeapYear, *month.means->month), day.number);
  };
  constexpr int kMostDigits = 2;
  if (size > 2 && (is_no_day(tokens_[size - 2], tokens_[size - 1]) ||
                   is_no_day(tokens_[size - 1], tokens_[size - 2]))) {
    const std::size_t digits =
        std::min(tokens_[size - 1].text.size(), tokens_[size - 2].text.size());
    if (digits <= kMostDigits) return note(2, "there is no such day");
  }
  if (size > 4 && tokens_[size - 4].text == "at" && tokens_[size - 3].number >= 0 &&
      tokens_[size - 2].text == ":" && tokens_[size - 1].number >= 0)
    note(4, "there is no such time");
}

void TaskReader::AddPiece(PieceKind kind, const FoundPiece& piece, std::string meaning) {
  phrase_.pieces.push_back({.kind = kind,
                            .span = tokens_.SpanOf(piece.begin, piece.end),
                            .meaning = std::move(meaning)});
}

void TaskReader::NoteDropped(const MomentPhrase& moment) {
  const auto written = [this](const Span& span) {
    return text_.substr(span.begin, span.end - span.begin);
  };
  if (moment.time && moment.time->range)
    phrase_.notes.push_back(
        fmt::format("The end of “{}” is dropped.", written(*moment.time->range)));
  if (moment.dropped)
    phrase_.notes.push_back(
        fmt::format("“{}” is dropped: only the first date is taken.", written(*moment.dropped)));
}

void TaskReader::NoteKept(const FoundPiece& piece, std::string_view reason) {
  if (phrase_.notes.size() >= kMaxNotes) return;
  phrase_.notes.push_back(
      fmt::format("“{}” stays in the title: {}.", tokens_.Written(piece.begin, piece.end), reason));
}

std::string TaskReader::Title() const {
  std::string title;
  std::size_t at = 0;
  for (const Piece& piece : phrase_.pieces) {
    Append(title, Trimmed(text_.substr(at, piece.span.begin - at), at > 0, true));
    at = piece.span.end;
  }
  Append(title, Trimmed(text_.substr(at), at > 0, false));
  return title;
}

}  // namespace todo::chat::grammar

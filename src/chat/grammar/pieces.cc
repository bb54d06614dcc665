#include "chat/grammar/pieces.h"

#include <algorithm>
#include <optional>
#include <string_view>
#include <utility>

#include "chat/grammar/words.h"

namespace todo::chat::grammar {
namespace {

using Kind = Token::Kind;

/// A text with more is no description of a task: what is behind them is a part of the title.
constexpr std::size_t kMaxPieces = 100;

/// A piece whose place is not looked at yet.
struct Candidate {
  FoundPiece piece;
  bool at_start = true;   // may stand at the beginning of the text, before other words
  bool in_middle = true;  // may stand between other words
  bool is_chosen = false;
};

bool IsSeparator(const Token& token) {
  constexpr std::string_view kSeparators = ",;:.!?-";
  return token.kind == Kind::kMark && token.text.size() == 1 &&
         kSeparators.find(token.text[0]) != std::string_view::npos;
}

bool IsWholeAtBegin(const Tokens& tokens, std::size_t begin) {
  if (begin == 0 || !tokens[begin].glued) return true;
  const Token& before = tokens[begin - 1];
  if (before.text == "-") return !before.glued;
  return before.text == "(" || before.text == "," || before.text == ";" || before.text == ":";
}

bool IsWholeAtEnd(const Tokens& tokens, std::size_t end) {
  if (end == tokens.size() || !tokens[end].glued) return true;
  const std::string_view mark = tokens[end].text;
  if (mark == "," || mark == ";" || mark == ")") return true;
  constexpr std::size_t kMostMarks = 4;
  std::size_t at = end;
  while (at < tokens.size() && at < end + kMostMarks && tokens[at].glued && IsSeparator(tokens[at]))
    ++at;
  return at > end && (at == tokens.size() || !tokens[at].glued);
}

bool MayBegin(const Token& token) {
  if (token.kind == Kind::kNumber) return true;
  if (token.kind == Kind::kMark) return token.text == "#" || token.text == "@" || token.text == "!";
  return token.means->begins_piece;
}

/// Whether the capital letter of a word says nothing, because such words always have one.
bool MayHaveCapital(const Token& word) { return word.means->weekday || word.means->month; }

/// Whether the words are a part of a name by their capital letters: "in 80 Days", "Friday Night".
bool IsName(const Tokens& tokens, std::size_t begin, std::size_t end) {
  int capitals = 0;
  for (std::size_t at = std::max<std::size_t>(begin, 1); at < end; ++at)
    if (tokens[at].capitalised && !MayHaveCapital(tokens[at])) ++capitals;
  if (capitals != 1) return capitals > 1;
  const bool after_name = begin > 1 && tokens[begin - 1].capitalised;
  const bool before_name = end < tokens.size() && tokens[end].capitalised;
  return after_name || before_name;
}

bool IsTom(const FoundPiece& piece, const Tokens& tokens) {
  return tokens[piece.begin].text == "tom";
}

/// "'" behind a word: "call 'mom' tomorrow".
bool ClosesQuote(const Tokens& tokens, std::size_t at) {
  return tokens[at].text == "'" && tokens[at].glued && at > 0 && tokens[at - 1].kind == Kind::kWord;
}

/// Whether the words before a date without a preposition make it something else.
bool IsSpoiled(const FoundPiece& piece, const Tokens& tokens) {
  const Token& first = tokens[piece.begin];
  if (IsTom(piece, tokens) && piece.begin > 0 && first.capitalised) return true;
  if (piece.begin == 0) return false;
  const Token& before = tokens[piece.begin - 1];
  if (before.kind == Kind::kMark && !IsSeparator(before) && before.text != "(" &&
      before.text != "&" && before.text != "/" && !ClosesQuote(tokens, piece.begin - 1))
    return true;
  if (before.kind != Kind::kWord) return false;
  if (IsTom(piece, tokens)) return before.means->takes_person;
  if (first.kind == Kind::kNumber && before.means->takes_number) return true;
  return before.means->spoils_day || before.means->names_day || before.means->ordinal;
}

/// "read John 3:16": a name and a time without a half of the day. "call John 3:30" names a person.
bool IsVerse(const MomentPhrase& moment, const FoundPiece& piece, const Tokens& tokens) {
  return !moment.is_led && !moment.day && moment.time && moment.time->either_half &&
         piece.begin > 1 && tokens[piece.begin - 1].capitalised &&
         !tokens[piece.begin - 2].means->takes_person;
}

/// Whether the sentence may go on behind `end`: "at 3 with Ann", and not "at 5 Main Street".
bool MayGoOn(const Tokens& tokens, std::size_t end) {
  return end == tokens.size() || IsSeparator(tokens[end]) || tokens[end].means->continues_sentence;
}

/// A date, with the rules of its place. nullopt: it is none.
std::optional<Candidate> CandidateOf(const MomentPhrase& moment, FoundPiece piece,
                                     const Tokens& tokens) {
  if (IsName(tokens, piece.begin, piece.end) || IsVerse(moment, piece, tokens)) return std::nullopt;
  const bool begins_led = moment.is_led && tokens[piece.begin].means->is_preposition;
  if (!begins_led && IsSpoiled(piece, tokens)) return std::nullopt;
  const bool weak = moment.is_weak();
  if (weak && moment.follows_for) return std::nullopt;  // "a table for 3"

  const std::size_t end = piece.end;
  const bool before_name = end < tokens.size() && tokens[end].capitalised;  // "at 5 Main Street"
  const bool complete = moment.day && moment.time;  // "for friday at 7", and not "for friday"
  return Candidate{
      .piece = std::move(piece),
      .at_start = !weak || (moment.is_led && !before_name),
      .in_middle =
          moment.is_led && (!weak || MayGoOn(tokens, end)) && (!moment.follows_for || complete),
  };
}

std::optional<Candidate> ReadCandidate(Cursor& cursor, const GrammarContext& context) {
  const Tokens& tokens = cursor.tokens();
  FoundPiece piece{.begin = cursor.at(), .end = 0, .content = {}, .is_title = false};
  const auto finish = [&](auto content) {
    piece.end = cursor.at();
    piece.content = std::move(content);
    return IsWholeAtEnd(tokens, piece.end);
  };
  if (auto tag = ReadTag(cursor)) {
    if (!finish(*std::move(tag))) return std::nullopt;
    return Candidate{.piece = std::move(piece)};
  }
  if (const auto priority = ReadPriority(cursor)) {
    const bool marked = tokens[piece.begin].text == "!";
    if (!finish(*priority)) return std::nullopt;
    const bool in_words = piece.end - piece.begin > 1 && !marked;  // "high priority"
    return Candidate{.piece = std::move(piece), .at_start = !in_words, .in_middle = marked};
  }
  if (auto rule = ReadRule(cursor, context)) {
    const bool led = rule->is_led;
    if (!finish(*std::move(rule)) || IsName(tokens, piece.begin, piece.end)) return std::nullopt;
    if (!led && IsSpoiled(piece, tokens)) return std::nullopt;
    return Candidate{.piece = std::move(piece), .at_start = led, .in_middle = led};
  }
  if (auto wish = ReadReminder(cursor, context)) {
    const bool led = wish->is_led;
    if (!finish(*wish)) return std::nullopt;
    return Candidate{.piece = std::move(piece), .at_start = led, .in_middle = led};
  }
  if (auto moment = ReadMoment(cursor, context)) {
    if (!finish(*moment)) return std::nullopt;
    return CandidateOf(*moment, std::move(piece), tokens);
  }
  return std::nullopt;
}

std::vector<Candidate> FindCandidates(const Tokens& tokens, const GrammarContext& context) {
  std::vector<Candidate> found;
  for (std::size_t at = 0; at < tokens.size() && found.size() < kMaxPieces;) {
    Cursor cursor(tokens, at);
    ++at;
    if (!MayBegin(cursor.Peek()) || !IsWholeAtBegin(tokens, cursor.at())) continue;
    std::optional<Candidate> candidate = ReadCandidate(cursor, context);
    if (!candidate) continue;
    FoundPiece& piece = candidate->piece;
    at = piece.end;
    // Brackets around a piece belong to it.
    if (piece.begin > 0 && tokens[piece.begin - 1].text == "(" && piece.end < tokens.size() &&
        tokens[piece.end].text == ")") {
      --piece.begin;
      ++piece.end;
    }
    found.push_back(*std::move(candidate));
  }
  return found;
}

/// Chooses the candidates at the beginning and at the end of the text.
void ChooseAtEdges(std::vector<Candidate>& candidates, const Tokens& tokens) {
  std::size_t begin = 0;
  for (Candidate& candidate : candidates) {
    while (begin < candidate.piece.begin && IsSeparator(tokens[begin])) ++begin;
    if (begin != candidate.piece.begin || !candidate.at_start) break;
    candidate.is_chosen = true;
    begin = candidate.piece.end;
  }
  std::size_t end = tokens.size();
  for (auto it = candidates.rbegin(); it != candidates.rend(); ++it) {
    while (end > it->piece.end && IsSeparator(tokens[end - 1])) --end;
    if (end != it->piece.end) break;
    it->is_chosen = true;
    end = it->piece.begin;
  }
}

}  // namespace

std::vector<FoundPiece> FindPieces(const Tokens& tokens, const GrammarContext& context) {
  std::vector<Candidate> candidates = FindCandidates(tokens, context);
  ChooseAtEdges(candidates, tokens);
  std::vector<FoundPiece> pieces;
  for (Candidate& candidate : candidates) {
    candidate.piece.is_title = !candidate.is_chosen && !candidate.in_middle;
    pieces.push_back(std::move(candidate.piece));
  }
  return pieces;
}

}  // namespace todo::chat::grammar

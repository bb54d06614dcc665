#include "chat/grammar/tokens.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

namespace todo::chat::grammar {
namespace {

using Kind = Token::Kind;

bool IsDigit(char c) { return c >= '0' && c <= '9'; }
bool IsUpper(char c) { return c >= 'A' && c <= 'Z'; }
bool IsBeyondAscii(char c) { return (static_cast<unsigned char>(c) & 0x80U) != 0; }
bool IsLetter(char c) {
  return (c >= 'a' && c <= 'z') || IsUpper(c) || c == '_' || IsBeyondAscii(c);
}
bool IsSpace(char c) { return static_cast<unsigned char>(c) <= ' ' || c == '\x7f'; }

/// Characters beyond ASCII that are no letters, and the ASCII characters that stand for them.
constexpr std::array<std::pair<std::string_view, std::string_view>, 18> kMarks = {{
    {"\u00a0", " "},
    {"\u2002", " "},
    {"\u2003", " "},
    {"\u2009", " "},
    {"\u202f", " "},
    {"\u3000", " "},
    {"\u2010", "-"},
    {"\u2011", "-"},
    {"\u2013", "-"},
    {"\u2014", "-"},
    {"\u201c", "\""},
    {"\u201d", "\""},
    {"\u201e", "\""},
    {"\u00ab", "\""},
    {"\u00bb", "\""},
    {"\u2018", "'"},
    {"\u2019", "'"},
    {"\u2026", "."},
}};

/// One character at the front of a text, of which `text` is the form that readers see.
struct Character {
  std::size_t bytes = 1;
  std::string_view text;
};

Character FirstOf(std::string_view rest) {
  if (!IsBeyondAscii(rest[0])) return {1, rest.substr(0, 1)};
  for (const auto& [written, mark] : kMarks)
    if (rest.starts_with(written)) return {written.size(), mark};
  std::size_t bytes = 1;
  while (bytes < rest.size() && (static_cast<unsigned char>(rest[bytes]) & 0xc0U) == 0x80U) ++bytes;
  return {bytes, rest.substr(0, bytes)};
}

bool IsApostrophe(std::string_view text) { return text == "'"; }

/// The end of the word that begins at `begin`.
std::size_t EndOfWord(std::string_view text, std::size_t begin) {
  std::size_t at = begin;
  while (at < text.size()) {
    const Character next = FirstOf(text.substr(at));
    const bool inner = IsLetter(next.text[0]) || IsDigit(next.text[0]);
    const bool apostrophe = at > begin && IsApostrophe(next.text) &&
                            at + next.bytes < text.size() &&
                            IsLetter(FirstOf(text.substr(at + next.bytes)).text[0]);
    if (!inner && !apostrophe) break;
    at += next.bytes;
  }
  return at;
}

std::string ToLower(std::string_view text) {
  std::string lower(text);
  for (char& c : lower)
    if (IsUpper(c)) c = static_cast<char>(c - 'A' + 'a');
  return lower;
}

/// Where each quotation that begins in a text ends. A mark without a partner begins none.
class Quotations {
 public:
  explicit Quotations(std::string_view text) : text_(text) {}

  /// The end of the quotation that begins with `mark` (of `bytes` bytes) at `begin`; `begin`: none
  /// begins there.
  std::size_t EndOf(std::string_view mark, std::size_t begin, std::size_t bytes) {
    if (mark == "`") return Find({"`"}, begin, bytes, code_ends_);
    if (mark == "\"") return Find({"\"", "\u201c", "\u201d", "\u00bb"}, begin, bytes, text_ends_);
    return begin;
  }

 private:
  std::size_t Find(std::initializer_list<std::string_view> ends, std::size_t begin,
                   std::size_t bytes, bool& more) const {
    if (!more) return begin;  // a search to the end of the text happens once
    for (std::size_t at = begin + bytes; at < text_.size(); ++at)
      for (const std::string_view end : ends)
        if (text_.substr(at).starts_with(end)) return at + end.size();
    more = false;
    return begin;
  }

  std::string_view text_;
  bool code_ends_ = true;
  bool text_ends_ = true;
};

}  // namespace

Tokens::Tokens(std::string_view text, const std::vector<Span>& plain)
    : written_(text), lower_(ToLower(text)) {
  Quotations quotations(text);
  for (std::size_t at = 0; at < text.size();) {
    if (at >= kMaxTextBytes || tokens_.size() == kMaxTokens) {
      Add(Kind::kPlain, at, text.size(), {});
      break;
    }
    const Character next = FirstOf(std::string_view(lower_).substr(at));
    const char c = next.text[0];
    std::size_t end = at + next.bytes;
    if (IsSpace(c)) {
      at = end;
      continue;
    }
    if (const std::size_t quoted = quotations.EndOf(next.text, at, next.bytes); quoted != at) {
      end = quoted;
      Add(Kind::kPlain, at, end, {});
    } else if (IsLetter(c)) {
      end = EndOfWord(lower_, at);
      Add(Kind::kWord, at, end, std::string_view(lower_).substr(at, end - at));
    } else if (IsDigit(c)) {
      while (end < text.size() && IsDigit(text[end])) ++end;
      Add(Kind::kNumber, at, end, std::string_view(lower_).substr(at, end - at));
    } else {
      Add(Kind::kMark, at, end, next.text);
    }
    at = end;
  }
  MarkPlain(plain);
}

void Tokens::Add(Kind kind, std::size_t begin, std::size_t end, std::string_view text) {
  Token token{.kind = kind, .span = {begin, end}, .text = text};
  token.glued = !tokens_.empty() && tokens_.back().span.end == begin;
  constexpr std::size_t kMaxDigits = 9;
  if (kind == Kind::kNumber && text.size() <= kMaxDigits)
    std::from_chars(text.data(), text.data() + text.size(), token.number);
  token.capitalised = kind == Kind::kWord && end - begin > 1 && IsUpper(written_[begin]) &&
                      !IsUpper(written_[begin + 1]);
  if (kind == Kind::kWord || kind == Kind::kMark) token.means = &MeaningsOf(text);
  tokens_.push_back(token);
}

void Tokens::MarkPlain(const std::vector<Span>& plain) {
  auto stretch = plain.begin();
  for (Token& token : tokens_) {
    while (stretch != plain.end() && stretch->end <= token.span.begin) ++stretch;
    if (stretch == plain.end()) return;
    if (stretch->begin < token.span.end) {
      token = {.kind = Kind::kPlain, .span = token.span, .text = {}, .glued = token.glued};
    }
  }
}

std::string_view Tokens::Written(std::size_t begin, std::size_t end) const {
  const Span span = SpanOf(begin, end);
  return written_.substr(span.begin, span.end - span.begin);
}

Span Tokens::SpanOf(std::size_t begin, std::size_t end) const {
  return {tokens_[begin].span.begin, tokens_[end - 1].span.end};
}

bool Cursor::TakeAny(std::initializer_list<std::string_view> texts) {
  return std::ranges::any_of(texts, [this](std::string_view text) { return Take(text); });
}

bool Cursor::TakeAll(std::initializer_list<std::string_view> texts) {
  Cursor ahead = *this;
  for (const std::string_view text : texts)
    if (!ahead.Take(text)) return false;
  *this = ahead;
  return true;
}

}  // namespace todo::chat::grammar

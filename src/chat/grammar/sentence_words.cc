#include "chat/grammar/sentence_words.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "util/require.h"

namespace todo::chat {
namespace {

constexpr std::string_view kPunctuation = ",;.!?:";
constexpr std::string_view kCurlyApostrophe = "\u2019";
constexpr std::string_view kOpeningQuotes[] = {"\"", "\u201c", "\u00ab"};
constexpr std::string_view kClosingQuotes[] = {"\"", "\u201d", "\u00bb"};
constexpr std::string_view kWideSpaces[] = {"\u00a0", "\u2003", "\u200b",
                                            "\u202f", "\u3000", "\ufeff"};

/// The length of the white space or control character that `text` begins with; 0: it begins with
/// something else.
std::size_t SpaceLength(std::string_view text) {
  const auto first = static_cast<unsigned char>(text[0]);
  if (first <= 0x20 || first == 0x7f) return 1;
  for (const std::string_view space : kWideSpaces) {
    if (text.starts_with(space)) return space.size();
  }
  return 0;
}

/// The bytes of `text` that stand in quotes. A quote that is not closed is none.
std::vector<bool> QuotedBytes(std::string_view text) {
  std::vector<bool> quoted(text.size());
  for (std::size_t at = 0; at < text.size(); ++at) {
    for (std::size_t kind = 0; kind < std::size(kOpeningQuotes); ++kind) {
      if (!text.substr(at).starts_with(kOpeningQuotes[kind])) continue;
      const std::size_t inside = at + kOpeningQuotes[kind].size();
      const std::size_t close = text.find(kClosingQuotes[kind], inside);
      if (close == std::string_view::npos) continue;
      const std::size_t end = close + kClosingQuotes[kind].size();
      std::fill(quoted.begin() + static_cast<std::ptrdiff_t>(at),
                quoted.begin() + static_cast<std::ptrdiff_t>(end), true);
      at = end - 1;
      break;
    }
  }
  return quoted;
}

std::string Normalised(std::string_view word) {
  std::string text;
  while (!word.empty()) {
    const bool apostrophe = word.starts_with(kCurlyApostrophe);
    text += apostrophe ? '\'' : absl::ascii_tolower(static_cast<unsigned char>(word[0]));
    word.remove_prefix(apostrophe ? kCurlyApostrophe.size() : 1);
  }
  return text;
}

Word WordAt(std::string_view text, Span span, bool quoted) {
  Word word{.text = {}, .span = span, .end = span.end, .mark = 0, .quoted = quoted};
  std::size_t end = span.end;
  while (end > span.begin && kPunctuation.find(text[end - 1]) != std::string_view::npos) --end;
  if (end > span.begin && end < span.end) {
    word.span.end = end;
    word.mark = text[end];
  }
  word.text = Normalised(TextOf(text, word.span));
  return word;
}

}  // namespace

std::vector<Word> SplitWords(std::string_view text) {
  text = text.substr(0, kMaxTextBytes);
  const std::vector<bool> quoted = QuotedBytes(text);
  std::vector<Word> words;
  std::size_t at = 0;
  while (at < text.size()) {
    if (const std::size_t space = SpaceLength(text.substr(at)); space > 0 && !quoted[at]) {
      if (text[at] == '\n' && !words.empty() && words.back().mark == 0) words.back().mark = '\n';
      at += space;
      continue;
    }
    const std::size_t begin = at;
    bool any_quoted = false;
    while (at < text.size() && (quoted[at] || SpaceLength(text.substr(at)) == 0)) {
      any_quoted = any_quoted || quoted[at];
      ++at;
    }
    words.push_back(WordAt(text, {begin, at}, any_quoted));
  }
  return words;
}

Form::Form(std::string_view pattern) {
  while (!pattern.empty()) {
    std::string_view place = pattern.substr(0, pattern.find(' '));
    pattern.remove_prefix(std::min(pattern.size(), place.size() + 1));
    Place& added = places_.emplace_back();
    added.optional = place.size() > 1 && place.ends_with('?');
    if (added.optional) place.remove_suffix(1);
    while (!place.empty()) {
      const std::string_view choice = place.substr(0, place.find('|'));
      added.choices.push_back(choice);
      place.remove_prefix(std::min(place.size(), choice.size() + 1));
    }
  }
  TODO_REQUIRE(!places_.empty());
}

std::size_t Form::Match(Words words) const {
  std::size_t at = 0;
  for (const Place& place : places_) {
    const bool fits = at < words.size() && !words[at].quoted &&
                      std::ranges::find(place.choices, words[at].text) != place.choices.end();
    if (fits) {
      ++at;
    } else if (!place.optional) {
      return 0;
    }
  }
  return at;
}

std::size_t Form::MatchEnd(Words words) const {
  const std::size_t longest = std::min(words.size(), places_.size());
  for (std::size_t count = longest; count > 0; --count) {
    if (Match(words.last(count)) == count) return count;
  }
  return 0;
}

bool IsOneOf(const Word& word, std::initializer_list<std::string_view> words) {
  return !word.quoted && std::ranges::find(words, word.text) != words.end();
}

std::string_view Unquoted(std::string_view text) {
  for (std::size_t kind = 0; kind < std::size(kOpeningQuotes); ++kind) {
    const std::string_view open = kOpeningQuotes[kind];
    const std::string_view close = kClosingQuotes[kind];
    if (text.size() <= open.size() + close.size() || !text.starts_with(open)) continue;
    const std::size_t inside = text.size() - open.size() - close.size();
    if (text.find(close, open.size()) == open.size() + inside)
      return text.substr(open.size(), inside);
  }
  return text;
}

Span SpanOf(Words words) {
  return words.empty() ? Span() : Span{words.front().span.begin, words.back().span.end};
}
Span SpanWithMark(Words words) {
  return words.empty() ? Span() : Span{words.front().span.begin, words.back().end};
}
std::string_view TextOf(std::string_view text, Span span) {
  return text.substr(span.begin, span.end - span.begin);
}

}  // namespace todo::chat

#pragma once

#include <cstddef>
#include <initializer_list>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "chat/grammar/grammar.h"

// Inside this folder only: the words of a sentence, and the forms that words are compared with.

namespace todo::chat {

struct Word {
  std::string text;     // lower case, with straight apostrophes, without the punctuation behind it
  Span span;            // without the punctuation behind it
  std::size_t end = 0;  // with the punctuation behind it
  char mark = 0;        // the first punctuation behind it, or the line's end; 0: none
  bool quoted = false;  // a quoted word is no verb and no connection
};
using Words = std::span<const Word>;

/// The words of the first kMaxTextBytes of `text`. They are separated by white space.
std::vector<Word> SplitWords(std::string_view text);

/// A sequence of words, for example "i|we have|had? finished": each place has words to choose
/// from, and "?" marks a place that may be missing.
class Form {
 public:
  /// `pattern` must outlive the form.
  explicit Form(std::string_view pattern);

  /// How many words at the beginning of `words` have this form; 0: it does not match.
  std::size_t Match(Words words) const;
  /// How many words at the end of `words` have this form; 0: it does not match.
  std::size_t MatchEnd(Words words) const;
  bool MatchAll(Words words) const { return !words.empty() && Match(words) == words.size(); }
  const std::vector<std::string_view>& first_words() const { return places_[0].choices; }

 private:
  struct Place {
    std::vector<std::string_view> choices;
    bool optional = false;
  };
  std::vector<Place> places_;
};

/// Whether the word is one of `words`, and not quoted.
bool IsOneOf(const Word& word, std::initializer_list<std::string_view> words);

/// `text` without the quotes around it, if the whole of it is quoted.
std::string_view Unquoted(std::string_view text);

/// From the first word to the end of the last one: with the punctuation behind it, or without.
Span SpanOf(Words words);
Span SpanWithMark(Words words);
std::string_view TextOf(std::string_view text, Span span);

}  // namespace todo::chat

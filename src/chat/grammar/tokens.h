#pragma once

#include <cstddef>
#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

#include "chat/grammar/grammar.h"
#include "chat/grammar/words.h"

// A text as words, numbers and marks, and a cursor over them.

namespace todo::chat::grammar {

/// Words, numbers and marks at most. Like what is behind kMaxTextBytes, the rest is plain words.
inline constexpr std::size_t kMaxTokens = 2'000;

struct Token {
  enum class Kind {
    kWord,    // letters, digits, "_" and inner apostrophes; begins with a letter: "p1", "ann's"
    kNumber,  // ASCII digits
    kMark,    // one other character; dashes and quotation marks appear as their ASCII forms
    kPlain    // a stretch that is not parsed: quoted, or behind the limits
  };

  Kind kind = Kind::kWord;
  Span span;
  std::string_view text;  // ASCII letters in lower case
  const Meanings* means = &MeaningsOf({});
  int number = -1;           // of kNumber; -1: more than nine digits
  bool glued = false;        // no space between this token and the one before
  bool capitalised = false;  // one ASCII capital letter, and then no second one: "Night"
};

/// The tokens of a text. Bytes beyond ASCII are letters, except for the spaces, dashes and
/// quotation marks of Unicode. Time and memory are linear in the length of the text.
class Tokens {
 public:
  /// `text` is valid UTF-8. The tokens that `plain` touches are kPlain.
  explicit Tokens(std::string_view text, const std::vector<Span>& plain = {});
  Tokens(const Tokens&) = delete;  // tokens point into the members
  Tokens& operator=(const Tokens&) = delete;

  std::size_t size() const { return tokens_.size(); }
  const Token& operator[](std::size_t index) const { return tokens_[index]; }
  /// A kPlain token without text, which stands for the end.
  const Token& end() const { return end_; }

  /// The text of the tokens from `begin` up to `end` as it was written.
  std::string_view Written(std::size_t begin, std::size_t end) const;
  Span SpanOf(std::size_t begin, std::size_t end) const;

 private:
  void Add(Token::Kind kind, std::size_t begin, std::size_t end, std::string_view text);
  void MarkPlain(const std::vector<Span>& plain);

  std::string_view written_;
  std::string lower_;
  std::vector<Token> tokens_;
  const Token end_{.kind = Token::Kind::kPlain, .span = {}, .text = {}};
};

/// A place between the tokens of a text. A cheap value: readers copy it, and put the copy in its
/// place when they have found something.
class Cursor {
 public:
  Cursor(const Tokens& tokens, std::size_t at) : tokens_(&tokens), at_(at) {}

  std::size_t at() const { return at_; }
  bool at_end() const { return at_ >= tokens_->size(); }
  const Tokens& tokens() const { return *tokens_; }

  /// The next token, or the one `ahead` behind it; Tokens::end() at the end.
  const Token& Peek(std::size_t ahead = 0) const {
    return at_ + ahead < tokens_->size() ? (*tokens_)[at_ + ahead] : tokens_->end();
  }
  void Skip(std::size_t count = 1) { at_ += count; }

  /// Take the next token, which is the word or mark `text`, or one of `texts`. false: it is not,
  /// and the cursor has not moved.
  bool Take(std::string_view text) {
    if (text.empty() || Peek().text != text) return false;
    ++at_;
    return true;
  }
  bool TakeAny(std::initializer_list<std::string_view> texts);
  /// Take a sequence of words, all of it or nothing.
  bool TakeAll(std::initializer_list<std::string_view> texts);
  /// Take a mark or word that is glued to the token before it.
  bool TakeGlued(std::string_view text) { return Peek().glued && Take(text); }
  bool IsWord() const { return Peek().kind == Token::Kind::kWord; }
  bool IsNumber() const { return Peek().kind == Token::Kind::kNumber && Peek().number >= 0; }

 private:
  const Tokens* tokens_;
  std::size_t at_;
};

}  // namespace todo::chat::grammar

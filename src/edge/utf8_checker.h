#pragma once

#include <string_view>

namespace todo::edge {

/// Checks text that comes in parts, at any cut, for UTF-8 (RFC 3629: no overlong forms, no
/// surrogates). Pure.
class Utf8Checker {
 public:
  /// False: no text begins with the bytes so far. Call nothing further then.
  bool Take(std::string_view bytes);
  /// Whether the bytes so far end with a whole character.
  bool complete() const { return left_ == 0; }

 private:
  bool TakeLead(unsigned char byte);

  unsigned char left_ = 0;  // bytes of the current character to come
  unsigned char low_ = 0;   // bounds of the next of them
  unsigned char high_ = 0;
};

}  // namespace todo::edge

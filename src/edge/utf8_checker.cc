#include "edge/utf8_checker.h"

namespace todo::edge {

bool Utf8Checker::Take(std::string_view bytes) {
  constexpr unsigned char kLow = 0x80;
  constexpr unsigned char kHigh = 0xbf;
  for (const char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    if (left_ == 0) {
      if (!TakeLead(byte)) return false;
      continue;
    }
    if (byte < low_ || byte > high_) return false;
    --left_;
    low_ = kLow;
    high_ = kHigh;
  }
  return true;
}

bool Utf8Checker::TakeLead(unsigned char byte) {
  if (byte < 0x80) return true;
  if (byte < 0xc2 || byte > 0xf4) return false;
  left_ = byte >= 0xf0 ? 3 : byte >= 0xe0 ? 2 : 1;
  // The second byte rules out what is too short for its length, a surrogate or beyond Unicode.
  low_ = byte == 0xe0 ? 0xa0 : byte == 0xf0 ? 0x90 : 0x80;
  high_ = byte == 0xed ? 0x9f : byte == 0xf4 ? 0x8f : 0xbf;
  return true;
}

}  // namespace todo::edge

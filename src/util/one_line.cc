#include "util/one_line.h"

#include "util/utf8.h"

namespace todo::util {
namespace {

bool IsControl(std::string_view character) {
  const auto byte = [&](std::size_t at) { return static_cast<unsigned char>(character[at]); };
  if (character.size() == 1) return byte(0) < 0x20 || byte(0) == 0x7f;
  // U+0080 to U+009F, and the separators of lines and paragraphs.
  if (character.size() == 2) return byte(0) == 0xc2 && byte(1) < 0xa0;
  return character == "\u2028" || character == "\u2029";
}

}  // namespace

std::string OneLine(std::string_view text, std::size_t max_bytes) {
  std::string line;
  while (!text.empty()) {
    const std::size_t length = Utf8Length(text);
    std::string_view character = length == 0 ? "?" : text.substr(0, length);
    if (length > 0 && IsControl(character)) character = " ";
    if (line.size() + character.size() > max_bytes) break;
    line += character;
    text.remove_prefix(length == 0 ? 1 : length);
  }
  return line;
}

}  // namespace todo::util

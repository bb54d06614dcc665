#include "domain/ids.h"

#include "util/require.h"

namespace todo::domain {

std::optional<Uuid> Uuid::Parse(std::string_view text) {
  if (text.size() != 36) return std::nullopt;
  std::string value(text);
  for (std::size_t i = 0; i < value.size(); ++i) {
    char& c = value[i];
    if (i == 8 || i == 13 || i == 18 || i == 23) {
      if (c != '-') return std::nullopt;
      continue;
    }
    if (c >= 'A' && c <= 'F') c = static_cast<char>(c - 'A' + 'a');
    if (!((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'))) return std::nullopt;
  }
  return Uuid(std::move(value));
}

Uuid Uuid::FromBytes(std::string_view bytes16, int version) {
  TODO_REQUIRE(bytes16.size() >= 16);
  static constexpr char kHex[] = "0123456789abcdef";
  std::string value;
  value.reserve(36);
  for (std::size_t i = 0; i < 16; ++i) {
    auto byte = static_cast<unsigned char>(bytes16.at(i));
    if (i == 6) byte = static_cast<unsigned char>((byte & 0x0f) | (version << 4));
    if (i == 8) byte = static_cast<unsigned char>((byte & 0x3f) | 0x80);
    if (i == 4 || i == 6 || i == 8 || i == 10) value.push_back('-');
    value.push_back(kHex[byte >> 4]);
    value.push_back(kHex[byte & 0x0f]);
  }
  return Uuid(std::move(value));
}

}  // namespace todo::domain

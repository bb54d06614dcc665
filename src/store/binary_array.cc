#include "store/binary_array.h"

namespace todo::store {
namespace {

unsigned NibbleOf(char hex) {
  return static_cast<unsigned>(hex <= '9' ? hex - '0' : hex - 'a' + 10);
}

}  // namespace

void AppendNumber(std::string& to, std::uint64_t value, int bytes) {
  for (int shift = 8 * (bytes - 1); shift >= 0; shift -= 8)
    to.push_back(static_cast<char>((value >> shift) & 0xff));
}

void AppendValue(std::string& to, bool value) {
  AppendNumber(to, 1, 4);
  to.push_back(value ? '\1' : '\0');
}

void AppendValue(std::string& to, std::int64_t value) {
  AppendNumber(to, 8, 4);
  AppendNumber(to, static_cast<std::uint64_t>(value), 8);
}

void AppendValue(std::string& to, std::int16_t value) {
  AppendNumber(to, 2, 4);
  AppendNumber(to, static_cast<std::uint64_t>(value), 2);
}

void AppendValue(std::string& to, std::string_view text) {
  AppendNumber(to, text.size(), 4);
  to.append(text);
}

void AppendValue(std::string& to, Bytea value) { AppendValue(to, value.bytes); }

void AppendValue(std::string& to, const Jsonb& value) {
  AppendNumber(to, value.text.size() + 1, 4);
  to.push_back('\1');  // the version of the form
  to.append(value.text);
}

void AppendValue(std::string& to, domain::Instant at) {
  AppendValue(to, static_cast<std::int64_t>((at - kServerEpoch).count()));
}

void AppendValue(std::string& to, absl::CivilSecond at) {
  AppendValue(to, static_cast<std::int64_t>(at - kServerCivilEpoch) * 1'000'000);
}

void AppendValue(std::string& to, const domain::Uuid& uuid) {
  const std::string& text = uuid.value();
  AppendNumber(to, 16, 4);
  for (std::size_t i = 0; i + 1 < text.size(); i += 2) {
    if (text[i] == '-') ++i;
    to.push_back(static_cast<char>(NibbleOf(text[i]) << 4 | NibbleOf(text[i + 1])));
  }
}

void AppendValue(std::string& to, const std::vector<std::string>& texts) {
  BinaryArray<std::string_view> array;
  for (const std::string& text : texts) array.Add(text);
  AppendValue(to, array.Encoded());
}

void AppendValue(std::string& to, const BinaryRow& row) { AppendValue(to, row.bytes()); }

}  // namespace todo::store

#include "store/binary_row_reader.h"

#include <chrono>

namespace todo::store {
namespace {

constexpr std::int64_t kMicrosPerSecond = 1'000'000;

/// Reads a number of just `size` bytes.
template <typename T>
bool ReadNumber(std::string_view bytes, std::size_t size, T& to) {
  if (bytes.size() != size) return false;
  to = static_cast<T>(NumberOf(bytes));
  return true;
}

}  // namespace

std::int64_t NumberOf(std::string_view bytes) {
  // Of a negative number all bits before the highest of the bytes are set.
  std::uint64_t number = !bytes.empty() && (bytes[0] & 0x80) != 0 ? ~std::uint64_t{0} : 0;
  for (const char byte : bytes) number = number << 8 | static_cast<unsigned char>(byte);
  return static_cast<std::int64_t>(number);
}

std::string_view BinaryReader::Take(std::size_t size) {
  failed_ = failed_ || size > bytes_.size();
  if (failed_) return bytes_ = {};
  const std::string_view taken = bytes_.substr(0, size);
  bytes_.remove_prefix(size);
  return taken;
}

std::int32_t BinaryReader::TakeNumber() { return static_cast<std::int32_t>(NumberOf(Take(4))); }

std::optional<std::string_view> BinaryReader::TakeValue() {
  const std::int32_t size = TakeNumber();
  if (size < 0) return std::nullopt;
  return Take(static_cast<std::size_t>(size));
}

bool ReadValue(std::string_view bytes, bool& to) {
  if (bytes.size() != 1) return false;
  to = bytes[0] != '\0';
  return true;
}

bool ReadValue(std::string_view bytes, std::int64_t& to) { return ReadNumber(bytes, 8, to); }

bool ReadValue(std::string_view bytes, std::int16_t& to) { return ReadNumber(bytes, 2, to); }

bool ReadValue(std::string_view bytes, std::string& to) {
  to = bytes;
  return true;
}

bool ReadValue(std::string_view bytes, Jsonb& to) {
  if (!bytes.starts_with('\1')) return false;  // the version of the form
  to.text = bytes.substr(1);
  return true;
}

bool ReadValue(std::string_view bytes, domain::Instant& to) {
  std::int64_t micros = 0;
  if (!ReadValue(bytes, micros)) return false;
  to = kServerEpoch + std::chrono::microseconds(micros);
  return true;
}

bool ReadValue(std::string_view bytes, absl::CivilSecond& to) {
  std::int64_t micros = 0;
  if (!ReadValue(bytes, micros) || micros % kMicrosPerSecond != 0) return false;
  to = kServerCivilEpoch + micros / kMicrosPerSecond;
  return true;
}

bool ReadValue(std::string_view bytes, domain::Uuid& to) {
  static constexpr std::string_view kHex = "0123456789abcdef";
  if (bytes.size() != 16) return false;
  std::string text;
  for (const char byte : bytes) {
    const auto value = static_cast<unsigned char>(byte);
    text.push_back(kHex[value >> 4]);
    text.push_back(kHex[value & 0xf]);
    if (text.size() == 8 || text.size() == 13 || text.size() == 18 || text.size() == 23)
      text.push_back('-');
  }
  const std::optional<domain::Uuid> uuid = domain::Uuid::Parse(text);
  if (uuid) to = *uuid;
  return uuid.has_value();
}

bool ReadValue(std::string_view bytes, std::vector<std::string>& to) {
  BinaryReader reader(bytes);
  const std::int32_t dimensions = reader.TakeNumber();
  reader.Take(8);  // whether there are nulls, and the type
  to.clear();
  if (dimensions == 0) return reader.done();
  const std::int32_t count = reader.TakeNumber();
  reader.Take(4);  // the index of the first element
  if (dimensions != 1) return false;
  for (std::int32_t i = 0; i < count && !reader.failed(); ++i) {
    const std::optional<std::string_view> text = reader.TakeValue();
    if (!text) return false;
    to.emplace_back(*text);
  }
  return reader.done();
}

}  // namespace todo::store

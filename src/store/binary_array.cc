#include "store/binary_array.h"

#include <chrono>

namespace todo::store {
namespace {

// The server counts microseconds from here.
constexpr domain::Instant kEpoch{std::chrono::sys_days{std::chrono::year{2000} / 1 / 1}};
constexpr absl::CivilSecond kCivilEpoch(2000, 1, 1);

/// The last `bytes` bytes of `value`, the highest first.
void AppendNumber(std::string& to, std::uint64_t value, int bytes) {
  for (int shift = 8 * (bytes - 1); shift >= 0; shift -= 8)
    to.push_back(static_cast<char>((value >> shift) & 0xff));
}

unsigned NibbleOf(char hex) {
  return static_cast<unsigned>(hex <= '9' ? hex - '0' : hex - 'a' + 10);
}

}  // namespace

void BinaryArray::AddNull() {
  ++count_;
  has_null_ = true;
  AppendNumber(elements_, 0xffff'ffff, 4);
}

void BinaryArray::Add(bool value) { Add(std::string_view(value ? "\x01" : "\x00", 1)); }

void BinaryArray::Add(std::int64_t value) {
  const int bytes = type_ == Type::kInt2 ? 2 : 8;
  ++count_;
  AppendNumber(elements_, static_cast<std::uint64_t>(bytes), 4);
  AppendNumber(elements_, static_cast<std::uint64_t>(value), bytes);
}

void BinaryArray::Add(std::string_view bytes) {
  ++count_;
  AppendNumber(elements_, bytes.size(), 4);
  elements_.append(bytes);
}

void BinaryArray::Add(domain::Instant at) { Add(static_cast<std::int64_t>((at - kEpoch).count())); }

void BinaryArray::Add(absl::CivilSecond at) {
  Add(static_cast<std::int64_t>(at - kCivilEpoch) * 1'000'000);
}

void BinaryArray::Add(const domain::Uuid& uuid) {
  const std::string& text = uuid.value();
  std::string bytes;
  for (std::size_t i = 0; i + 1 < text.size(); i += 2) {
    if (text[i] == '-') ++i;
    bytes.push_back(static_cast<char>(NibbleOf(text[i]) << 4 | NibbleOf(text[i + 1])));
  }
  Add(std::string_view(bytes));
}

std::string BinaryArray::Encoded() const {
  std::string text;
  text.reserve(elements_.size() + 20);
  AppendNumber(text, count_ == 0 ? 0 : 1, 4);  // dimensions
  AppendNumber(text, has_null_ ? 1 : 0, 4);
  AppendNumber(text, static_cast<std::uint32_t>(type_), 4);
  if (count_ > 0) {
    AppendNumber(text, count_, 4);
    AppendNumber(text, 1, 4);  // the index of the first element
  }
  return text + elements_;
}

}  // namespace todo::store

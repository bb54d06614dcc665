#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/time/civil_time.h"
#include "domain/ids.h"
#include "domain/time.h"
#include "store/binary_array.h"

// Inside the room only: values of answers in PostgreSQL's binary form.

namespace todo::store {

/// The number of the bytes, the highest first. Precondition: at most eight.
std::int64_t NumberOf(std::string_view bytes);

/// Reads the value that AppendValue writes, without its length. False: it has another form.
bool ReadValue(std::string_view bytes, bool& to);
bool ReadValue(std::string_view bytes, std::int64_t& to);
bool ReadValue(std::string_view bytes, std::int16_t& to);
bool ReadValue(std::string_view bytes, std::string& to);
bool ReadValue(std::string_view bytes, Jsonb& to);
bool ReadValue(std::string_view bytes, domain::Instant& to);
bool ReadValue(std::string_view bytes, absl::CivilSecond& to);
bool ReadValue(std::string_view bytes, domain::Uuid& to);
bool ReadValue(std::string_view bytes, std::vector<std::string>& to);

/// Takes binary values apart. Where fewer bytes are left than are taken, it is at its end, and has
/// failed.
class BinaryReader {
 public:
  /// `bytes` must outlive the reader.
  explicit BinaryReader(std::string_view bytes) : bytes_(bytes) {}

  /// A part of `size` bytes; empty after a failure.
  std::string_view Take(std::size_t size);
  /// A number of four bytes; 0 after a failure.
  std::int32_t TakeNumber();
  /// A value with its length before it. nullopt: null.
  std::optional<std::string_view> TakeValue();
  bool failed() const { return failed_; }
  /// Whether everything was taken, and nothing beyond it.
  bool done() const { return !failed_ && bytes_.empty(); }

 private:
  std::string_view bytes_;
  bool failed_ = false;
};

/// Reads a value of a composite type. False: it has other columns than `values`, in number or form,
/// or a null whose value is no optional; then the values are undefined.
template <typename... Values>
bool ReadRow(std::string_view row, Values&... values) {
  BinaryReader reader(row);
  const auto read = []<typename T>(BinaryReader& from, T& to) {
    from.Take(4);  // the type
    const std::optional<std::string_view> value = from.TakeValue();
    return value && ReadValue(*value, to);
  };
  const auto read_optional = []<typename T>(BinaryReader& from, std::optional<T>& to) {
    from.Take(4);
    const std::optional<std::string_view> value = from.TakeValue();
    return !value || ReadValue(*value, to.emplace());
  };
  const auto read_any = [&]<typename T>(T& to) {
    if constexpr (requires {
                    to.emplace();
                    to.has_value();
                  })
      return read_optional(reader, to);
    else
      return read(reader, to);
  };
  return reader.TakeNumber() == static_cast<std::int32_t>(sizeof...(values)) &&
         (read_any(values) && ...) && reader.done();
}

}  // namespace todo::store

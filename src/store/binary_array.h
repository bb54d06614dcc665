#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/time/civil_time.h"
#include "domain/ids.h"
#include "domain/time.h"

// Inside the room only: parameters of statements in PostgreSQL's binary form, which needs no
// quoting and no parsing. The server refuses a value of another type than its column has.

namespace todo::store {

/// The server counts microseconds from here.
inline constexpr domain::Instant kServerEpoch{
    std::chrono::sys_days{std::chrono::year{2000} / 1 / 1}};
inline constexpr absl::CivilSecond kServerCivilEpoch(2000, 1, 1);

struct Bytea {
  std::string_view bytes;
};
struct Jsonb {
  std::string text;
};
class BinaryRow;

/// The type that a value has in every PostgreSQL.
template <typename T>
inline constexpr std::uint32_t kTypeOf = 25;  // text
template <>
inline constexpr std::uint32_t kTypeOf<bool> = 16;
template <>
inline constexpr std::uint32_t kTypeOf<Bytea> = 17;
template <>
inline constexpr std::uint32_t kTypeOf<std::int64_t> = 20;  // bigint
template <>
inline constexpr std::uint32_t kTypeOf<std::int16_t> = 21;  // smallint
template <>
inline constexpr std::uint32_t kTypeOf<std::vector<std::string>> = 1009;  // text[]
template <>
inline constexpr std::uint32_t kTypeOf<absl::CivilSecond> = 1114;  // timestamp
template <>
inline constexpr std::uint32_t kTypeOf<domain::Instant> = 1184;  // timestamptz
template <>
inline constexpr std::uint32_t kTypeOf<domain::Uuid> = 2950;
template <>
inline constexpr std::uint32_t kTypeOf<Jsonb> = 3802;
/// Each database numbers its own types as it likes, so the server takes any number for them.
template <>
inline constexpr std::uint32_t kTypeOf<BinaryRow> = 0;

/// Appends the last `bytes` bytes of `value`, the highest first.
void AppendNumber(std::string& to, std::uint64_t value, int bytes);

/// Appends a value and its length.
void AppendValue(std::string& to, bool value);
void AppendValue(std::string& to, std::int64_t value);
void AppendValue(std::string& to, std::int16_t value);
void AppendValue(std::string& to, std::string_view text);
void AppendValue(std::string& to, const char* text) = delete;  // would be a bool
void AppendValue(std::string& to, Bytea value);
void AppendValue(std::string& to, const Jsonb& value);
void AppendValue(std::string& to, domain::Instant at);
void AppendValue(std::string& to, absl::CivilSecond at);
void AppendValue(std::string& to, const domain::Uuid& uuid);
void AppendValue(std::string& to, const std::vector<std::string>& texts);
void AppendValue(std::string& to, const BinaryRow& row);

/// A value of a composite type, whose columns are exactly `values`. An empty optional is null.
class BinaryRow {
 public:
  template <typename... Values>
  explicit BinaryRow(const Values&... values) {
    AppendNumber(bytes_, sizeof...(values), 4);
    (Append(values), ...);
  }

  const std::string& bytes() const { return bytes_; }

 private:
  template <typename T>
  void Append(const T& value) {
    AppendNumber(bytes_, kTypeOf<T>, 4);
    AppendValue(bytes_, value);
  }
  template <typename T>
  void Append(const std::optional<T>& value) {
    if (value) return Append(*value);
    AppendNumber(bytes_, kTypeOf<T>, 4);
    AppendNumber(bytes_, 0xffff'ffff, 4);
  }

  std::string bytes_;
};

/// Values for `unnest`, none of them null.
template <typename T>
class BinaryArray {
 public:
  void Add(const T& value) {
    ++count_;
    AppendValue(elements_, value);
  }

  bool empty() const { return count_ == 0; }
  /// The parameter.
  std::string Encoded() const {
    std::string array;
    array.reserve(elements_.size() + 20);
    AppendNumber(array, empty() ? 0 : 1, 4);  // dimensions
    AppendNumber(array, 0, 4);                // no nulls
    AppendNumber(array, kTypeOf<T>, 4);
    if (!empty()) {
      AppendNumber(array, count_, 4);
      AppendNumber(array, 1, 4);  // the index of the first element
    }
    return array + elements_;
  }

 private:
  std::uint32_t count_ = 0;
  std::string elements_;
};

}  // namespace todo::store

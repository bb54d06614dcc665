#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "absl/time/civil_time.h"
#include "domain/ids.h"
#include "domain/time.h"

// Inside the room only: parameters of statements in PostgreSQL's binary form, which needs no
// quoting and no parsing.

namespace todo::store {

/// A column of values for `unnest`. The Add of another type than the array's makes a parameter that
/// the server refuses.
class BinaryArray {
 public:
  /// Types by their number in every PostgreSQL.
  enum class Type : std::uint32_t {
    kBool = 16,
    kBytea = 17,
    kInt8 = 20,
    kInt2 = 21,
    kText = 25,
    kTimestamp = 1114,
    kTimestamptz = 1184,
    kUuid = 2950,
  };

  explicit BinaryArray(Type type) : type_(type) {}

  void AddNull();
  void Add(bool value);
  void Add(std::int64_t value);  // kInt8, kInt2
  void Add(std::string_view bytes);
  void Add(const std::string& bytes) { Add(std::string_view(bytes)); }
  void Add(const char* text) { Add(std::string_view(text)); }
  void Add(domain::Instant at);
  void Add(absl::CivilSecond at);
  void Add(const domain::Uuid& uuid);
  template <typename T>
  void Add(const std::optional<T>& value) {
    if (value)
      Add(*value);
    else
      AddNull();
  }

  bool empty() const { return count_ == 0; }
  /// The parameter.
  std::string Encoded() const;

 private:
  const Type type_;
  std::uint32_t count_ = 0;
  bool has_null_ = false;
  std::string elements_;
};

}  // namespace todo::store

#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/time/civil_time.h"
#include "domain/ids.h"
#include "domain/task/task.h"
#include "domain/time.h"

// Inside this folder only: from single JSON values to values of the domain.

namespace todo::domain {

using Json = nlohmann::json;

/// How a record breaks the contract. `text` names the key and quotes nothing of the record, which
/// may be private. The functions below throw it, and no function of a public header lets it out.
struct Violation {
  std::string text;
};

/// The value of `key`. Throws when it is missing; `where` names the object.
const Json& Require(const Json& object, const char* key, std::string_view where);
/// The value of `key`; nullptr when it is missing or null.
const Json* FindValue(const Json& object, const char* key);

// Each function takes a value and its name, and throws when the value is not of the wanted kind.

std::string RequireText(const Json& value, std::string_view name);
std::vector<std::string> RequireTexts(const Json& value, std::string_view name);
bool RequireBoolean(const Json& value, std::string_view name);
/// At most 2^53 from zero: a larger number does not cross the bus unchanged.
std::int64_t RequireInteger(const Json& value, std::string_view name);
/// A time in [kMinInstant, kMaxInstant].
Instant RequireInstant(const Json& value, std::string_view name);
/// Any valid time: nothing is computed from it.
Instant RequireAnyInstant(const Json& value, std::string_view name);
absl::CivilSecond RequireCivilSecond(const Json& value, std::string_view name);
std::string RequireTimeZone(const Json& value, std::string_view name);
Uuid RequireUuid(const Json& value, std::string_view name);
UserId RequireUser(const Json& value, std::string_view name);
Priority RequirePriority(const Json& value, std::string_view name);
DueKind RequireDueKind(const Json& value, std::string_view name);
RecurrenceBasis RequireRecurrenceBasis(const Json& value, std::string_view name);

/// Reads the keys of one object into variables.
class ObjectReader {
 public:
  /// `object` must outlive the reader. `name` stands before each key's name in a violation.
  ObjectReader(const Json& object, std::string name) : object_(object), name_(std::move(name)) {}

  bool Has(const char* key) const { return FindValue(object_, key) != nullptr; }

  /// Sets `target` to `require(value, name)`, where `require` is one of the functions above. A key
  /// that is missing or null leaves `target` as it is.
  template <typename Target, typename RequireValue>
  void Read(const char* key, Target& target, const RequireValue& require) const {
    if (const Json* value = FindValue(object_, key)) target = require(*value, name_ + '.' + key);
  }
  /// Like Read, but null is a value too.
  template <typename Target, typename RequireValue>
  void ReadNullable(const char* key, Target& target, const RequireValue& require) const {
    if (const auto value = object_.find(key); value != object_.end())
      target = require(*value, name_ + '.' + key);
  }

 private:
  const Json& object_;
  const std::string name_;
};

}  // namespace todo::domain

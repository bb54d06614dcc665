#include "domain/event/json_values.h"

#include <fmt/format.h>

#include <cmath>
#include <optional>
#include <utility>

#include "domain/time_zone.h"
#include "util/status.h"

namespace todo::domain {
namespace {

/// Beyond this, a number changes on its way through any program that reads JSON numbers as doubles,
/// such as Dapr.
constexpr std::int64_t kMaxExactInteger = std::int64_t{1} << 53;

}  // namespace

std::string RequireText(const Json& value, std::string_view name) {
  if (!value.is_string())
    throw Violation{fmt::format("{} must be a string, not {}", name, value.type_name())};
  std::string text = value.get<std::string>();
  if (text.find('\0') != std::string::npos)
    throw Violation{fmt::format("{} holds a NUL character", name)};
  return text;
}

bool RequireBoolean(const Json& value, std::string_view name) {
  if (!value.is_boolean())
    throw Violation{fmt::format("{} must be a boolean, not {}", name, value.type_name())};
  return value.get<bool>();
}

std::int64_t RequireInteger(const Json& value, std::string_view name) {
  std::int64_t number = 0;
  if (value.is_number_float()) {
    // JSON has one kind of number: 1.0 is an integer.
    const double real = value.get<double>();
    if (std::floor(real) != real || std::abs(real) > static_cast<double>(kMaxExactInteger)) {
      throw Violation{fmt::format("{} must be an integer of at most 2^53", name)};
    }
    number = static_cast<std::int64_t>(real);
  } else if (value.is_number_unsigned() &&
             value.get<std::uint64_t>() > static_cast<std::uint64_t>(kMaxExactInteger)) {
    throw Violation{fmt::format("{} is beyond 2^53 and cannot cross the bus unchanged", name)};
  } else if (value.is_number_integer()) {
    number = value.get<std::int64_t>();
  } else {
    throw Violation{fmt::format("{} must be an integer, not {}", name, value.type_name())};
  }
  if (number < -kMaxExactInteger) throw Violation{fmt::format("{} is beyond -2^53", name)};
  return number;
}

Instant RequireInstant(const Json& value, std::string_view name) {
  const std::string text = RequireText(value, name);
  absl::StatusOr<Instant> instant = ParseInstant(text);
  if (!instant.ok()) {
    throw Violation{fmt::format("{}: {}", name, util::FromAbsl(instant.status().message()))};
  }
  return *instant;
}

Instant RequireAnyInstant(const Json& value, std::string_view name) {
  const absl::StatusOr<Instant> instant = ParseAnyInstant(RequireText(value, name));
  if (!instant.ok()) {
    throw Violation{fmt::format("{}: {}", name, util::FromAbsl(instant.status().message()))};
  }
  return *instant;
}

absl::CivilSecond RequireCivilSecond(const Json& value, std::string_view name) {
  const std::string text = RequireText(value, name);
  absl::CivilSecond civil;
  if (!absl::ParseLenientCivilTime(text, &civil)) {
    throw Violation{fmt::format("{} must be a local date and time", name)};
  }
  return civil;
}

const Json& Require(const Json& object, const char* key, std::string_view where) {
  const auto it = object.find(key);
  if (it == object.end())
    throw Violation{fmt::format("{} lacks the required key \"{}\"", where, key)};
  return *it;
}

const Json* FindValue(const Json& object, const char* key) {
  const auto it = object.find(key);
  return it == object.end() || it->is_null() ? nullptr : &*it;
}

Uuid RequireUuid(const Json& value, std::string_view name) {
  const std::string text = RequireText(value, name);
  const std::optional<Uuid> uuid = Uuid::Parse(text);
  if (!uuid) throw Violation{fmt::format("{} must be a UUID", name)};
  return *uuid;
}

UserId RequireUser(const Json& value, std::string_view name) {
  UserId user{RequireText(value, name)};
  if (const absl::Status status = CheckUserId(user.value); !status.ok()) {
    throw Violation{fmt::format("{}: {}", name, util::FromAbsl(status.message()))};
  }
  return user;
}

Priority RequirePriority(const Json& value, std::string_view name) {
  const std::optional<Priority> priority = ParsePriority(RequireText(value, name));
  if (!priority) throw Violation{fmt::format("{} must be low, medium or high", name)};
  return *priority;
}

DueKind RequireDueKind(const Json& value, std::string_view name) {
  const std::string text = RequireText(value, name);
  const std::optional<DueKind> kind = ParseDueKind(text);
  if (!kind) throw Violation{fmt::format("{} must be date, local or instant", name)};
  return *kind;
}

std::vector<std::string> RequireTexts(const Json& value, std::string_view name) {
  if (!value.is_array())
    throw Violation{fmt::format("{} must be an array, not {}", name, value.type_name())};
  std::vector<std::string> texts;
  for (const Json& text : value) texts.push_back(RequireText(text, name));
  return texts;
}

RecurrenceBasis RequireRecurrenceBasis(const Json& value, std::string_view name) {
  const std::optional<RecurrenceBasis> basis = ParseRecurrenceBasis(RequireText(value, name));
  if (!basis) throw Violation{fmt::format("{} must be schedule or completion", name)};
  return *basis;
}

std::string RequireTimeZone(const Json& value, std::string_view name) {
  std::string zone = RequireText(value, name);
  if (!TimeZone::Load(zone).ok())
    throw Violation{fmt::format("{} must be a zone of the IANA database", name)};
  return zone;
}

}  // namespace todo::domain

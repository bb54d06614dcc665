#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <pqxx/pqxx>

#include "domain/ids.h"
#include "domain/time.h"
#include "store/session.h"

// Inside the room only: values of columns.

namespace todo::store {

/// Reads microseconds since the epoch.
inline domain::Instant InstantOf(const pqxx::field& microseconds) {
  return domain::Instant(std::chrono::microseconds(microseconds.as<std::int64_t>()));
}
/// nullopt: the column is null.
inline std::optional<domain::Instant> MaybeInstant(const pqxx::field& microseconds) {
  return microseconds.is_null() ? std::nullopt : std::optional(InstantOf(microseconds));
}

inline domain::Uuid UuidOf(const pqxx::field& field) {
  return domain::Uuid::Parse(View(field)).value_or(domain::Uuid());
}

}  // namespace todo::store

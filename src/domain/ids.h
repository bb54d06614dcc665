#pragma once

#include <compare>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

// Distinct types for ids, so that a user id can never be passed where an event id is meant.

namespace todo::domain {

/// A user, by the identity provider's name for it: opaque text of 1 to 200 bytes.
struct UserId {
  std::string value;
  auto operator<=>(const UserId&) const = default;
};

/// Number of a task, unique over all users, > 0.
struct TaskId {
  std::int64_t value = 0;
  auto operator<=>(const TaskId&) const = default;
};

/// A UUID in its canonical form: 36 characters, lower case.
class Uuid {
 public:
  Uuid() = default;  // the nil UUID
  /// Accepts upper and lower case; nullopt when `text` is not a UUID.
  static std::optional<Uuid> Parse(std::string_view text);
  /// The UUID of these 16 bytes, with the version and variant bits of RFC 9562 set over them.
  /// Precondition: `bytes16` has 16 bytes at least, and `version` is 1 to 8.
  static Uuid FromBytes(std::string_view bytes16, int version);

  const std::string& value() const { return value_; }
  auto operator<=>(const Uuid&) const = default;

 private:
  explicit Uuid(std::string value) : value_(std::move(value)) {}
  std::string value_ = "00000000-0000-0000-0000-000000000000";
};

/// Names an event. Every redelivery and every replay has the id of the first delivery.
struct EventId {
  Uuid uuid;
  const std::string& value() const { return uuid.value(); }
  auto operator<=>(const EventId&) const = default;
};

/// The caller's name for one call that changes something. A repeated call has the same one.
struct RequestId {
  Uuid uuid;
  const std::string& value() const { return uuid.value(); }
  auto operator<=>(const RequestId&) const = default;
};

}  // namespace todo::domain

template <>
struct std::hash<todo::domain::EventId> {
  std::size_t operator()(const todo::domain::EventId& id) const noexcept {
    return std::hash<std::string>()(id.value());
  }
};

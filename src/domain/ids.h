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

/// Who owns a task: opaque text of 1 to 200 bytes, given by the identity provider.
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
  /// The UUID made of these 16 bytes, with the given RFC 9562 version and variant bits set over
  /// them.
  static Uuid FromBytes(std::string_view bytes16, int version);

  const std::string& value() const { return value_; }
  auto operator<=>(const Uuid&) const = default;

 private:
  explicit Uuid(std::string value) : value_(std::move(value)) {}
  std::string value_ = "00000000-0000-0000-0000-000000000000";
};

/// Id of an event: the same on every redelivery and replay.
struct EventId {
  Uuid uuid;
  const std::string& value() const { return uuid.value(); }
  auto operator<=>(const EventId&) const = default;
};

/// The caller's name for one call that changes something.
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

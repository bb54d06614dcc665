#pragma once

#include <concepts>
#include <cstdint>
#include <initializer_list>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <variant>

namespace todo::util {

enum class Severity { kDebug, kInfo, kWarning, kError };

/// Lines below `threshold` are dropped; all others go to stderr. Thread safety: may be called from
/// any thread, at any time.
void SetLogThreshold(Severity threshold);

/// The value of a field: text, a number, true or false, or a list of texts or of integers. A
/// LogValue is a view and must not outlive the value it was made from.
class LogValue {
 public:
  using Variant = std::variant<bool, std::int64_t, double, std::string_view,
                               std::span<const std::string>, std::span<const int>>;

  // Implicit, so that a call of Log reads as a list of names and values.
  template <typename T>
  LogValue(const T& value) : value_(Of(value)) {}  // NOLINT(google-explicit-constructor)

  const Variant& value() const { return value_; }

 private:
  template <typename T>
  static Variant Of(const T& value) {
    if constexpr (std::same_as<T, bool>) {
      return value;
    } else if constexpr (std::integral<T>) {
      return static_cast<std::int64_t>(value);
    } else if constexpr (std::floating_point<T>) {
      return static_cast<double>(value);
    } else if constexpr (std::is_convertible_v<const T&, std::string_view>) {
      return std::string_view(value);
    } else if constexpr (std::is_convertible_v<const T&, std::span<const std::string>>) {
      return std::span<const std::string>(value);
    } else {
      return std::span<const int>(value);
    }
  }

  Variant value_;
};

using LogField = std::pair<std::string_view, LogValue>;

/// Writes one JSON object as one line: time, severity, `event` (snake_case, names what happened),
/// the ids of the thread's current trace if it has one (util/span.h), and the fields. kError means
/// that a person should act. Never pass payloads or credentials. Thread safety: may be called from
/// any thread. Does not throw on text that is not UTF-8.
void Log(Severity severity, std::string_view event, std::initializer_list<LogField> fields = {});

}  // namespace todo::util

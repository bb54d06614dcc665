#pragma once

#include <string_view>

namespace todo::util {

/// Whether `given` is `secret`. The time that this takes tells nothing of the secret but its
/// length. Thread safety: a pure function.
bool IsSameSecret(std::string_view given, std::string_view secret);

}  // namespace todo::util

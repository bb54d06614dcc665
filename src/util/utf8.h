#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

// Text that comes from outside: UTF-8 without NUL is text, anything else is bytes.

namespace todo::util {

/// Unicode code points in `text`; nullopt when it is not UTF-8 or holds a NUL.
std::optional<std::size_t> CountCharacters(std::string_view text);

/// Bytes of the first character of `text`; 0 when `text` does not begin with one, or with a NUL.
std::size_t Utf8Length(std::string_view text);

/// `text`, or its first `max_bytes` at most, cut between characters, and "…".
std::string CutText(std::string_view text, std::size_t max_bytes);

}  // namespace todo::util

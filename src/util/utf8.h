#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

// Text from outside: UTF-8 without NUL counts as text, everything else as bytes. Thread safety: all
// may be called from many threads at once. None blocks.

namespace todo::util {

/// The number of Unicode code points in `text`. nullopt: `text` is not UTF-8, or holds a NUL.
std::optional<std::size_t> CountCharacters(std::string_view text);

/// The length in bytes of the first character of `text`. 0: `text` is empty, or begins with a NUL
/// or with bytes that are not UTF-8.
std::size_t Utf8Length(std::string_view text);

/// `text` when it has at most `max_bytes`. A longer text is cut between two characters, at
/// `max_bytes` or before, and "…" is added.
std::string CutText(std::string_view text, std::size_t max_bytes);

}  // namespace todo::util

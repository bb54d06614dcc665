#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace todo::util {

/// `text` as one line of UTF-8 for a header or a delivery log. Control characters, line ends among
/// them, become spaces; NUL and bytes that are not UTF-8 become '?'. A longer text is cut between
/// two characters, so that the line has at most `max_bytes`.
std::string OneLine(std::string_view text, std::size_t max_bytes);

}  // namespace todo::util

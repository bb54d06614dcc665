#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace todo::util {

/// `text` as one line of UTF-8 of at most `max_bytes`: control characters, line ends among them,
/// become spaces, NUL and bytes that are not UTF-8 become '?', and what is too long is cut between
/// characters. For what goes into a header or a delivery log.
std::string OneLine(std::string_view text, std::size_t max_bytes);

}  // namespace todo::util

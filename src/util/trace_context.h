#pragma once

#include <string>
#include <string_view>

// W3C Trace Context, as it travels in metadata, change rows and CloudEvents.

namespace todo::util {

/// `text` as a traceparent of version 00; empty when it is not a valid one.
std::string ParseTraceparent(std::string_view text);

}  // namespace todo::util

#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"

// gzip (RFC 1952). Thread safety: pure functions.

namespace todo::api::connect {

std::string Gzip(std::string_view text);

/// The text inside `bytes`. kInvalidArgument: `bytes` is not gzip, or not all of it.
/// kResourceExhausted: the text is longer than `max_bytes`; no more than that was unpacked.
absl::StatusOr<std::string> Gunzip(std::string_view bytes, std::size_t max_bytes);

}  // namespace todo::api::connect

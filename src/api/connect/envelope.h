#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"

// The frames of a stream: one byte of flags, four bytes of length (big endian), the payload. Thread
// safety: pure functions.

namespace todo::api::connect {

inline constexpr std::size_t kEnvelopePrefixBytes = 5;
inline constexpr std::uint8_t kCompressed = 0x01;
inline constexpr std::uint8_t kEndOfStream = 0x02;

struct Envelope {
  std::uint8_t flags = 0;
  std::string_view payload;
};

std::string Wrap(const Envelope& envelope);

/// The envelope of a body that must consist of exactly one, as the request of a server stream. The
/// payload points into `body`. kUnimplemented: there is none, or more than one. kInvalidArgument:
/// the body ends within the envelope, or the flags are unknown.
absl::StatusOr<Envelope> UnwrapOnly(std::string_view body);

}  // namespace todo::api::connect

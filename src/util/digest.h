#pragma once

#include <cstddef>
#include <string>
#include <string_view>

// Digests of SHA-256. Thread safety: all may be called from many threads at once. None blocks.

namespace todo::util {

/// The 32 bytes of SHA-256 of `text`.
std::string Sha256(std::string_view text);

/// The 32 bytes of HMAC-SHA256 of `text`. The key may be empty.
std::string HmacSha256(std::string_view key, std::string_view text);

struct HkdfInput {
  std::string_view salt;
  std::string_view secret;  // the input keying material
  std::string_view info;
};
/// The first `length` bytes of HKDF (RFC 5869) with SHA-256. Precondition: `length` <= 32.
std::string HkdfSha256(const HkdfInput& input, std::size_t length);

}  // namespace todo::util

#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace todo::notify {

/// The 32 bytes of HMAC-SHA256.
std::string HmacSha256(std::string_view key, std::string_view text);

struct HkdfInput {
  std::string_view salt;
  std::string_view secret;  // the input keying material
  std::string_view info;
};
/// HKDF (RFC 5869) with SHA-256. Precondition: `length` <= 32.
std::string HkdfSha256(const HkdfInput& input, std::size_t length);

}  // namespace todo::notify

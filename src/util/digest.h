#pragma once

#include <string>
#include <string_view>

namespace todo::util {

/// The 32 bytes of SHA-256 over `text`.
std::string Sha256(std::string_view text);

/// The 32 bytes of HMAC-SHA256 over `text`.
std::string HmacSha256(std::string_view key, std::string_view text);

}  // namespace todo::util

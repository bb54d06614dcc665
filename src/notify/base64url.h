#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace todo::notify {

/// RFC 4648 section 5, without padding.
std::string Base64Url(std::string_view bytes);
/// nullopt when `text` is something else; padding is accepted.
std::optional<std::string> FromBase64Url(std::string_view text);

}  // namespace todo::notify

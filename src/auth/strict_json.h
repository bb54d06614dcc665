#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string_view>

namespace todo::auth {

/// `text` as one JSON object; nullopt when it is anything else, has a name twice in one object, or
/// nests deeper than 8 levels. Two readers of a token must never see different values, so what
/// lenient parsers accept (a byte-order mark, the last of two values) is refused.
std::optional<nlohmann::json> ParseObject(std::string_view text);

/// The bytes of canonical base64url without padding (RFC 7515); nullopt when `text` is not that.
std::optional<std::string> DecodeBase64Url(std::string_view text);

/// The text of `name` in `object`; nullopt when it is absent or not a text.
std::optional<std::string> TextIn(const nlohmann::json& object, std::string_view name);

}  // namespace todo::auth

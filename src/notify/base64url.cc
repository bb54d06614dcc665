#include "notify/base64url.h"

#include "absl/strings/escaping.h"
#include "util/status.h"

namespace todo::notify {

std::string Base64Url(std::string_view bytes) {
  return absl::WebSafeBase64Escape(util::ToAbsl(bytes));
}

std::optional<std::string> FromBase64Url(std::string_view text) {
  std::string bytes;
  if (!absl::WebSafeBase64Unescape(util::ToAbsl(text), &bytes)) return std::nullopt;
  return bytes;
}

}  // namespace todo::notify

#pragma once

#include <gtest/gtest.h>

#include <string>
#include <string_view>

#include "absl/strings/escaping.h"
#include "util/status.h"

namespace todo::notify {

inline std::string Base64Url(std::string_view bytes) {
  return absl::WebSafeBase64Escape(util::ToAbsl(bytes));
}
inline std::string FromBase64Url(std::string_view text) {
  std::string bytes;
  EXPECT_TRUE(absl::WebSafeBase64Unescape(util::ToAbsl(text), &bytes)) << text;
  return bytes;
}

}  // namespace todo::notify

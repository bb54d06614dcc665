#pragma once

#include <string>
#include <string_view>

#include "absl/status/status.h"

namespace todo::auth {

/// kUnauthenticated with a reason for programs and a text for developers.
absl::Status Refusal(std::string_view reason, std::string_view message);

/// A piece of a token, which is anybody's text, as a message shows it: short, on one line, and in
/// quotation marks.
std::string Quoted(std::string_view text);

}  // namespace todo::auth

#include "auth/refusal.h"

#include <fmt/format.h>

#include "util/one_line.h"
#include "util/status.h"

namespace todo::auth {

absl::Status Refusal(std::string_view reason, std::string_view message) {
  return util::WithReason(util::MakeStatus(absl::StatusCode::kUnauthenticated, message), reason);
}

std::string Quoted(std::string_view text) {
  constexpr std::size_t kMaxBytes = 64;
  return fmt::format("\"{}\"", util::OneLine(text, kMaxBytes));
}

}  // namespace todo::auth

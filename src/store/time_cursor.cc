#include "store/time_cursor.h"

#include <fmt/format.h>

#include <cstdint>
#include <string_view>

#include "absl/strings/escaping.h"
#include "absl/strings/numbers.h"
#include "util/status.h"

namespace todo::store {

// The token is "<microseconds> <id>" in base64url.

std::string EncodeTimeCursor(const TimeCursor& cursor) {
  return absl::WebSafeBase64Escape(
      fmt::format("{} {}", cursor.at.time_since_epoch().count(), cursor.id.value()));
}

absl::StatusOr<TimeCursor> DecodeTimeCursor(const std::string& token) {
  constexpr std::size_t kMaxTokenBytes = 200;
  constexpr std::string_view kLastId = "ffffffff-ffff-ffff-ffff-ffffffffffff";
  if (token.empty()) return TimeCursor{domain::kMaxInstant, domain::Uuid::Parse(kLastId).value()};
  std::string text;
  const bool decoded = token.size() < kMaxTokenBytes && absl::WebSafeBase64Unescape(token, &text);
  const std::size_t space = decoded ? text.find(' ') : std::string::npos;
  std::int64_t at = 0;
  if (space != std::string::npos && absl::SimpleAtoi(text.substr(0, space), &at) && at >= 0 &&
      at <= domain::kMaxInstant.time_since_epoch().count()) {
    const auto id = domain::Uuid::Parse(std::string_view(text).substr(space + 1));
    if (id) return TimeCursor{domain::Instant(std::chrono::microseconds(at)), *id};
  }
  return util::WithReason(
      absl::InvalidArgumentError("page_token is not one of ours: pass next_page_token of the "
                                 "previous page unchanged, or leave it empty"),
      "INVALID_PAGE_TOKEN");
}

}  // namespace todo::store

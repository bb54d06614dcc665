#include "notify/vapid.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "util/status.h"

namespace todo::notify {

Vapid::Vapid(P256Key key, std::string contact, const ports::Clock& clock)
    : key_(std::move(key)), contact_(std::move(contact)), clock_(clock) {}

absl::StatusOr<P256Key> Vapid::ParseKey(std::string_view text) {
  text = util::FromAbsl(absl::StripAsciiWhitespace(util::ToAbsl(text)));
  if (text.find("-----BEGIN") != std::string_view::npos) return P256Key::FromPem(std::string(text));
  std::string bytes;  // stays empty, which is no key, when the text is something else
  absl::WebSafeBase64Unescape(util::ToAbsl(text), &bytes);
  return P256Key::FromPrivate(bytes);
}

std::string Vapid::PublicKey() const { return absl::WebSafeBase64Escape(key_.public_bytes()); }

absl::StatusOr<std::string> Vapid::Authorization(const std::string& origin) {
  const domain::Instant now = clock_.Now();
  {
    auto made = made_.Lock();
    const auto found = made->find(origin);
    // A token from the future was made before the clock was set back; it may end too late.
    if (found != made->end() && now < found->second.until && found->second.until - now <= kReuse)
      return found->second.authorization;
  }
  using std::chrono::seconds;
  const nlohmann::json header = {{"typ", "JWT"}, {"alg", "ES256"}};
  const nlohmann::json claims = {
      {"aud", origin},
      {"exp", std::chrono::floor<seconds>(now + kLifetime).time_since_epoch().count()},
      {"sub", contact_}};
  const std::string signed_part = fmt::format("{}.{}", absl::WebSafeBase64Escape(header.dump()),
                                              absl::WebSafeBase64Escape(claims.dump()));
  TODO_ASSIGN_OR_RETURN(const std::string signature, key_.Sign(signed_part));
  std::string authorization = fmt::format("vapid t={}.{},k={}", signed_part,
                                          absl::WebSafeBase64Escape(signature), PublicKey());

  auto made = made_.Lock();
  if (made->size() >= kMaxOrigins) made->clear();
  made->insert_or_assign(origin, Made{authorization, now + kReuse});
  return authorization;
}

}  // namespace todo::notify

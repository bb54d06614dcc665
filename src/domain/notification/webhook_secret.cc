#include "domain/notification/webhook_secret.h"

#include <fmt/format.h>

#include "absl/strings/escaping.h"
#include "util/digest.h"
#include "util/status.h"

namespace todo::domain {

std::string WebhookSecret(std::string_view master_key, const Uuid& endpoint, int version) {
  return util::HmacSha256(master_key, fmt::format("webhook {} {}", endpoint.value(), version));
}

std::string FormatWebhookSecret(std::string_view secret) {
  return "whsec_" + absl::Base64Escape(util::ToAbsl(secret));
}

}  // namespace todo::domain

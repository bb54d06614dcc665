#pragma once

#include <string>
#include <string_view>

#include "domain/ids.h"

namespace todo::domain {

/// A rotated secret goes on to sign for a day, but at most this many of them: another rotation ends
/// the oldest.
inline constexpr int kMaxPreviousSecrets = 3;

/// The secret that signs the calls of a webhook endpoint: raw bytes, derived from the master key.
std::string WebhookSecret(std::string_view master_key, const Uuid& endpoint, int version);
/// The form that Standard Webhooks shows: "whsec_…".
std::string FormatWebhookSecret(std::string_view secret);

}  // namespace todo::domain

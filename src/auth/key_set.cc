#include "auth/key_set.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <utility>

#include "auth/strict_json.h"
#include "util/status.h"

namespace todo::auth {
namespace {

using nlohmann::json;

constexpr std::size_t kMaxBytes = 256 * 1024;
constexpr std::size_t kMaxKeys = 100;

absl::Status Invalid(std::string_view why) {
  return util::MakeStatus(absl::StatusCode::kInvalidArgument, fmt::format("the key set {}", why));
}

}  // namespace

absl::StatusOr<KeySet> KeySet::Parse(std::string_view text, SharedSecrets secrets,
                                     std::string_view rsa_algorithm) {
  if (text.size() > kMaxBytes) return Invalid(fmt::format("has more than {} bytes", kMaxBytes));
  // Files end with a line end.
  while (!text.empty() && (text.back() == '\n' || text.back() == '\r' || text.back() == ' '))
    text.remove_suffix(1);
  const std::optional<json> document = ParseObject(text);
  if (!document) return Invalid("is not one JSON object without doubled names");
  json list = json::array({*document});
  if (document->contains("keys")) list = (*document)["keys"];
  if (!list.is_array() || list.size() > kMaxKeys)
    return Invalid(fmt::format("has no list \"keys\" of at most {}", kMaxKeys));

  KeySet set;
  std::set<std::string> ids;
  for (json& jwk : list) {
    if (!rsa_algorithm.empty() && jwk.is_object() && TextIn(jwk, "kty") == "RSA" &&
        !jwk.contains("alg"))
      jwk["alg"] = std::string(rsa_algorithm);
    const std::optional<std::string> id = jwk.is_object() ? TextIn(jwk, "kid") : std::nullopt;
    if (id && !ids.insert(*id).second) return Invalid("has two keys with one kid");
    absl::StatusOr<VerificationKey> key = VerificationKey::FromJwk(jwk);
    if (key.ok()) {
      set.keys_.push_back(*std::move(key));
    } else {
      set.skipped_keys_.push_back(
          fmt::format("{}: {}", id.value_or(""), util::FromAbsl(key.status().message())));
    }
  }
  if (set.keys_.empty()) {
    return Invalid(fmt::format("has no key that can be used{}{}",
                               set.skipped_keys_.empty() ? "" : ": ",
                               set.skipped_keys_.empty() ? "" : set.skipped_keys_.front()));
  }
  const auto secret_count = std::ranges::count_if(set.keys_, &VerificationKey::is_shared_secret);
  if (secret_count > 0 && secrets == SharedSecrets::kRefused)
    return Invalid("holds shared secrets, which belong into the secret store");
  if (secret_count > 0 && secret_count < static_cast<std::ptrdiff_t>(set.keys_.size()))
    return Invalid("mixes shared secrets with public keys");
  return set;
}

const VerificationKey* KeySet::Find(std::string_view kid) const {
  if (kid.empty()) return keys_.size() == 1 ? &keys_.front() : nullptr;
  const auto found = std::ranges::find(keys_, kid, &VerificationKey::id);
  if (found != keys_.end()) return &*found;
  // A single key without a name is for every token of its issuer.
  return keys_.size() == 1 && keys_.front().id().empty() ? &keys_.front() : nullptr;
}

}  // namespace todo::auth

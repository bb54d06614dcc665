#include "auth/signed_token.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <optional>
#include <utility>

#include "absl/strings/ascii.h"
#include "auth/refusal.h"
#include "auth/strict_json.h"
#include "util/status.h"

namespace todo::auth {
namespace {

using nlohmann::json;

absl::Status Refused(std::string_view why) { return Refusal("TOKEN_MALFORMED", why); }

absl::Status CheckHeader(const json& header) {
  for (const char* name : {"crit", "zip", "b64"}) {
    if (header.contains(name))
      return Refused(fmt::format("the token's header has {}, which is not supported", name));
  }
  for (const char* name : {"jwk", "jku", "x5u", "x5c"}) {
    if (header.contains(name))
      return Refused(
          fmt::format("the token's header brings its own key ({}), which is never trusted", name));
  }
  if (header.contains("cty"))
    return Refused("the token holds another token (cty), which is not supported");
  if (!TextIn(header, "alg")) return Refused("the token's header has no alg");
  if (header.contains("kid") && !TextIn(header, "kid"))
    return Refused("the token's kid is not a text");
  if (header.contains("typ") && !TextIn(header, "typ"))
    return Refused("the token's typ is not a text");
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<SignedToken> SignedToken::Parse(std::string_view token) {
  if (token.size() > kMaxTokenBytes)
    return Refused(fmt::format("the token has more than {} bytes", kMaxTokenBytes));
  const std::size_t first = token.find('.');
  const std::size_t second = first == token.npos ? token.npos : token.find('.', first + 1);
  if (second == token.npos || token.find('.', second + 1) != token.npos)
    return Refused("the token is not a signed JWT: three parts with dots between them");
  const std::optional<std::string> header_text = DecodeBase64Url(token.substr(0, first));
  std::optional<std::string> payload = DecodeBase64Url(token.substr(first + 1, second - first - 1));
  std::optional<std::string> signature = DecodeBase64Url(token.substr(second + 1));
  if (!header_text || !payload || !signature || signature->empty())
    return Refused("the token is damaged: a part of it is not base64url, or empty");
  const std::optional<json> header = ParseObject(*header_text);
  if (!header) return Refused("the token's header is not one JSON object without doubled names");
  TODO_RETURN_IF_ERROR(CheckHeader(*header));

  SignedToken parsed;
  parsed.algorithm_ = *TextIn(*header, "alg");
  parsed.key_id_ = TextIn(*header, "kid").value_or("");
  const std::string type = TextIn(*header, "typ").value_or("");
  parsed.type_ = absl::AsciiStrToLower(type);
  parsed.signed_text_ = std::string(token.substr(0, second));
  parsed.payload_ = *std::move(payload);
  parsed.signature_ = *std::move(signature);
  return parsed;
}

absl::Status SignedToken::Verify(const KeySet& keys) const {
  const VerificationKey* const key = keys.Find(key_id_);
  if (key == nullptr && key_id_.empty())
    return Refusal("TOKEN_KEY", "the token names no key (kid), and its issuer has several");
  if (key == nullptr) {
    return Refusal("TOKEN_KEY",
                   fmt::format("the token's key {} is not one of its issuer", Quoted(key_id_)));
  }
  if (!key->IsFor(algorithm_)) {
    return Refusal("TOKEN_ALGORITHM", fmt::format("the token is signed with {}, its key is for {}",
                                                  Quoted(algorithm_), key->algorithm()));
  }
  if (!key->Verifies(signed_text_, signature_))
    return Refusal("TOKEN_SIGNATURE", "the token's signature is wrong");
  return absl::OkStatus();
}

}  // namespace todo::auth

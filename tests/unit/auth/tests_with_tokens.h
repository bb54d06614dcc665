#pragma once

// Keys and tokens of RFC 8037 (Ed25519) and RFC 7515 (HMAC), and what the tests of a room do with
// them.

#include <gmock/gmock.h>

#include <string>
#include <string_view>

#include "absl/strings/escaping.h"
#include "support/status_matchers.h"

namespace todo::auth {

using support::IsOk;

inline constexpr char kEd25519Jwk[] =
    R"({"kty":"OKP","crv":"Ed25519","kid":"ed","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"})";
inline constexpr char kEd25519Token[] =
    "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc."
    "hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg";
inline constexpr char kSecretJwk[] =
    R"({"kty":"oct","alg":"HS256","k":"AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow"})";

}  // namespace todo::auth

#include "auth/token_signer.h"

#include <fmt/format.h>
#include <openssl/core_names.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <optional>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "auth/openssl_handles.h"
#include "auth/strict_json.h"
#include "util/digest.h"
#include "util/require.h"
#include "util/status.h"

namespace todo::auth {
namespace {

using nlohmann::json;
using Kind = TokenSigner::Kind;
using PrivateKey = std::shared_ptr<EVP_PKEY>;

constexpr int kRsaBits = 2048;
constexpr int kCoordinateBytes = 32;  // of P-256
constexpr int kEd25519Bytes = 32;

absl::Status Unusable(std::string_view why) {
  return util::MakeStatus(absl::StatusCode::kInvalidArgument, fmt::format("the key {}", why));
}

const unsigned char* Bytes(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

std::string Encoded(std::string_view bytes) {
  return absl::WebSafeBase64Escape(util::ToAbsl(bytes));
}

/// The number `name` of `key`, with leading zeros up to `bytes`.
std::string NumberOf(EVP_PKEY* key, const char* name, int bytes = 0) {
  BIGNUM* read = nullptr;
  EVP_PKEY_get_bn_param(key, name, &read);
  const BigNumber number(read);
  std::string text(static_cast<std::size_t>(std::max(bytes, BN_num_bytes(number.get()))), '\0');
  BN_bn2binpad(number.get(), reinterpret_cast<unsigned char*>(text.data()),
               static_cast<int>(text.size()));
  return text;
}

std::string RawPublicKey(EVP_PKEY* key) {
  std::string raw(kEd25519Bytes, '\0');
  std::size_t size = raw.size();
  EVP_PKEY_get_raw_public_key(key, reinterpret_cast<unsigned char*>(raw.data()), &size);
  return raw;
}

const char* AlgorithmOf(Kind kind) {
  switch (kind) {
    case Kind::kEcP256: return "ES256";
    case Kind::kEd25519: return "EdDSA";
    case Kind::kRsa: return "RS256";
  }
  return "";
}

absl::StatusOr<Kind> KindOf(EVP_PKEY* key) {
  switch (EVP_PKEY_get_base_id(key)) {
    case EVP_PKEY_RSA:
      if (EVP_PKEY_get_bits(key) < kRsaBits)
        return Unusable(fmt::format("is of RSA with fewer than {} bits", kRsaBits));
      return Kind::kRsa;
    case EVP_PKEY_ED25519: return Kind::kEd25519;
    case EVP_PKEY_EC: {
      std::array<char, 64> curve{};
      EVP_PKEY_get_utf8_string_param(key, OSSL_PKEY_PARAM_GROUP_NAME, curve.data(), curve.size(),
                                     nullptr);
      if (std::string_view(curve.data()) == "prime256v1") return Kind::kEcP256;
      return Unusable("is on another curve than P-256");
    }
    default: return Unusable("is of another type than EC, Ed25519 and RSA");
  }
}

PrivateKey FromPem(std::string_view text) {
  const Bio input(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
  // A key with a password is refused: without this function OpenSSL would ask the terminal.
  const auto no_password = [](char*, int, int, void*) { return -1; };
  return {PEM_read_bio_PrivateKey(input.get(), nullptr, no_password, nullptr), EVP_PKEY_free};
}

/// Collects the numbers of a key for OpenSSL, which reads them only when the key is made.
class KeyParts {
 public:
  explicit KeyParts(const json& jwk) : jwk_(jwk) {}

  /// The member `member` of the JWK, as OpenSSL's parameter `name`.
  void AddNumber(const char* member, const char* name) {
    const std::string bytes = BytesIn(member);
    BigNumber number(BN_bin2bn(Bytes(bytes), static_cast<int>(bytes.size()), nullptr));
    complete_ = complete_ && !bytes.empty() &&
                OSSL_PARAM_BLD_push_BN(builder_.get(), name, number.get()) == 1;
    numbers_.push_back(std::move(number));
  }
  void AddPoint(const char* curve) {
    point_ = fmt::format("\x04{}{}", BytesIn("x"), BytesIn("y"));
    OSSL_PARAM_BLD_push_utf8_string(builder_.get(), OSSL_PKEY_PARAM_GROUP_NAME, curve, 0);
    OSSL_PARAM_BLD_push_octet_string(builder_.get(), OSSL_PKEY_PARAM_PUB_KEY, point_.data(),
                                     point_.size());
  }
  std::string BytesIn(const char* member) const {
    return DecodeBase64Url(TextIn(jwk_, member).value_or("")).value_or("");
  }

  /// null: the parts make no valid key.
  PrivateKey Make(const char* type) const {
    const Params params(OSSL_PARAM_BLD_to_param(builder_.get()));
    const KeyContext making(EVP_PKEY_CTX_new_from_name(nullptr, type, nullptr));
    EVP_PKEY* made = nullptr;
    if (!complete_ || EVP_PKEY_fromdata_init(making.get()) != 1 ||
        EVP_PKEY_fromdata(making.get(), &made, EVP_PKEY_KEYPAIR, params.get()) != 1) {
      return nullptr;
    }
    PrivateKey key(made, EVP_PKEY_free);
    const KeyContext checking(EVP_PKEY_CTX_new_from_pkey(nullptr, made, nullptr));
    return EVP_PKEY_pairwise_check(checking.get()) == 1 ? key : nullptr;
  }

 private:
  const json& jwk_;
  ParamBuilder builder_{OSSL_PARAM_BLD_new()};
  std::vector<BigNumber> numbers_;
  std::string point_;
  bool complete_ = true;
};

/// null: `jwk` is no private key of a kind that is known here.
PrivateKey FromJwk(const json& jwk) {
  KeyParts parts(jwk);
  const std::optional<std::string> type = TextIn(jwk, "kty");
  if (type == "RSA") {
    for (const auto& [member, name] : {std::pair{"n", OSSL_PKEY_PARAM_RSA_N},
                                       {"e", OSSL_PKEY_PARAM_RSA_E},
                                       {"d", OSSL_PKEY_PARAM_RSA_D},
                                       {"p", OSSL_PKEY_PARAM_RSA_FACTOR1},
                                       {"q", OSSL_PKEY_PARAM_RSA_FACTOR2},
                                       {"dp", OSSL_PKEY_PARAM_RSA_EXPONENT1},
                                       {"dq", OSSL_PKEY_PARAM_RSA_EXPONENT2},
                                       {"qi", OSSL_PKEY_PARAM_RSA_COEFFICIENT1}}) {
      parts.AddNumber(member, name);
    }
    return parts.Make("RSA");
  }
  if (type == "EC" && TextIn(jwk, "crv") == "P-256") {
    parts.AddPoint("P-256");
    parts.AddNumber("d", OSSL_PKEY_PARAM_PRIV_KEY);
    return parts.Make("EC");
  }
  if (type == "OKP" && TextIn(jwk, "crv") == "Ed25519") {
    const std::string raw = parts.BytesIn("d");
    return {EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, nullptr, Bytes(raw), raw.size()),
            EVP_PKEY_free};
  }
  return nullptr;
}

/// r and s, one after the other, of an ECDSA signature in DER.
std::string PlainSignature(std::string_view der) {
  const unsigned char* at = Bytes(der);
  const EcdsaSignature parsed(d2i_ECDSA_SIG(nullptr, &at, static_cast<long>(der.size())));
  TODO_REQUIRE(parsed != nullptr);
  std::string both(2 * kCoordinateBytes, '\0');
  auto* const out = reinterpret_cast<unsigned char*>(both.data());
  BN_bn2binpad(ECDSA_SIG_get0_r(parsed.get()), out, kCoordinateBytes);
  BN_bn2binpad(ECDSA_SIG_get0_s(parsed.get()), out + kCoordinateBytes, kCoordinateBytes);
  return both;
}

}  // namespace

absl::StatusOr<TokenSigner> TokenSigner::Read(std::string_view text) {
  const ErrorQueueGuard errors;
  const std::string_view trimmed = util::FromAbsl(absl::StripAsciiWhitespace(util::ToAbsl(text)));
  PrivateKey key;
  if (trimmed.starts_with('{')) {
    const std::optional<json> jwk = ParseObject(trimmed);
    if (jwk) key = FromJwk(*jwk);
    if (key == nullptr) return Unusable("is no JWK of a private EC (P-256), Ed25519 or RSA key");
  } else {
    key = FromPem(trimmed);
    if (key == nullptr) return Unusable("is no private key in PEM without a password");
  }
  TODO_ASSIGN_OR_RETURN(const Kind kind, KindOf(key.get()));
  return TokenSigner(std::move(key), kind);
}

TokenSigner TokenSigner::Generate(Kind kind) {
  EVP_PKEY* made = nullptr;
  switch (kind) {
    case Kind::kEcP256: made = EVP_EC_gen("P-256"); break;
    case Kind::kEd25519: made = EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519"); break;
    case Kind::kRsa: made = EVP_RSA_gen(kRsaBits); break;
  }
  TODO_REQUIRE(made != nullptr);
  return {PrivateKey(made, EVP_PKEY_free), kind};
}

std::string TokenSigner::Pem() const {
  const Bio output(BIO_new(BIO_s_mem()));
  PEM_write_bio_PKCS8PrivateKey(output.get(), key_.get(), nullptr, nullptr, 0, nullptr, nullptr);
  char* begin = nullptr;
  const long size = BIO_get_mem_data(output.get(), &begin);
  return {begin, static_cast<std::size_t>(size)};
}

json TokenSigner::PublicJwk() const {
  // These members, in the order of their names, are those of the thumbprint.
  json jwk;
  switch (kind_) {
    case Kind::kEcP256:
      jwk = {{"crv", "P-256"},
             {"kty", "EC"},
             {"x", Encoded(NumberOf(key_.get(), OSSL_PKEY_PARAM_EC_PUB_X, kCoordinateBytes))},
             {"y", Encoded(NumberOf(key_.get(), OSSL_PKEY_PARAM_EC_PUB_Y, kCoordinateBytes))}};
      break;
    case Kind::kEd25519:
      jwk = {{"crv", "Ed25519"}, {"kty", "OKP"}, {"x", Encoded(RawPublicKey(key_.get()))}};
      break;
    case Kind::kRsa:
      jwk = {{"e", Encoded(NumberOf(key_.get(), OSSL_PKEY_PARAM_RSA_E))},
             {"kty", "RSA"},
             {"n", Encoded(NumberOf(key_.get(), OSSL_PKEY_PARAM_RSA_N))}};
      break;
  }
  jwk["kid"] = Encoded(util::Sha256(jwk.dump()));
  jwk["alg"] = AlgorithmOf(kind_);
  jwk["use"] = "sig";
  return jwk;
}

std::string TokenSigner::Sign(const json& claims) const {
  const json header = {{"alg", AlgorithmOf(kind_)}, {"kid", PublicJwk()["kid"]}, {"typ", "JWT"}};
  std::string token = fmt::format("{}.{}", Encoded(header.dump()), Encoded(claims.dump()));
  const DigestContext context(EVP_MD_CTX_new());
  const char* const digest = kind_ == Kind::kEd25519 ? nullptr : "SHA256";
  std::size_t size = 0;
  std::string signature;
  const bool begun = EVP_DigestSignInit_ex(context.get(), nullptr, digest, nullptr, nullptr,
                                           key_.get(), nullptr) == 1 &&
                     EVP_DigestSign(context.get(), nullptr, &size, Bytes(token), token.size()) == 1;
  TODO_REQUIRE(begun);
  signature.resize(size);
  const int ended =
      EVP_DigestSign(context.get(), reinterpret_cast<unsigned char*>(signature.data()), &size,
                     Bytes(token), token.size());
  TODO_REQUIRE(ended == 1);
  signature.resize(size);
  if (kind_ == Kind::kEcP256) signature = PlainSignature(signature);
  return fmt::format("{}.{}", token, Encoded(signature));
}

}  // namespace todo::auth

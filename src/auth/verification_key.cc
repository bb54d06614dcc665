#include "auth/verification_key.h"

#include <fmt/format.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/hmac.h>
#include <openssl/rsa.h>

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <optional>
#include <utility>

#include "auth/openssl_handles.h"
#include "auth/strict_json.h"
#include "util/status.h"

namespace todo::auth {
namespace {

using nlohmann::json;

using PublicKey = std::shared_ptr<EVP_PKEY>;

const unsigned char* Bytes(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

absl::Status Unusable(std::string_view why) {
  return util::MakeStatus(absl::StatusCode::kInvalidArgument, why);
}

struct AlgorithmTraits {
  std::string_view name;
  std::string_view key_type;
  std::string_view curve;  // of EC and OKP
  std::size_t bytes;       // of a coordinate of EC, of the digest of others
  const char* digest;
};
constexpr std::array<AlgorithmTraits, 13> kAlgorithms = {{
    {"HS256", "oct", "", 32, "SHA256"},
    {"HS384", "oct", "", 48, "SHA384"},
    {"HS512", "oct", "", 64, "SHA512"},
    {"RS256", "RSA", "", 32, "SHA256"},
    {"RS384", "RSA", "", 48, "SHA384"},
    {"RS512", "RSA", "", 64, "SHA512"},
    {"PS256", "RSA", "", 32, "SHA256"},
    {"PS384", "RSA", "", 48, "SHA384"},
    {"PS512", "RSA", "", 64, "SHA512"},
    {"ES256", "EC", "P-256", 32, "SHA256"},
    {"ES384", "EC", "P-384", 48, "SHA384"},
    {"ES512", "EC", "P-521", 66, "SHA512"},
    {"EdDSA", "OKP", "Ed25519", 32, nullptr},
}};

const AlgorithmTraits& TraitsOf(std::string_view algorithm) {
  return *std::ranges::find(kAlgorithms, algorithm, &AlgorithmTraits::name);
}

bool IsNameOf(const AlgorithmTraits& traits, std::string_view algorithm) {
  return algorithm == traits.name || (traits.name == "EdDSA" && algorithm == "Ed25519");
}

/// The algorithm that `jwk` is for. An RSA key or a secret must name it; a curve decides it.
absl::StatusOr<AlgorithmTraits> AlgorithmOf(const json& jwk) {
  const std::optional<std::string> type = TextIn(jwk, "kty");
  const std::optional<std::string> algorithm = TextIn(jwk, "alg");
  const std::string curve = TextIn(jwk, "crv").value_or("");
  if (!type) return Unusable("it has no kty");
  if (jwk.contains("alg") && !algorithm) return Unusable("its alg is not a text");
  for (const AlgorithmTraits& traits : kAlgorithms) {
    if (traits.key_type != *type) continue;
    if (traits.curve.empty() ? traits.name == algorithm : traits.curve == curve) {
      if (algorithm && !IsNameOf(traits, *algorithm))
        return Unusable(
            fmt::format("a key on {} is for {}, not for {}", curve, traits.name, *algorithm));
      return traits;
    }
  }
  if ((*type == "RSA" || *type == "oct") && !algorithm)
    return Unusable(fmt::format("a key of type {} must name its alg", *type));
  return Unusable(fmt::format("keys of type {} with alg \"{}\" and crv \"{}\" are not supported",
                              *type, algorithm.value_or(""), curve));
}

absl::Status CheckPurpose(const json& jwk) {
  if (jwk.contains("use") && TextIn(jwk, "use") != "sig") return Unusable("its use is not \"sig\"");
  const auto operations = jwk.find("key_ops");
  if (operations == jwk.end()) return absl::OkStatus();
  if (!operations->is_array() ||
      std::ranges::find(*operations, json("verify")) == operations->end())
    return Unusable("its key_ops do not hold \"verify\"");
  return absl::OkStatus();
}

absl::StatusOr<std::string> BytesIn(const json& jwk, std::string_view name) {
  std::optional<std::string> bytes;
  if (const std::optional<std::string> text = TextIn(jwk, name)) bytes = DecodeBase64Url(*text);
  if (!bytes) return Unusable(fmt::format("its {} is not base64url", name));
  return *std::move(bytes);
}

absl::StatusOr<PublicKey> Build(const char* type, OSSL_PARAM_BLD* builder) {
  const Params params(OSSL_PARAM_BLD_to_param(builder));
  const KeyContext making(EVP_PKEY_CTX_new_from_name(nullptr, type, nullptr));
  EVP_PKEY* made = nullptr;
  if (params == nullptr || making == nullptr || EVP_PKEY_fromdata_init(making.get()) != 1 ||
      EVP_PKEY_fromdata(making.get(), &made, EVP_PKEY_PUBLIC_KEY, params.get()) != 1) {
    return Unusable("its numbers make no key");
  }
  PublicKey key(made, EVP_PKEY_free);
  const KeyContext checking(EVP_PKEY_CTX_new_from_pkey(nullptr, key.get(), nullptr));
  if (checking == nullptr || EVP_PKEY_public_check(checking.get()) != 1)
    return Unusable("its numbers make no valid key");
  return key;
}

/// Whether the modulus has the fingerprint of keys whose primes can be found (CVE-2017-15361):
/// modulo each of these primes it is a power of 65537.
bool IsRocaKey(const BIGNUM* modulus) {
  constexpr std::array<BN_ULONG, 17> kPrimes = {11, 13, 17,  19,  37,  53,  61,  71, 73,
                                                79, 97, 103, 107, 109, 127, 151, 157};
  return std::ranges::all_of(kPrimes, [&](BN_ULONG prime) {
    const BN_ULONG rest = BN_mod_word(modulus, prime);
    BN_ULONG power = 1;
    for (BN_ULONG i = 0; i < prime && power != rest; ++i) power = power * 65537 % prime;
    return power == rest;
  });
}

absl::StatusOr<PublicKey> RsaKey(const json& jwk) {
  constexpr int kMinBits = 2048;
  constexpr int kMaxBits = 8192;  // checking a longer one takes seconds
  TODO_ASSIGN_OR_RETURN(const std::string n, BytesIn(jwk, "n"));
  TODO_ASSIGN_OR_RETURN(const std::string e, BytesIn(jwk, "e"));
  if (n.size() > kMaxBits / 8 + 1 || e.size() > 8) return Unusable("its numbers are too large");
  const BigNumber modulus(BN_bin2bn(Bytes(n), static_cast<int>(n.size()), nullptr));
  const BigNumber exponent(BN_bin2bn(Bytes(e), static_cast<int>(e.size()), nullptr));
  if (modulus == nullptr || exponent == nullptr) return Unusable("its numbers cannot be read");
  const int bits = BN_num_bits(modulus.get());
  if (bits < kMinBits || bits > kMaxBits)
    return Unusable(fmt::format("it has {} bits: {} to {} are accepted", bits, kMinBits, kMaxBits));
  if (BN_is_odd(exponent.get()) != 1 || BN_is_one(exponent.get()) == 1)
    return Unusable("its exponent is not an odd number above 1");
  if (IsRocaKey(modulus.get())) return Unusable("its primes can be found (CVE-2017-15361)");
  const ParamBuilder builder(OSSL_PARAM_BLD_new());
  if (builder == nullptr ||
      OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_N, modulus.get()) != 1 ||
      OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_E, exponent.get()) != 1) {
    return Unusable("its numbers make no key");
  }
  return Build("RSA", builder.get());
}

absl::StatusOr<PublicKey> EcKey(const json& jwk, const AlgorithmTraits& traits) {
  TODO_ASSIGN_OR_RETURN(const std::string x, BytesIn(jwk, "x"));
  TODO_ASSIGN_OR_RETURN(const std::string y, BytesIn(jwk, "y"));
  if (x.size() != traits.bytes || y.size() != traits.bytes)
    return Unusable(fmt::format("its x and y must have {} bytes", traits.bytes));
  const std::string point = "\x04" + x + y;
  const std::string curve(traits.curve);
  const ParamBuilder builder(OSSL_PARAM_BLD_new());
  if (builder == nullptr ||
      OSSL_PARAM_BLD_push_utf8_string(builder.get(), OSSL_PKEY_PARAM_GROUP_NAME, curve.c_str(),
                                      0) != 1 ||
      OSSL_PARAM_BLD_push_octet_string(builder.get(), OSSL_PKEY_PARAM_PUB_KEY, point.data(),
                                       point.size()) != 1) {
    return Unusable("its numbers make no key");
  }
  return Build("EC", builder.get());
}

absl::StatusOr<PublicKey> Ed25519Key(const json& jwk) {
  TODO_ASSIGN_OR_RETURN(const std::string x, BytesIn(jwk, "x"));
  PublicKey key(EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, nullptr, Bytes(x), x.size()),
                EVP_PKEY_free);
  if (key == nullptr) return Unusable("its x is no point");
  return key;
}

/// The DER form of a signature that is r and s, one after the other; empty when it is not.
std::string DerOf(std::string_view signature, std::size_t coordinate_bytes) {
  if (signature.size() != 2 * coordinate_bytes) return "";
  const int size = static_cast<int>(coordinate_bytes);
  BigNumber r(BN_bin2bn(Bytes(signature), size, nullptr));
  BigNumber s(BN_bin2bn(Bytes(signature) + size, size, nullptr));
  const EcdsaSignature both(ECDSA_SIG_new());
  if (r == nullptr || s == nullptr || both == nullptr) return "";
  if (ECDSA_SIG_set0(both.get(), r.get(), s.get()) != 1) return "";
  static_cast<void>(r.release());  // are both's now
  static_cast<void>(s.release());
  unsigned char* der = nullptr;
  const int length = i2d_ECDSA_SIG(both.get(), &der);
  if (length <= 0) return "";
  std::string text(reinterpret_cast<const char*>(der), static_cast<std::size_t>(length));
  OPENSSL_free(der);
  return text;
}

bool VerifiesHmac(std::string_view secret, const char* digest, std::string_view text,
                  std::string_view signature) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> mac{};
  unsigned int size = 0;
  if (HMAC(EVP_get_digestbyname(digest), secret.data(), static_cast<int>(secret.size()),
           Bytes(text), text.size(), mac.data(), &size) == nullptr) {
    return false;
  }
  return signature.size() == size && CRYPTO_memcmp(mac.data(), signature.data(), size) == 0;
}

}  // namespace

absl::StatusOr<VerificationKey> VerificationKey::FromJwk(const json& jwk) {
  const ErrorQueueGuard errors;
  if (!jwk.is_object()) return Unusable("it is not a JSON object");
  TODO_ASSIGN_OR_RETURN(const AlgorithmTraits traits, AlgorithmOf(jwk));
  TODO_RETURN_IF_ERROR(CheckPurpose(jwk));
  if (jwk.contains("kid") && !TextIn(jwk, "kid")) return Unusable("its kid is not a text");
  VerificationKey key;
  key.id_ = TextIn(jwk, "kid").value_or("");
  key.algorithm_ = traits.name;
  key.digest_ = traits.digest;
  if (traits.key_type == "oct") {
    TODO_ASSIGN_OR_RETURN(key.secret_, BytesIn(jwk, "k"));
    if (key.secret_.size() < traits.bytes)
      return Unusable(fmt::format("a secret for {} needs {} bytes", traits.name, traits.bytes));
    return key;
  }
  absl::StatusOr<PublicKey> made = traits.key_type == "RSA"  ? RsaKey(jwk)
                                   : traits.key_type == "EC" ? EcKey(jwk, traits)
                                                             : Ed25519Key(jwk);
  if (!made.ok()) return made.status();
  key.public_key_ = *std::move(made);
  return key;
}

bool VerificationKey::IsFor(std::string_view algorithm) const {
  return IsNameOf(TraitsOf(algorithm_), algorithm);
}

bool VerificationKey::Verifies(std::string_view text, std::string_view signature) const {
  const ErrorQueueGuard errors;
  if (is_shared_secret()) return VerifiesHmac(secret_, digest_, text, signature);
  const AlgorithmTraits& traits = TraitsOf(algorithm_);
  std::string der;
  if (traits.key_type == "EC") {
    der = DerOf(signature, traits.bytes);
    if (der.empty()) return false;
    signature = der;
  }
  if (traits.key_type == "RSA" &&
      signature.size() != static_cast<std::size_t>(EVP_PKEY_get_size(public_key_.get()))) {
    return false;
  }
  const DigestContext context(EVP_MD_CTX_new());
  EVP_PKEY_CTX* settings = nullptr;  // belongs to the context
  if (context == nullptr || EVP_DigestVerifyInit_ex(context.get(), &settings, digest_, nullptr,
                                                    nullptr, public_key_.get(), nullptr) != 1) {
    return false;
  }
  if (algorithm_.starts_with("PS") &&
      (EVP_PKEY_CTX_set_rsa_padding(settings, RSA_PKCS1_PSS_PADDING) != 1 ||
       EVP_PKEY_CTX_set_rsa_pss_saltlen(settings, RSA_PSS_SALTLEN_DIGEST) != 1)) {
    return false;
  }
  return EVP_DigestVerify(context.get(), Bytes(signature), signature.size(), Bytes(text),
                          text.size()) == 1;
}

}  // namespace todo::auth

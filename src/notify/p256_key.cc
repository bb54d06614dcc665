#include "notify/p256_key.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/ecdsa.h>
#include <openssl/err.h>
#include <openssl/objects.h>
#include <openssl/param_build.h>
#include <openssl/pem.h>

#include "util/status.h"

namespace todo::notify {
namespace {

constexpr char kCurve[] = "prime256v1";  // OpenSSL's name for P-256

template <auto Free>
struct Deleter {
  template <typename T>
  void operator()(T* value) const {
    Free(value);
  }
};
template <typename T, auto Free>
using Owned = std::unique_ptr<T, Deleter<Free>>;

using Number = Owned<BIGNUM, BN_clear_free>;
using Group = Owned<EC_GROUP, EC_GROUP_free>;
using Point = Owned<EC_POINT, EC_POINT_free>;
using Params = Owned<OSSL_PARAM, OSSL_PARAM_free>;
using ParamsBuilder = Owned<OSSL_PARAM_BLD, OSSL_PARAM_BLD_free>;
using PkeyContext = Owned<EVP_PKEY_CTX, EVP_PKEY_CTX_free>;
using DigestContext = Owned<EVP_MD_CTX, EVP_MD_CTX_free>;
using Signature = Owned<ECDSA_SIG, ECDSA_SIG_free>;
using Memory = Owned<BIO, BIO_free>;
using Pkey = Owned<EVP_PKEY, EVP_PKEY_free>;

const unsigned char* Bytes(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}
unsigned char* Bytes(std::string& text) { return reinterpret_cast<unsigned char*>(text.data()); }

/// A key of the curve from its public point and, unless null, its private number; null when
/// OpenSSL refuses them.
EVP_PKEY* MakeKey(std::string_view public_bytes, const BIGNUM* private_number) {
  const ParamsBuilder builder(OSSL_PARAM_BLD_new());
  OSSL_PARAM_BLD_push_utf8_string(builder.get(), OSSL_PKEY_PARAM_GROUP_NAME, kCurve, 0);
  OSSL_PARAM_BLD_push_octet_string(builder.get(), OSSL_PKEY_PARAM_PUB_KEY, public_bytes.data(),
                                   public_bytes.size());
  if (private_number != nullptr)
    OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_PRIV_KEY, private_number);
  const Params params(OSSL_PARAM_BLD_to_param(builder.get()));
  const PkeyContext context(EVP_PKEY_CTX_new_from_name(nullptr, "EC", nullptr));
  EVP_PKEY* key = nullptr;
  EVP_PKEY_fromdata_init(context.get());
  const int selection = private_number != nullptr ? EVP_PKEY_KEYPAIR : EVP_PKEY_PUBLIC_KEY;
  if (EVP_PKEY_fromdata(context.get(), &key, selection, params.get()) != 1) return nullptr;
  return key;
}

absl::Status Failed(absl::StatusCode code, std::string_view what) {
  ERR_clear_error();
  return util::MakeStatus(code, what);
}

}  // namespace

absl::StatusOr<P256Key> P256Key::Adopt(EVP_PKEY* key) {
  std::shared_ptr<EVP_PKEY> owned(key, EVP_PKEY_free);
  std::string public_bytes(kPublicBytes, '\0');
  std::size_t size = 0;
  if (EVP_PKEY_get_octet_string_param(key, OSSL_PKEY_PARAM_PUB_KEY, Bytes(public_bytes),
                                      public_bytes.size(), &size) != 1 ||
      size != kPublicBytes)
    return Failed(absl::StatusCode::kInvalidArgument, "not a key of the curve P-256");
  return P256Key(std::move(owned), std::move(public_bytes));
}

absl::StatusOr<P256Key> P256Key::Generate() {
  EVP_PKEY* key = EVP_EC_gen(kCurve);
  if (key == nullptr) return Failed(absl::StatusCode::kInternal, "no key could be generated");
  return Adopt(key);
}

absl::StatusOr<P256Key> P256Key::FromPrivate(std::string_view bytes) {
  const auto refuse = [] {
    return Failed(absl::StatusCode::kInvalidArgument, "not a private key of the curve P-256");
  };
  if (bytes.size() != kPrivateBytes) return refuse();
  const Number number(BN_bin2bn(Bytes(bytes), static_cast<int>(bytes.size()), nullptr));
  const Group group(EC_GROUP_new_by_curve_name(NID_X9_62_prime256v1));
  if (BN_is_zero(number.get()) || BN_cmp(number.get(), EC_GROUP_get0_order(group.get())) >= 0)
    return refuse();
  const Point point(EC_POINT_new(group.get()));
  std::string public_bytes(kPublicBytes, '\0');
  if (EC_POINT_mul(group.get(), point.get(), number.get(), nullptr, nullptr, nullptr) != 1 ||
      EC_POINT_point2oct(group.get(), point.get(), POINT_CONVERSION_UNCOMPRESSED,
                         Bytes(public_bytes), public_bytes.size(), nullptr) != kPublicBytes)
    return refuse();
  EVP_PKEY* key = MakeKey(public_bytes, number.get());
  return key == nullptr ? refuse() : Adopt(key);
}

absl::StatusOr<P256Key> P256Key::FromPem(const std::string& pem) {
  const Memory memory(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  // An empty password instead of the default, which would ask on the terminal.
  char no_password[] = "";
  Pkey key(PEM_read_bio_PrivateKey(memory.get(), nullptr, nullptr, no_password));
  char curve[32] = "";
  if (key == nullptr || EVP_PKEY_get_group_name(key.get(), curve, sizeof(curve), nullptr) != 1 ||
      std::string_view(curve) != kCurve)
    return Failed(absl::StatusCode::kInvalidArgument,
                  "not a private key of the curve P-256 in PEM, not encrypted");
  return Adopt(key.release());
}

absl::StatusOr<std::string> P256Key::SharedSecret(std::string_view peer_public) const {
  const bool uncompressed = peer_public.size() == kPublicBytes && peer_public[0] == '\x04';
  const Pkey peer(uncompressed ? MakeKey(peer_public, nullptr) : nullptr);
  const PkeyContext context(EVP_PKEY_CTX_new(key_.get(), nullptr));
  std::string secret(32, '\0');
  std::size_t size = secret.size();
  if (peer == nullptr || EVP_PKEY_derive_init(context.get()) != 1 ||
      EVP_PKEY_derive_set_peer(context.get(), peer.get()) != 1 ||
      EVP_PKEY_derive(context.get(), Bytes(secret), &size) != 1 || size != secret.size())
    return Failed(absl::StatusCode::kInvalidArgument, "not a public key of the curve P-256");
  return secret;
}

absl::StatusOr<std::string> P256Key::Sign(std::string_view text) const {
  constexpr std::size_t kHalf = 32;
  const DigestContext context(EVP_MD_CTX_new());
  std::string der(static_cast<std::size_t>(EVP_PKEY_get_size(key_.get())), '\0');
  std::size_t size = der.size();
  if (EVP_DigestSignInit(context.get(), nullptr, EVP_sha256(), nullptr, key_.get()) != 1 ||
      EVP_DigestSign(context.get(), Bytes(der), &size, Bytes(text), text.size()) != 1)
    return Failed(absl::StatusCode::kInternal, "the signature could not be made");
  const unsigned char* begin = Bytes(der);
  const Signature parsed(d2i_ECDSA_SIG(nullptr, &begin, static_cast<long>(size)));
  std::string signature(2 * kHalf, '\0');
  if (parsed == nullptr ||
      BN_bn2binpad(ECDSA_SIG_get0_r(parsed.get()), Bytes(signature), kHalf) != kHalf ||
      BN_bn2binpad(ECDSA_SIG_get0_s(parsed.get()), Bytes(signature) + kHalf, kHalf) != kHalf)
    return Failed(absl::StatusCode::kInternal, "the signature could not be read");
  return signature;
}

}  // namespace todo::notify

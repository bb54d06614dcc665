#include "edge/tls_keeper.h"

#include <fmt/format.h>
#include <openssl/ssl.h>

#include <sys/stat.h>

#include <boost/asio/ssl/context.hpp>
#include <string_view>
#include <utility>

#include "util/log.h"
#include "util/status.h"

namespace todo::edge {
namespace {

namespace ssl = boost::asio::ssl;
using boost::system::error_code;

constexpr std::string_view kProtocol = "\x08http/1.1";

/// Chooses HTTP/1.1 among the protocols that the client offers.
int ChooseProtocol(SSL*, const unsigned char** out, unsigned char* out_length,
                   const unsigned char* offered, unsigned int offered_length, void*) {
  unsigned char* chosen = nullptr;
  const int result = SSL_select_next_proto(
      &chosen, out_length, reinterpret_cast<const unsigned char*>(kProtocol.data()),
      static_cast<unsigned int>(kProtocol.size()), offered, offered_length);
  *out = chosen;
  return result == OPENSSL_NPN_NEGOTIATED ? SSL_TLSEXT_ERR_OK : SSL_TLSEXT_ERR_ALERT_FATAL;
}

absl::Status Unusable(std::string_view setting, const std::string& file, const error_code& error) {
  return util::MakeStatus(absl::StatusCode::kInvalidArgument,
                          fmt::format("{}: {} cannot be used: {}", setting, file, error.message()));
}

absl::Status Configure(ssl::context& context, const TlsFiles& files) {
  error_code error;
  context.set_options(ssl::context::default_workarounds | ssl::context::no_compression, error);
  SSL_CTX_set_min_proto_version(context.native_handle(), TLS1_2_VERSION);
  // A client must not make the server compute one handshake after another.
  SSL_CTX_set_options(context.native_handle(),
                      SSL_OP_NO_RENEGOTIATION | SSL_OP_CIPHER_SERVER_PREFERENCE);
  SSL_CTX_set_mode(context.native_handle(), SSL_MODE_RELEASE_BUFFERS);
  SSL_CTX_set_alpn_select_cb(context.native_handle(), ChooseProtocol, nullptr);
  if (context.use_certificate_chain_file(files.certificate, error); error)
    return Unusable("--tls-cert", files.certificate, error);
  if (context.use_private_key_file(files.key, ssl::context::pem, error); error)
    return Unusable("--tls-key", files.key, error);
  if (files.client_ca.empty()) return absl::OkStatus();
  if (context.load_verify_file(files.client_ca, error); error)
    return Unusable("--tls-client-ca", files.client_ca, error);
  context.set_verify_mode(ssl::verify_peer | ssl::verify_fail_if_no_peer_cert, error);
  // Sessions are not resumed: a resumed one would skip the look at the client's certificate.
  SSL_CTX_set_session_cache_mode(context.native_handle(), SSL_SESS_CACHE_OFF);
  SSL_CTX_set_options(context.native_handle(), SSL_OP_NO_TICKET);
  return absl::OkStatus();
}

}  // namespace

absl::Status TlsKeeper::Load() {
  stamp_ = Stamp();
  auto context = std::make_shared<ssl::context>(ssl::context::tls_server);
  const absl::Status status = Configure(*context, files_);
  if (status.ok()) context_ = std::move(context);
  return status;
}

void TlsKeeper::Refresh() {
  if (Stamp() == stamp_) return;
  const absl::Status status = Load();
  if (status.ok()) {
    util::Log(util::Severity::kInfo, "tls_files_loaded", {{"certificate", files_.certificate}});
  } else {
    util::Log(util::Severity::kError, "tls_files_unusable", {{"status", status.ToString()}});
  }
}

std::string TlsKeeper::Stamp() const {
  std::string stamp;
  for (const std::string* file : {&files_.certificate, &files_.key, &files_.client_ca}) {
    struct stat facts {};
    if (file->empty() || stat(file->c_str(), &facts) != 0) {
      stamp += "-;";
    } else {
      stamp += fmt::format("{}.{}.{}.{};", facts.st_mtim.tv_sec, facts.st_mtim.tv_nsec,
                           facts.st_ino, facts.st_size);
    }
  }
  return stamp;
}

}  // namespace todo::edge

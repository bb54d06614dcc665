#pragma once

#include <memory>
#include <string>

#include "absl/status/status.h"
#include "edge/tls_files.h"

namespace boost::asio::ssl {
class context;
}

namespace todo::edge {

/// Keeps the certificate and the key of a server, and reads their files again when they change.
/// TLS 1.2 and newer; HTTP/1.1 by ALPN. Thread safety: none.
class TlsKeeper {
 public:
  explicit TlsKeeper(TlsFiles files) : files_(std::move(files)) {}

  /// kInvalidArgument: a file cannot be used; the text says which one and why.
  absl::Status Load();
  /// Reads the files again if one of them has changed since the last attempt. Files that cannot be
  /// used are logged, and what was loaded before stays.
  void Refresh();

  /// For new connections; those that exist keep theirs.
  const std::shared_ptr<boost::asio::ssl::context>& context() const { return context_; }

 private:
  std::string Stamp() const;

  const TlsFiles files_;
  std::string stamp_;  // of the files at the last attempt
  std::shared_ptr<boost::asio::ssl::context> context_;
};

}  // namespace todo::edge

#pragma once

#include <string>

namespace todo::edge {

/// PEM files.
struct TlsFiles {
  std::string certificate;     // with its chain
  std::string key;             // of the certificate
  std::string client_ca = {};  // empty: clients need no certificate
};

}  // namespace todo::edge

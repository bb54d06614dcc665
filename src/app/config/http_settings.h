#pragma once

#include <string>

namespace todo::app {

/// The settings of the two HTTP ports, and of TLS. The table of settings (config/table.cc) says
/// what each one means.
struct HttpSettings {
  std::string web_address;  // default: 127.0.0.1 with dev_identity, else 0.0.0.0
  int web_port = 8080;
  int web_max_connections = 4'000;
  int web_max_connections_per_peer = 0;  // 0: no such bound
  std::string web_allowed_origins;       // separated by commas
  std::string ops_address;               // default: as web_address
  int ops_port = 8081;

  // PEM files; empty: in the clear.
  std::string tls_cert;
  std::string tls_key;
  std::string tls_client_ca;
};

}  // namespace todo::app

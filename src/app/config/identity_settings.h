#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "auth/claims.h"

namespace todo::app {

/// One issuer of tokens, as the operator describes it.
struct IssuerDescription {
  std::string name;
  auth::ClaimRules rules;
  // The place of its keys: at most one of the three is not empty. None: the issuer itself says the
  // place (OpenID Connect Discovery).
  std::string jwks_file;
  std::string jwks_url;
  std::string secret_entry;
  std::string rsa_algorithm;
};

/// The settings of tokens: who calls, and how the page gets a token. Without an issuer there are no
/// tokens. The table of settings (config/table.cc) says what each one means.
struct IdentitySettings {
  std::string auth_issuer;
  std::string auth_audience = "todo-service";  // separated by commas
  std::string auth_jwks_file;
  std::string auth_jwks_url;
  std::string auth_secret_entry;
  std::string auth_issuers_file;
  std::string auth_ca_file;
  std::string auth_rsa_algorithm;
  std::string auth_user_claim = "sub";
  std::string auth_operator_claim = "roles";
  std::string auth_operator_values = "todo-operator";  // separated by commas
  std::string auth_required_claims;                    // name=value, separated by commas
  std::chrono::milliseconds auth_clock_skew{60'000};
  std::chrono::milliseconds auth_refresh{600'000};

  // Sign-in of the page with OpenID Connect; without a client id there is none.
  std::string oidc_client_id;
  std::string oidc_issuer;                                    // default: the only issuer of tokens
  std::string oidc_scopes = "openid profile offline_access";  // separated by spaces
  std::string oidc_origins;                                   // separated by commas
  std::string oidc_parameters;                                // name=value, separated by spaces

  /// What the settings above and the issuers file say together (app/issuer_list.h).
  std::vector<IssuerDescription> issuers;
};

}  // namespace todo::app

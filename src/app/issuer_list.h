#pragma once

#include <string>
#include <vector>

#include "app/config/identity_settings.h"
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

struct IssuerList {
  std::vector<IssuerDescription> issuers;
  /// Every mistake, one sentence each. If there is any, do not use `issuers`.
  std::vector<std::string> faults;
};

/// The issuer that the flags describe, or the issuers of `auth_issuers_file`, where every flag is
/// the default of an entry. No issuers: none is configured. Reads the file, if there is one; does
/// not ask any issuer.
IssuerList DescribeIssuers(const IdentitySettings& settings);

/// Every mistake in the settings of tokens, one sentence each.
std::vector<std::string> IdentityFaults(const IdentitySettings& settings, bool dev_identity);

}  // namespace todo::app

#pragma once

#include <string>
#include <vector>

#include "app/config/identity_settings.h"

namespace todo::app {

struct IssuerList {
  std::vector<IssuerDescription> issuers;
  /// Every mistake, one sentence each. If there is any, do not use `issuers`.
  std::vector<std::string> faults;
};

/// The issuer that the flags describe, or the issuers of `auth_issuers_file`, where every flag is
/// the default of an entry. No issuers: none is configured. Reads the file, if there is one; does
/// not ask any issuer.
IssuerList DescribeIssuers(const IdentitySettings& settings);

/// Sets `settings.issuers`. Returns every mistake in the settings of tokens, one sentence each.
std::vector<std::string> TakeIssuers(IdentitySettings& settings, bool dev_identity);

}  // namespace todo::app

#include "app/identity_setup.h"

#include <algorithm>
#include <chrono>
#include <optional>
#include <utility>

#include "auth/development_authenticator.h"
#include "auth/key_sources.h"
#include "auth/refusing_authenticator.h"
#include "auth/token_authenticator.h"
#include "net/http_client.h"

namespace todo::app {
namespace {

using std::chrono::milliseconds;
using namespace std::chrono_literals;

/// How often a file with keys is looked at: reading it is cheap.
constexpr milliseconds kFileRefresh = 5s;

auth::IssuerKeys::Options KeyOptions(const IssuerDescription& issuer, milliseconds refresh,
                                     ports::SecretStore& secrets, const auth::Fetch& fetch) {
  auth::IssuerKeys::Options options{
      .issuer = issuer.name, .read = {}, .rsa_algorithm = issuer.rsa_algorithm, .refresh = refresh};
  if (!issuer.jwks_file.empty()) {
    options.read = auth::KeysInFile(issuer.jwks_file);
    options.refresh = std::min(refresh, kFileRefresh);
  } else if (!issuer.secret_entry.empty()) {
    options.read = auth::KeysInSecret(secrets, issuer.secret_entry);
    options.secrets = auth::KeySet::SharedSecrets::kAllowed;
  } else if (!issuer.jwks_url.empty()) {
    options.read = auth::KeysAtUrl(fetch, issuer.jwks_url);
  } else {
    options.read = auth::KeysOfIssuer(fetch, issuer.name);
  }
  return options;
}

}  // namespace

IdentitySetup SetUpIdentity(const Config& config, ports::SecretStore& secrets,
                            const ports::Clock& clock) {
  IdentitySetup setup;
  if (config.dev_identity) {
    setup.authenticator = std::make_unique<auth::DevelopmentAuthenticator>();
    return setup;
  }
  if (config.issuers.empty()) {
    setup.authenticator = std::make_unique<auth::RefusingAuthenticator>();
    return setup;
  }
  // The URLs are the operator's own, so there is no guard.
  const auth::Fetch fetch = auth::FetchOver(std::make_shared<const net::HttpClient>(
      net::HttpClient::Options{.guard = std::nullopt, .ca_file = config.auth_ca_file}));
  std::vector<auth::TokenIssuer> issuers;
  for (const IssuerDescription& issuer : config.issuers) {
    setup.keys.push_back(std::make_shared<auth::IssuerKeys>(
        KeyOptions(issuer, config.auth_refresh, secrets, fetch)));
    issuers.push_back({.name = issuer.name, .rules = issuer.rules, .keys = setup.keys.back()});
  }
  setup.authenticator = std::make_unique<auth::TokenAuthenticator>(std::move(issuers), clock);
  return setup;
}

}  // namespace todo::app

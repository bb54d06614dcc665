#pragma once

#include <memory>
#include <vector>

#include "app/config/config.h"
#include "auth/issuer_keys.h"
#include "ports/authenticator.h"
#include "ports/clock.h"
#include "ports/secret_store.h"

namespace todo::app {

/// How callers prove who they are.
struct IdentitySetup {
  std::unique_ptr<ports::Authenticator> authenticator;
  /// Each needs a thread that runs it, until then no token of its issuer counts.
  std::vector<std::shared_ptr<auth::IssuerKeys>> keys;
};

/// What the settings ask for: tokens, or --dev-identity, or else an authenticator that refuses
/// every call and says how to change that. Does not block. `secrets` and `clock` must outlive the
/// result. Precondition: the settings have no faults.
IdentitySetup SetUpIdentity(const Config& config, ports::SecretStore& secrets,
                            const ports::Clock& clock);

}  // namespace todo::app

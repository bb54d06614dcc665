#pragma once

#include <map>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "ports/secret_store.h"

namespace todo::support {

/// Holds the secrets that the test puts in. Thread safety: none.
class FakeSecretStore final : public ports::SecretStore {
 public:
  absl::StatusOr<std::string> Get(const std::string& name) override {
    if (!failure.ok()) return failure;
    if (away == name) return absl::UnavailableError("the secret store is away");
    const auto found = values.find(name);
    if (found == values.end()) return absl::NotFoundError("no such secret");
    return found->second;
  }

  std::map<std::string, std::string> values;
  absl::Status failure;  // of every secret
  std::string away;      // the secret that cannot be read
};

}  // namespace todo::support

#pragma once

#include <optional>
#include <string>
#include <vector>

#include "app/config/config.h"
#include "ports/clock.h"
#include "ports/secret_store.h"
#include "service/notifications/channel_set.h"

namespace todo::app {

/// Sets the channels as settings and secrets allow, also when a secret comes later.
/// Thread safety: used by one thread.
class ChannelWatch {
 public:
  enum class Again {
    kSoon,   // the secret store does not answer
    kLater,  // a channel is off for want of a secret
    kNever,
  };

  /// All must outlive the watch.
  ChannelWatch(const Config& config, ports::SecretStore& secrets, const ports::Clock& clock,
               service::ChannelSet& channels)
      : config_(config), secrets_(secrets), clock_(clock), channels_(channels) {}

  /// Asks the secret store once. Says when to ask again, and logs what is new. A store that does
  /// not answer changes nothing: what was not known stays so.
  Again Look();

 private:
  const Config& config_;
  ports::SecretStore& secrets_;
  const ports::Clock& clock_;
  service::ChannelSet& channels_;
  std::optional<std::vector<std::string>> on_;  // as it was set
  std::string failure_;                         // that was logged last
};

}  // namespace todo::app

#pragma once

#include <functional>
#include <stop_token>

namespace todo::app {

/// When to look at the secret store again.
enum class Again {
  kSoon,   // it does not answer, or what it has is unfit
  kLater,  // it may change
  kNever,  // nothing can change any more
};

/// Calls `look` until it answers kNever, or until `stop`: after kSoon with pauses that grow from
/// 0.1 to 5 seconds, after kLater once a minute. Blocks.
void PollSecrets(const std::stop_token& stop, const std::function<Again()>& look);

}  // namespace todo::app

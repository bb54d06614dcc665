#pragma once

#include <chrono>
#include <functional>

namespace todo::util {

/// When work for a caller has become useless. The default: never.
struct Cancellation {
  /// Whether the caller has gone. May be called from any thread; must not block. Empty: the caller
  /// stays.
  std::function<bool()> requested;
  /// The caller waits until then.
  std::chrono::steady_clock::time_point deadline = std::chrono::steady_clock::time_point::max();
};

}  // namespace todo::util

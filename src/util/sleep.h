#pragma once

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <stop_token>

namespace todo::util {

/// Waits for `duration`, or until `stop` is requested. False: stop was requested.
/// A wait that new work may end early is Bell::Wait (util/bell.h).
inline bool SleepFor(const std::stop_token& stop, std::chrono::steady_clock::duration duration) {
  std::mutex mutex;
  std::condition_variable_any never_notified;
  std::unique_lock lock(mutex);
  never_notified.wait_for(lock, stop, duration, [] { return false; });
  return !stop.stop_requested();
}

}  // namespace todo::util

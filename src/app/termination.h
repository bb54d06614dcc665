#pragma once

#include <chrono>

namespace todo::app {

/// Receives SIGTERM and SIGINT without signal handlers: the signals are blocked in every thread and
/// read by Wait. There is one instance, made by main before the first thread starts.
class Termination {
 public:
  /// Blocks the signals in this thread, and so in all threads that it starts. Ignores SIGPIPE.
  Termination();

  /// Blocks until the first signal; returns its number.
  int Wait();

  /// Makes Wait return. May be called from any thread.
  static void Request();

  /// From now on, a further signal ends the process at once with `exit_code`; so does the end of
  /// `limit`.
  void EnforceWithin(std::chrono::milliseconds limit, int exit_code);
};

}  // namespace todo::app

#pragma once

#include <chrono>

namespace todo::app {

/// SIGTERM and SIGINT without signal handlers: blocked in every thread, taken by whoever asks.
/// One instance, made by main before the first thread starts.
class Termination {
 public:
  /// Blocks the signals in this thread and so in all that it starts, and ignores SIGPIPE.
  Termination();

  /// Waits for the first signal; answers its number.
  int Wait();

  /// Makes Wait return; from any thread.
  static void Request();

  /// From now on a further signal, or the end of `limit`, ends the process at once with
  /// `exit_code`.
  void EnforceWithin(std::chrono::milliseconds limit, int exit_code);
};

}  // namespace todo::app

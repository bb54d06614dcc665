#pragma once

#include <cstdint>

namespace todo::app {

/// What the process uses of the machine. A figure that the machine does not tell is zero.
struct ProcessStats {
  double cpu_seconds = 0;  // of all threads, in user and system mode
  std::int64_t resident_bytes = 0;
  std::int64_t virtual_bytes = 0;
  std::int64_t open_descriptors = 0;
  std::int64_t max_descriptors = 0;  // the soft limit
  std::int64_t threads = 0;
  double started_at = 0;  // seconds since 1970, by the machine's clock
};

/// Reads /proc/self, in some tens of microseconds. Thread safety: may be called from any thread.
ProcessStats ReadProcessStats();

}  // namespace todo::app

#pragma once

#include <cstdint>

namespace todo::store {

/// Counters of a MutationQueue since the start, and a gauge.
struct MutationQueueStats {
  std::int64_t batch_count = 0;
  std::int64_t batched_count = 0;  // mutations that a batch answered
  std::int64_t alone_count = 0;    // mutations that their own statement answered
  std::int64_t waiting_count = 0;  // now
};

}  // namespace todo::store

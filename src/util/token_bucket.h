#pragma once

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdint>

namespace todo::util {

/// Allows `per_second` units, and a burst of `burst` units after a quiet time.
/// Thread safety: none.
class TokenBucket {
 public:
  TokenBucket(double per_second, double burst)
      : per_second_(per_second), burst_(burst), tokens_(burst) {}

  /// Zero: the units are taken (more than a burst count as one). Else nothing is taken, and the
  /// time after which a further try succeeds.
  std::chrono::milliseconds Take(double units, std::chrono::steady_clock::time_point now) {
    const std::chrono::duration<double> passed = now - refilled_;
    tokens_ = std::min(tokens_ + passed.count() * per_second_, burst_);
    refilled_ = now;
    const double missing = std::min(units, burst_) - tokens_;
    if (missing > 0) {
      const double wait = std::ceil(missing / per_second_ * 1'000);
      return std::chrono::milliseconds(static_cast<std::int64_t>(wait) + 1);
    }
    tokens_ -= std::min(units, burst_);
    return std::chrono::milliseconds(0);
  }

 private:
  const double per_second_;
  const double burst_;
  double tokens_;
  std::chrono::steady_clock::time_point refilled_{};
};

}  // namespace todo::util

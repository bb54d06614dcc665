#pragma once

#include <algorithm>
#include <chrono>

namespace todo::util {

/// The waits between attempts: `first`, doubled after each failure up to `last`.
/// Thread safety: none; each loop has its own.
class Backoff {
 public:
  using Duration = std::chrono::milliseconds;

  constexpr Backoff(Duration first, Duration last) : first_(first), last_(last), next_(first) {}

  /// How long to wait after this failure.
  Duration Next() {
    const Duration wait = next_;
    next_ = std::min(next_ * 2, last_);
    return wait;
  }
  /// The failure after a success waits `first` again.
  void Reset() { next_ = first_; }

 private:
  Duration first_;
  Duration last_;
  Duration next_;
};

}  // namespace todo::util

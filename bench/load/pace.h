#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <optional>

namespace todo::bench {

/// When calls begin. In the closed loop (rate 0) a caller begins the next call at once. In the open
/// loop the calls have fixed times, and a call that found no free caller at its time is late by
/// that: its time counts from the intended start, so a server that stalls cannot hide the calls
/// that waited. Thread safety: all methods may be called from many threads at once.
class Pace {
 public:
  using Clock = std::chrono::steady_clock;

  Pace(double rate, double seconds)
      : rate_(rate),
        length_(
            std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(seconds))) {}

  void Begin() { begin_ = Clock::now(); }
  Clock::time_point begin() const { return begin_; }

  /// The intended start of the next call, which may lie in the future; nullopt: the time is over.
  std::optional<Clock::time_point> Next() {
    const Clock::time_point end = begin_ + length_;
    if (rate_ == 0) {
      const Clock::time_point now = Clock::now();
      return now < end ? std::optional(now) : std::nullopt;
    }
    const double at = static_cast<double>(next_++) / rate_;
    const Clock::time_point due =
        begin_ + std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(at));
    return due < end ? std::optional(due) : std::nullopt;
  }

 private:
  const double rate_;
  const Clock::duration length_;
  Clock::time_point begin_;
  std::atomic<std::int64_t> next_{0};
};

}  // namespace todo::bench

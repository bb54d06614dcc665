#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

namespace todo::util {

/// The counts of a histogram at one moment.
struct HistogramValues {
  std::span<const double> bounds;  // seconds, ascending
  /// Not cumulative: the number of times up to each bound and above the one before. One count more
  /// than bounds: the last one is of times above all bounds.
  std::vector<std::uint64_t> counts;
  double sum_seconds = 0;

  std::uint64_t count() const;
};

/// How long something took, counted since the start.
/// Thread safety: all methods may be called from many threads at once. Note takes some nanoseconds,
/// and no lock.
class Histogram {
 public:
  /// A time that is longer adds no more than this to the sum, so that one wrong date does not hide
  /// all others.
  static constexpr std::chrono::hours kLongest{24};

  /// `bounds`: seconds, ascending, of static duration.
  explicit Histogram(std::span<const double> bounds);

  /// A time below zero, which two clocks that differ can show, counts as zero.
  void Note(std::chrono::microseconds time);

  HistogramValues Read() const;

 private:
  using Count = std::atomic<std::uint64_t>;

  const std::span<const double> bounds_;
  const std::unique_ptr<Count[]> counts_;  // NOLINT(modernize-avoid-c-arrays): atomics do not move
  Count sum_us_ = 0;
};

}  // namespace todo::util

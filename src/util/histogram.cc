#include "util/histogram.h"

#include <algorithm>
#include <cstddef>
#include <numeric>

namespace todo::util {

std::uint64_t HistogramValues::count() const {
  return std::accumulate(counts.begin(), counts.end(), std::uint64_t{0});
}

Histogram::Histogram(std::span<const double> bounds)
    : bounds_(bounds),
      counts_(std::make_unique<Count[]>(bounds.size() + 1)) {}  // NOLINT(modernize-avoid-c-arrays)

void Histogram::Note(std::chrono::microseconds time) {
  time = std::clamp<std::chrono::microseconds>(time, std::chrono::microseconds::zero(), kLongest);
  const double seconds = std::chrono::duration<double>(time).count();
  const auto bucket = std::ranges::lower_bound(bounds_, seconds) - bounds_.begin();
  counts_[static_cast<std::size_t>(bucket)].fetch_add(1, std::memory_order_relaxed);
  sum_us_.fetch_add(static_cast<std::uint64_t>(time.count()), std::memory_order_relaxed);
}

HistogramValues Histogram::Read() const {
  constexpr double kMicrosecondsPerSecond = 1e6;
  HistogramValues values{.bounds = bounds_, .counts = {}, .sum_seconds = 0};
  for (std::size_t i = 0; i <= bounds_.size(); ++i)
    values.counts.push_back(counts_[i].load(std::memory_order_relaxed));
  values.sum_seconds =
      static_cast<double>(sum_us_.load(std::memory_order_relaxed)) / kMicrosecondsPerSecond;
  return values;
}

}  // namespace todo::util

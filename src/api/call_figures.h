#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <map>
#include <memory>

#include "absl/status/status.h"
#include "util/histogram.h"

namespace todo::api {

/// How the calls of one method ended, and how long they took, since the start.
/// Thread safety: all methods may be called from many threads at once, and do not block.
class CallFigures {
 public:
  CallFigures();

  /// A call ended with `code` after `time`.
  void Note(absl::StatusCode code, std::chrono::microseconds time);

  /// By code; without the codes with which no call has ended.
  std::map<absl::StatusCode, util::HistogramValues> Read() const;

 private:
  static constexpr std::size_t kCodes = 17;

  std::array<std::unique_ptr<util::Histogram>, kCodes> by_code_;
};

/// Measures one call of the method with `figures`, from now to the first call of Stop. For a stream
/// that is the time until the stream is open. nullptr: measures nothing.
/// Thread safety: Stop may be called from many threads at once; a move comes before them.
class CallTimer {
 public:
  explicit CallTimer(std::shared_ptr<CallFigures> figures)
      : figures_(std::move(figures)), begin_(std::chrono::steady_clock::now()) {}
  CallTimer(CallTimer&& other) noexcept
      : figures_(std::move(other.figures_)),
        begin_(other.begin_),
        stopped_(other.stopped_.exchange(true)) {}
  CallTimer& operator=(CallTimer&&) = delete;
  ~CallTimer() = default;

  void Stop(absl::StatusCode code);

 private:
  std::shared_ptr<CallFigures> figures_;
  const std::chrono::steady_clock::time_point begin_;
  std::atomic<bool> stopped_ = false;
};

}  // namespace todo::api

#include "app/retry_runner.h"

#include <algorithm>
#include <chrono>

#include "util/log.h"

namespace todo::app {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr int kAtOnce = 20;
// Other replicas park too, and may die: their entries are found by looking.
constexpr milliseconds kPoll{1'000};
constexpr milliseconds kAfterFailure{500};

}  // namespace

RetryRunner::RetryRunner(service::EventProcessor& processor, const ports::Clock& clock,
                         int thread_count)
    : processor_(processor), clock_(clock) {
  for (int i = 0; i < thread_count; ++i) {
    threads_.emplace_back([this](const std::stop_token& stop) { Run(stop); });
  }
}

RetryRunner::~RetryRunner() {
  for (std::jthread& thread : threads_) thread.request_stop();
}

void RetryRunner::Wake(domain::Instant due) {
  {
    const std::lock_guard lock(mutex_);
    next_due_ = std::min(next_due_, When(due));
  }
  wake_.notify_all();
}

void RetryRunner::Run(const std::stop_token& stop) {
  while (!stop.stop_requested()) {
    {
      const std::lock_guard lock(mutex_);
      next_due_ = steady_clock::time_point::max();
    }
    const auto next = processor_.RunDueRetries(kAtOnce);
    auto come_again = steady_clock::now() + (next.ok() ? kPoll : kAfterFailure);
    if (next.ok() && *next) come_again = std::min(come_again, When(**next));
    std::unique_lock lock(mutex_);
    while (!stop.stop_requested()) {
      const auto until = std::min(come_again, next_due_);
      if (until <= steady_clock::now()) break;
      wake_.wait_until(lock, stop, until, [&, seen = next_due_] { return next_due_ < seen; });
    }
  }
}

steady_clock::time_point RetryRunner::When(domain::Instant due) const {
  const auto left = std::clamp<domain::Instant::duration>(due - clock_.Now(), kPoll * 0, kPoll);
  return steady_clock::now() + left;
}

}  // namespace todo::app

#include "app/delivery_runner.h"

#include <chrono>
#include <memory>
#include <utility>

#include "util/log.h"

namespace todo::app {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kAfterFailure{1'000};

}  // namespace

DeliveryRunner::DeliveryRunner(service::DeliverySender& sender, ports::Pace pace, int worker_count,
                               milliseconds poll)
    : sender_(sender),
      pace_(pace),
      poll_(poll),
      free_(worker_count),
      workers_(static_cast<std::size_t>(worker_count), static_cast<std::size_t>(worker_count)),
      looker_([this](const std::stop_token& stop) { Run(stop); }) {}

DeliveryRunner::~DeliveryRunner() {
  looker_.request_stop();
  looker_.join();
}

void DeliveryRunner::Run(const std::stop_token& stop) {
  while (!stop.stop_requested()) {
    std::uint64_t seen = 0;
    {
      // Only what can be sent at once is taken: a lane that waits here waits for nothing.
      std::unique_lock lock(mutex_);
      if (!changed_.wait(lock, stop, [this] { return free_ > 0; })) return;
      --free_;
      seen = done_;
    }
    auto leased = sender_.Lease(pace_);
    if (leased.ok() && leased->has_value()) {
      const auto lane = std::make_shared<const ports::LeasedLane>(*std::move(*leased));
      const bool accepted = workers_.TrySubmit([this, lane] {
        if (const absl::Status status = sender_.Send(*lane); !status.ok()) {
          util::Log(util::Severity::kWarning, "delivery_not_recorded",
                    {{"target", lane->lane.target.value()}, {"status", status.ToString()}});
        }
        {
          const std::lock_guard lock(mutex_);
          ++free_;
          ++done_;
        }
        changed_.notify_all();
      });
      if (accepted) continue;
    }
    std::unique_lock lock(mutex_);
    ++free_;
    // An attempt that is done may have been what kept others of its user or host waiting.
    if (leased.ok()) {
      changed_.wait_for(lock, stop, poll_, [&] { return done_ != seen; });
    } else {
      changed_.wait_for(lock, stop, kAfterFailure, [] { return false; });
    }
  }
}

}  // namespace todo::app

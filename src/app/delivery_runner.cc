#include "app/delivery_runner.h"

#include <chrono>
#include <memory>
#include <utility>

#include "util/log.h"

namespace todo::app {
namespace {

using std::chrono::milliseconds;

// Nobody announces what is due: retries come by time, and other replicas queue too.
constexpr milliseconds kPoll{250};
constexpr milliseconds kAfterFailure{1'000};

}  // namespace

DeliveryRunner::DeliveryRunner(service::DeliverySender& sender, bool patient, int worker_count)
    : sender_(sender),
      patient_(patient),
      free_(worker_count),
      workers_(static_cast<std::size_t>(worker_count), static_cast<std::size_t>(worker_count)),
      looker_([this](const std::stop_token& stop) { Run(stop); }) {}

DeliveryRunner::~DeliveryRunner() {
  looker_.request_stop();
  looker_.join();
}

void DeliveryRunner::Run(const std::stop_token& stop) {
  while (!stop.stop_requested()) {
    {
      // Only what can be sent at once is taken: a lane that waits here waits for nothing.
      std::unique_lock lock(mutex_);
      if (!changed_.wait(lock, stop, [this] { return free_ > 0; })) return;
      --free_;
    }
    const auto give_back = [this] {
      {
        const std::lock_guard lock(mutex_);
        ++free_;
      }
      changed_.notify_all();
    };
    auto leased = sender_.Lease(patient_);
    if (leased.ok() && leased->has_value()) {
      const auto lane = std::make_shared<const ports::LeasedLane>(*std::move(*leased));
      const bool accepted = workers_.TrySubmit([this, lane, give_back] {
        if (const absl::Status status = sender_.Send(*lane); !status.ok()) {
          util::Log(util::Severity::kWarning, "delivery_not_recorded",
                    {{"target", lane->lane.target.value()}, {"status", status.ToString()}});
        }
        give_back();
      });
      if (accepted) continue;
    }
    give_back();
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, stop, leased.ok() ? kPoll : kAfterFailure, [] { return false; });
  }
}

}  // namespace todo::app

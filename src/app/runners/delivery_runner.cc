#include "app/runners/delivery_runner.h"

#include <algorithm>
#include <chrono>
#include <memory>
#include <optional>
#include <utility>

#include "util/log.h"
#include "util/require.h"

namespace todo::app {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;

constexpr milliseconds kAfterFailure{1'000};
/// Least pause between two looks that find nothing.
constexpr milliseconds kBreath{20};
/// A lane that waits for other lanes of its user or host may wait for a lane of another replica,
/// whose end rings no bell here.
constexpr milliseconds kAfterCrowd{250};

}  // namespace

DeliveryRunner::DeliveryRunner(service::DeliverySender& sender, ports::Pace pace, int worker_count,
                               util::Bell& bell, milliseconds net)
    : sender_(sender),
      pace_(pace),
      bell_(bell),
      net_(net),
      free_(worker_count),
      workers_(static_cast<std::size_t>(worker_count), static_cast<std::size_t>(worker_count)) {
  TODO_REQUIRE(worker_count > 0);
}

void DeliveryRunner::Start() {
  looker_ = std::jthread([this](const std::stop_token& stop) { Run(stop); });
}

void DeliveryRunner::Stop() {
  looker_ = {};
  workers_.Shutdown(std::chrono::steady_clock::time_point::max());
}

void DeliveryRunner::Run(const std::stop_token& stop) {
  bool crowded = false;
  while (!stop.stop_requested()) {
    {
      // A lane is leased only when a worker is idle: it would wait here although another replica
      // could send it.
      std::unique_lock lock(mutex_);
      if (!freed_.wait(lock, stop, [this] { return free_ > 0; })) return;
    }
    const std::uint64_t heard = bell_.rings();
    const absl::StatusOr<bool> taken = TakeOne();
    if (taken.ok() && *taken) {
      crowded = false;
      continue;
    }
    using Wait = absl::StatusOr<std::optional<microseconds>>;
    const Wait next = taken.ok() ? sender_.UntilNextTurn(pace_) : Wait(taken.status());
    if (!next.ok()) {
      bell_.Wait(stop, heard, kAfterFailure, kAfterFailure);
      continue;
    }
    microseconds wait = std::min<microseconds>(next->value_or(net_), net_);
    if (wait > microseconds::zero()) {
      crowded = false;
    } else if (std::exchange(crowded, true)) {  // the first time it may just have become due
      wait = kAfterCrowd;
    }
    bell_.Wait(stop, heard, wait, std::min<microseconds>(wait, kBreath));
  }
}

absl::StatusOr<bool> DeliveryRunner::TakeOne() {
  auto leased = sender_.Lease(pace_);
  if (!leased.ok()) return leased.status();
  if (!leased->has_value()) return false;
  const auto lane = std::make_shared<const ports::LeasedLane>(*std::move(*leased));
  {
    const std::lock_guard lock(mutex_);
    --free_;
  }
  const bool accepted = workers_.TrySubmit([this, lane] {
    if (const absl::Status status = sender_.Send(*lane); !status.ok()) {
      util::Log(util::Severity::kWarning, "delivery_not_recorded",
                {{"endpoint", lane->lane.endpoint.value()}, {"status", status.ToString()}});
    }
    {
      const std::lock_guard lock(mutex_);
      ++free_;
    }
    freed_.notify_all();
    bell_.Ring();
  });
  if (accepted) return true;
  const std::lock_guard lock(mutex_);
  ++free_;
  return false;
}

}  // namespace todo::app

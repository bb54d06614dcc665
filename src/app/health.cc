#include "app/health.h"

#include <cstdint>
#include <string_view>
#include <utility>

#include "util/log.h"
#include "util/status.h"

namespace todo::app {
namespace {

using std::chrono::milliseconds;

/// If the database has been silent for longer, it counts as gone.
constexpr milliseconds kMaxSilence{5'000};
constexpr milliseconds kLookInterval{250};

}  // namespace

void Health::SetReady() {
  NoteAnswer(clock_());
  ready_ = true;
  became_ready_.Ring();
}

void Health::NoteAnswer(SteadyTime at) {
  SteadyTime last = last_answer_;
  while (last < at && !last_answer_.compare_exchange_weak(last, at)) {
  }
}

bool Health::IsHealthy() const {
  return ready_ && !stopping_ && clock_() - last_answer_.load() < kMaxSilence;
}

absl::Status Health::Admit() const {
  const auto refused = [](std::string_view text, std::string_view reason) {
    return util::WithReason(util::MakeStatus(absl::StatusCode::kUnavailable, text), reason);
  };
  if (stopping_) return refused("the server is stopping: try again", "SERVER_STOPPING");
  if (!ready_)
    return refused("the database is not ready yet: try again in a moment", "SERVER_NOT_READY");
  // A call that waits for the database would only fill the queue.
  if (!IsHealthy())
    return refused("the database does not answer: try again in a moment", "SERVER_NOT_READY");
  return absl::OkStatus();
}

void HealthPublisher::Publish() {
  const std::lock_guard lock(mutex_);
  publish_(health_.IsHealthy());
}

void HealthPublisher::Run(const std::stop_token& stop) {
  using util::Severity;
  bool healthy = false;
  while (!stop.stop_requested()) {
    const std::uint64_t heard = health_.became_ready().rings();
    const bool now = health_.IsHealthy();
    if (std::exchange(healthy, now) != now) {
      util::Log(healthy ? Severity::kInfo : Severity::kError, healthy ? "healthy" : "unhealthy");
      Publish();
    }
    health_.became_ready().Wait(stop, heard, kLookInterval);
  }
}

}  // namespace todo::app

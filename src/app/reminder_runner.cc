#include "app/reminder_runner.h"

#include <algorithm>
#include <utility>

#include "util/log.h"

namespace todo::app {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;
using namespace std::chrono_literals;

/// Tasks change in other replicas too, so their reminders are found by looking.
constexpr milliseconds kPoll = 250ms;
constexpr milliseconds kFirstBackoff = 500ms;
constexpr milliseconds kLastBackoff = 5s;

}  // namespace

ReminderRunner::ReminderRunner(service::ReminderService& reminders, service::ReminderJobs& jobs,
                               milliseconds sweep_interval)
    : reminders_(reminders),
      jobs_(jobs),
      sweep_interval_(sweep_interval),
      planner_([this](const std::stop_token& stop) { RunPlanner(stop); }),
      job_writer_([this](const std::stop_token& stop) { RunJobs(stop); }) {}

ReminderRunner::~ReminderRunner() {
  planner_.request_stop();
  job_writer_.request_stop();
}

void ReminderRunner::Wake() {
  {
    const std::lock_guard lock(mutex_);
    jobs_wanted_ = true;
  }
  wake_.notify_all();
}

void ReminderRunner::RunPlanner(const std::stop_token& stop) {
  auto next_sweep = steady_clock::now();
  bool first_sweep = true;
  milliseconds wait = 0ms;
  while (Sleep(stop, wait, [] { return false; })) {
    wait = kPoll;
    const absl::StatusOr<bool> planned = reminders_.PlanBacklog();
    if (planned.ok() && *planned) {
      wait = 0ms;
    } else if (!planned.ok()) {
      wait = kFirstBackoff;
    }
    if (steady_clock::now() < next_sweep) continue;
    const auto swept = reminders_.Sweep();
    if (!swept.ok()) continue;
    if (swept->fired > 0) {
      util::Log(util::Severity::kInfo, "reminders_swept", {{"count", swept->fired}});
      // Their jobs should have come. At the start it was we who were away.
      if (!first_sweep) jobs_.Doubt();
    }
    if (swept->more) {
      wait = 0ms;
      continue;
    }
    first_sweep = false;
    next_sweep = steady_clock::now() + sweep_interval_;
  }
}

void ReminderRunner::RunJobs(const std::stop_token& stop) {
  milliseconds wait = 0ms;
  milliseconds backoff = kFirstBackoff;
  const auto woken = [this] { return std::exchange(jobs_wanted_, false); };
  while (Sleep(stop, wait, woken)) {
    const absl::StatusOr<bool> more = jobs_.Run();
    if (more.ok()) {
      wait = *more ? 0ms : kPoll;
      backoff = kFirstBackoff;
      continue;
    }
    util::Log(util::Severity::kWarning, "jobs_not_written",
              {{"status", more.status().ToString()}, {"next_attempt_ms", backoff.count()}});
    wait = std::exchange(backoff, std::min(backoff * 2, kLastBackoff));
  }
}

bool ReminderRunner::Sleep(const std::stop_token& stop, milliseconds duration,
                           const std::function<bool()>& woken) {
  std::unique_lock lock(mutex_);
  wake_.wait_for(lock, stop, duration, woken);
  return !stop.stop_requested();
}

}  // namespace todo::app

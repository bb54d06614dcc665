#include "app/runners/reminder_runner.h"

#include <algorithm>

#include "util/backoff.h"
#include "util/log.h"

namespace todo::app {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;
using namespace std::chrono_literals;

/// Least pause between two looks of the planner: one look serves many changes of tasks.
constexpr milliseconds kBreath = 100ms;
constexpr milliseconds kFirstBackoff = 500ms;
constexpr milliseconds kLastBackoff = 5s;

}  // namespace

ReminderRunner::ReminderRunner(service::ReminderService& reminders, service::ReminderJobs& jobs,
                               milliseconds sweep_interval, milliseconds net)
    : reminders_(reminders), jobs_(jobs), sweep_interval_(sweep_interval), net_(net) {}

void ReminderRunner::Start() {
  planner_ = std::jthread([this](const std::stop_token& stop) { RunPlanner(stop); });
  job_writer_ = std::jthread([this](const std::stop_token& stop) { RunJobs(stop); });
}

void ReminderRunner::Stop() {
  planner_.request_stop();
  job_writer_.request_stop();
  planner_ = {};
  job_writer_ = {};
}

void ReminderRunner::RunPlanner(const std::stop_token& stop) {
  auto next_sweep = steady_clock::now();
  bool first_sweep = true;
  while (!stop.stop_requested()) {
    const std::uint64_t heard = tasks_changed_.rings();
    const absl::StatusOr<bool> planned = reminders_.PlanBacklog();
    bool failed = !planned.ok();
    bool more = planned.ok() && *planned;
    if (steady_clock::now() >= next_sweep) {
      const auto swept = reminders_.Sweep();
      failed = failed || !swept.ok();
      if (swept.ok() && swept->fired > 0) {
        util::Log(util::Severity::kInfo, "reminders_swept", {{"count", swept->fired}});
        // The jobs of these reminders did not come. In the first sweep that is no wonder: this
        // service was down.
        if (!first_sweep) {
          jobs_.Doubt();
          jobs_wanted_.Ring();
        }
      }
      if (swept.ok() && swept->more) {
        more = true;
      } else if (swept.ok()) {
        first_sweep = false;
        next_sweep = steady_clock::now() + sweep_interval_;
      }
    }
    if (more) continue;
    if (failed) {
      tasks_changed_.Wait(stop, heard, kFirstBackoff, kFirstBackoff);
    } else {
      const auto until_sweep = next_sweep - steady_clock::now();
      tasks_changed_.Wait(stop, heard, std::min<steady_clock::duration>(net_, until_sweep),
                          std::min<steady_clock::duration>(kBreath, until_sweep));
    }
  }
}

void ReminderRunner::RunJobs(const std::stop_token& stop) {
  util::Backoff backoff(kFirstBackoff, kLastBackoff);
  while (!stop.stop_requested()) {
    const std::uint64_t heard = jobs_wanted_.rings();
    const absl::StatusOr<bool> more = jobs_.Run();
    if (more.ok()) {
      backoff.Reset();
      if (!*more) jobs_wanted_.Wait(stop, heard, net_);
      continue;
    }
    const milliseconds pause = backoff.Next();
    util::Log(util::Severity::kWarning, "jobs_not_written",
              {{"status", more.status().ToString()}, {"next_attempt_ms", pause.count()}});
    jobs_wanted_.Wait(stop, heard, pause);
  }
}

}  // namespace todo::app

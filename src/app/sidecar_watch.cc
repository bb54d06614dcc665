#include "app/sidecar_watch.h"

#include <utility>

#include "util/backoff.h"
#include "util/log.h"
#include "util/sleep.h"
#include "util/status.h"

namespace todo::app {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;
using util::Severity;
using namespace std::chrono_literals;

/// After its first answer the sidecar still has to ask for the subscriptions. Gaps before that are
/// not worth a line in the log.
constexpr milliseconds kGrace = 15s;
constexpr milliseconds kRecheck = 500ms;
constexpr milliseconds kSlowRecheck = 5s;

}  // namespace

bool SidecarWatch::Answers() const {
  const absl::Status status = ask_().status();
  return !absl::IsUnavailable(status) && !absl::IsDeadlineExceeded(status);
}

bool SidecarWatch::CanDeliver() const {
  if (!health_.IsHealthy()) return false;
  const absl::StatusOr<client::SidecarMetadata> sidecar = ask_();
  return sidecar.ok() && FindGaps(*sidecar, config_).missing.empty();
}

absl::StatusOr<api::SidecarSummary> SidecarWatch::Describe() const {
  TODO_ASSIGN_OR_RETURN(const client::SidecarMetadata metadata, ask_());
  api::SidecarSummary summary;
  for (const auto& component : metadata.components)
    summary.components.push_back(component.name + " (" + component.type + ")");
  for (const auto& subscription : metadata.subscriptions)
    summary.subscriptions.push_back(subscription.topic + " on " + subscription.pubsub_name);
  return summary;
}

void SidecarWatch::Run(const std::stop_token& stop) {
  while (!health_.IsHealthy()) {
    if (!util::SleepFor(stop, kRecheck)) return;
  }
  util::Backoff backoff(100ms, 5s);
  for (;;) {
    const absl::StatusOr<client::SidecarMetadata> sidecar = ask_();
    if (stop.stop_requested()) return;
    milliseconds pause;
    if (sidecar.ok()) {
      away_ = false;
      backoff.Reset();
      const auto now = steady_clock::now();
      if (Check(*sidecar, now) == SidecarGaps()) return;
      pause = now < *grace_end_ ? kRecheck : kSlowRecheck;
    } else {
      NoteAbsence(sidecar.status());
      pause = backoff.Next();
    }
    if (!util::SleepFor(stop, pause)) return;
  }
}

void SidecarWatch::NoteAbsence(const absl::Status& status) {
  if (std::exchange(away_, true)) return;
  util::Log(absl::IsUnavailable(status) ? Severity::kInfo : Severity::kWarning, "sidecar_not_there",
            {{"endpoint", config_.dapr_grpc_endpoint}, {"status", status.ToString()}});
}

SidecarGaps SidecarWatch::Check(const client::SidecarMetadata& sidecar, SteadyTime now) {
  SidecarGaps gaps = FindGaps(sidecar, config_);
  if (!grace_end_) grace_end_ = now + kGrace;
  // The sidecar asks for all subscriptions at once. Where none of them must be there, only time
  // tells that it has asked.
  const bool settled = gaps == SidecarGaps() || (config_.takes_events() && gaps.missing.empty()) ||
                       now >= *grace_end_;
  if (!settled || reported_ == gaps) return gaps;
  Severity severity = Severity::kInfo;
  if (!gaps.optional.empty()) severity = Severity::kWarning;
  if (!gaps.missing.empty()) severity = Severity::kError;
  util::Log(severity, "sidecar_checked",
            {{"missing", gaps.missing},
             {"missing_optional", gaps.optional},
             {"app_id", sidecar.app_id},
             {"runtime_version", sidecar.runtime_version}});
  reported_ = gaps;
  return gaps;
}

}  // namespace todo::app

#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <stop_token>

#include "absl/status/statusor.h"
#include "api/ops_service.h"
#include "app/config/config.h"
#include "app/health.h"
#include "app/sidecar_check.h"
#include "client/dapr_client.h"

namespace todo::app {

/// Asks the sidecar about itself, for all parts of the program that want to know.
/// Thread safety: Run by one thread; the other methods may be called from any. All block for up to
/// the client's timeout.
class SidecarWatch {
 public:
  using AskSidecar = std::function<absl::StatusOr<client::SidecarMetadata>()>;

  /// `config` and `health` must outlive the watch.
  SidecarWatch(const Config& config, const Health& health, AskSidecar ask)
      : config_(config), health_(health), ask_(std::move(ask)) {}

  /// Whether the sidecar answers at all.
  bool Answers() const;
  /// Whether the sidecar has all components and subscriptions to bring events to this process, and
  /// this process is healthy.
  bool CanDeliver() const;
  /// Components and subscriptions, for operators. Statuses as of DaprClient::GetMetadata.
  absl::StatusOr<api::SidecarSummary> Describe() const;

  /// Logs what the sidecar lacks (`sidecar_checked`, `sidecar_not_there`), until it lacks nothing
  /// or until `stop`. Begins when the process is healthy: the sidecar asks for the subscriptions
  /// only then.
  void Run(const std::stop_token& stop);

 private:
  using SteadyTime = std::chrono::steady_clock::time_point;

  void NoteAbsence(const absl::Status& status);
  /// Finds the gaps of the sidecar. Logs them if they changed and the sidecar has had enough time.
  SidecarGaps Check(const client::SidecarMetadata& sidecar, SteadyTime now);

  const Config& config_;
  const Health& health_;
  const AskSidecar ask_;
  // Of Run.
  bool away_ = false;
  std::optional<SteadyTime> grace_end_;
  std::optional<SidecarGaps> reported_;
};

}  // namespace todo::app

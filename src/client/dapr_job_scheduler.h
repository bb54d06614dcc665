#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "client/dapr_client.h"
#include "ports/job_scheduler.h"

namespace todo::client {

/// JobScheduler through Dapr's Jobs API: its stable methods, or the Alpha1 methods if the sidecar
/// does not know the stable ones. `client` must outlive it. Thread safety: as the port says.
class DaprJobScheduler final : public ports::JobScheduler {
 public:
  struct Options {
    /// Of one call. A sidecar without its scheduler would take half a minute to answer.
    std::chrono::milliseconds timeout{3'000};
    std::size_t parallel_calls = 16;
    /// Between the attempts of a job whose callback fails; attempts never end.
    std::chrono::seconds retry_interval{1};
  };

  explicit DaprJobScheduler(DaprClient& client);
  DaprJobScheduler(DaprClient& client, Options options);

  [[nodiscard]] std::vector<absl::Status> Schedule(
      const std::vector<ports::ScheduledJob>& jobs) override;
  [[nodiscard]] std::vector<absl::Status> Delete(const std::vector<std::string>& names) override;

 private:
  template <typename Request, typename Response, typename Method>
  std::vector<absl::Status> CallAll(const std::vector<Request>& requests, Method stable,
                                    Method alpha1, const char* attempted);

  DaprClient& client_;
  const Options options_;
  std::atomic<bool> use_alpha1_ = false;
};

}  // namespace todo::client

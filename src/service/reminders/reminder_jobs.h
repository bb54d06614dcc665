#pragma once

#include <atomic>
#include <chrono>
#include <optional>

#include "absl/status/statusor.h"
#include "domain/time.h"
#include "ports/clock.h"
#include "ports/job_scheduler.h"
#include "ports/reminder_store.h"

namespace todo::service {

/// Writes and deletes jobs of the scheduler, so that each pending reminder has one and no other
/// reminder has: after the commit that changed the reminder, repeated until the scheduler took it,
/// soonest first.
/// Thread safety: Doubt may be called from any thread, Run from one. Run blocks on the database and
/// on the scheduler.
class ReminderJobs {
 public:
  struct Options {
    /// How many jobs are claimed at once (> 0).
    int batch = 64;
    /// How long a batch is claimed. Must exceed the duration of a batch; after a crash the jobs are
    /// free again when it ends.
    std::chrono::milliseconds lease{10'000};
    /// The least time between the starts of two rewrites of all jobs.
    std::chrono::milliseconds rewrite_interval{30'000};
  };

  /// The first three must outlive this.
  ReminderJobs(ports::ReminderStore& store, ports::JobScheduler& scheduler,
               const ports::Clock& clock, Options options)
      : store_(store), scheduler_(scheduler), clock_(clock), options_(options) {}

  /// Does one batch. True: there is more to do. kUnavailable and other temporary statuses: the
  /// scheduler or the store cannot be reached; unfinished jobs stay in their rows for a later call.
  absl::StatusOr<bool> Run();

  /// Says that the scheduler may have lost its jobs: all jobs written up to now are written again,
  /// in batches between the others. Calls during such a rewrite, or within rewrite_interval of its
  /// start, start one more rewrite later; a rewrite always finishes. Does not block.
  void Doubt() { doubted_ = true; }

 private:
  absl::StatusOr<bool> WriteBatch();
  absl::StatusOr<bool> ForgetDoubted();

  ports::ReminderStore& store_;
  ports::JobScheduler& scheduler_;
  const ports::Clock& clock_;
  const Options options_;
  std::atomic<bool> doubted_ = false;
  bool scheduler_failed_ = false;  // in the last batch
  struct Rewriting {
    domain::Instant written_before;
    domain::Instant from;
  };
  std::optional<Rewriting> rewriting_;
  domain::Instant next_rewriting_ = domain::kMinInstant;
};

}  // namespace todo::service

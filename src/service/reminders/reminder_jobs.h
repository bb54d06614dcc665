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

/// Carries out what the reminders' rows want of the scheduler: a job for each that is pending, none
/// for the others. After the commit, and repeated until it took; the soonest first.
/// Thread safety: Doubt may be called from any thread, Run from one. Run blocks on the database and
/// on the scheduler.
class ReminderJobs {
 public:
  struct Options {
    int batch = 64;
    /// Who dies with jobs in hand keeps them for so long. Longer than a batch takes.
    std::chrono::milliseconds lease{10'000};
    /// Between two beginnings of writing all of them again.
    std::chrono::milliseconds rewrite_interval{30'000};
  };

  /// All must outlive this.
  ReminderJobs(ports::ReminderStore& store, ports::JobScheduler& scheduler,
               const ports::Clock& clock, Options options)
      : store_(store), scheduler_(scheduler), clock_(clock), options_(options) {}

  /// One batch. True: there is more to do. kUnavailable and the like: the scheduler or the store is
  /// away; what was not done waits in its rows.
  absl::StatusOr<bool> Run();

  /// The scheduler may have lost its jobs: those written up to now are written again, in batches
  /// between the others. A doubt meanwhile, or soon after, waits: however often it comes, the last
  /// jobs have their turn. Does not block.
  void Doubt() { doubted_ = true; }

 private:
  absl::StatusOr<bool> WriteBatch();
  absl::StatusOr<bool> ForgetDoubted();

  ports::ReminderStore& store_;
  ports::JobScheduler& scheduler_;
  const ports::Clock& clock_;
  const Options options_;
  std::atomic<bool> doubted_ = false;
  bool was_away_ = false;
  struct Rewriting {
    domain::Instant written_before;
    domain::Instant from;
  };
  std::optional<Rewriting> rewriting_;
  domain::Instant next_rewriting_ = domain::kMinInstant;
};

}  // namespace todo::service

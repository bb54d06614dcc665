#include "app/database_setup.h"

#include <chrono>
#include <string>

#include "absl/status/statusor.h"
#include "store/maintenance.h"
#include "store/migrations.h"
#include "store/search_index.h"
#include "util/backoff.h"
#include "util/log.h"
#include "util/sleep.h"
#include "util/status.h"

namespace todo::app {
namespace {

using std::chrono::milliseconds;
using util::Log;
using util::Severity;
using namespace std::chrono_literals;

constexpr milliseconds kKeepInterval = 10min;
constexpr milliseconds kKeepRetry = 1min;

/// Whether repeating is in vain. Not ports::Classify: there a refused password, for one, is a fault
/// of the work; here it may be mended at the server while this program waits.
bool IsUnfit(const absl::Status& status) {
  return absl::IsFailedPrecondition(status) || absl::IsInvalidArgument(status) ||
         absl::IsInternal(status);
}

}  // namespace

absl::Status DatabaseSetup::Prepare(const std::stop_token& stop) {
  util::Backoff backoff(100ms, 5s);
  for (int attempt = 1;; ++attempt) {
    absl::Status status = TryToPrepare();
    if (status.ok() || IsUnfit(status)) return status;
    const milliseconds pause = backoff.Next();
    Log(Severity::kWarning, "database_not_ready",
        {{"attempt", attempt}, {"status", status.ToString()}, {"next_attempt_ms", pause.count()}});
    if (!util::SleepFor(stop, pause)) return absl::CancelledError("stopping");
  }
}

absl::Status DatabaseSetup::TryToPrepare() {
  // A short wait for another replica's lock, so that stopping does not take long.
  TODO_RETURN_IF_ERROR(store::Migrate(parts_.database_url, {.lock_wait = 5s}));
  TODO_RETURN_IF_ERROR(parts_.measure_clock());
  TODO_RETURN_IF_ERROR(MakeInboxDays());
  MakeSearchIndex();
  return parts_.recover();
}

absl::Status DatabaseSetup::MakeInboxDays() {
  const absl::Status status = store::MakeInboxDays(parts_.clean_up);
  // If the inbox is too busy for that, other replicas use it, so it is in order; Keep tries again.
  if (!absl::IsAborted(status) && !absl::IsDeadlineExceeded(status)) return status;
  Log(Severity::kWarning, "maintenance_failed", {{"status", status.ToString()}});
  return absl::OkStatus();
}

void DatabaseSetup::Keep(const std::stop_token& stop) {
  milliseconds pause = 0ms;
  while (util::SleepFor(stop, pause)) pause = KeepOnce(stop) ? kKeepInterval : kKeepRetry;
}

bool DatabaseSetup::KeepOnce(const std::stop_token& stop) {
  absl::Status status = store::MakeInboxDays(parts_.clean_up);
  status.Update(store::CleanUp(
      parts_.clean_up, [&stop](milliseconds duration) { return util::SleepFor(stop, duration); }));
  if (!status.ok()) Log(Severity::kWarning, "maintenance_failed", {{"status", status.ToString()}});
  return status.ok();
}

void DatabaseSetup::MakeSearchIndex() {
  const absl::StatusOr<std::string> missing = store::MakeSearchIndex(parts_.clean_up);
  if (missing.ok() && missing->empty()) return;
  Log(Severity::kWarning, "search_without_index",
      {{"reason", missing.ok() ? *missing : missing.status().ToString()}});
}

}  // namespace todo::app

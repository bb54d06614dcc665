#include "appcallback/job_batches.h"

#include <algorithm>
#include <cstdint>
#include <exception>

#include "util/fault_point.h"
#include "util/log.h"
#include "util/span.h"

namespace todo::appcallback {
namespace {

constexpr std::size_t kMaxBatch = 200;

grpc::Status CallAgain(const char* why) { return {grpc::StatusCode::UNAVAILABLE, why}; }

}  // namespace

void JobBatches::Add(const Job& job) {
  bool first = false;
  bool full = false;
  {
    auto waiting = waiting_.Lock();
    first = waiting->empty();
    full = waiting->size() >= max_waiting_;
    if (!full) waiting->push_back(job);
  }
  if (full) return job.reactor->Finish(CallAgain("too many jobs wait: call again"));
  if (first && !Submit()) RefuseAll();
}

bool JobBatches::Submit() {
  try {
    return workers_.TrySubmit([this] { Run(); });
  } catch (const std::exception& error) {
    util::Log(util::Severity::kError, "callback_failed", {{"error", error.what()}});
    return false;
  }
}

void JobBatches::RefuseAll() {
  std::deque<Job> refused;
  refused.swap(*waiting_.Lock());
  for (const Job& job : refused)
    job.reactor->Finish(CallAgain("busy or shutting down: call again"));
}

JobBatches::Batch JobBatches::Take() {
  auto waiting = waiting_.Lock();
  const auto count = static_cast<std::ptrdiff_t>(std::min(kMaxBatch, waiting->size()));
  Batch batch{.jobs = {waiting->begin(), waiting->begin() + count}};
  waiting->erase(waiting->begin(), waiting->begin() + count);
  batch.last = waiting->empty();
  return batch;
}

void JobBatches::Run() {
  for (bool last = false; !last;) {
    Batch batch = Take();
    last = batch.last;
    std::erase_if(batch.jobs, [now = clock_.Now()](const Job& job) {
      const bool too_late = job.deadline < now;
      if (too_late) job.reactor->Finish(CallAgain("waited too long: call again"));
      return too_late;
    });
    // After the last Finish the server, and with it this object, may be gone.
    if (batch.jobs.empty()) continue;
    const std::vector<grpc::Status> answers = SettleBatch(batch.jobs);
    for (std::size_t i = 0; i < batch.jobs.size(); ++i) batch.jobs[i].reactor->Finish(answers[i]);
  }
}

std::vector<grpc::Status> JobBatches::SettleBatch(const std::vector<Job>& jobs) {
  std::vector<grpc::Status> answers(jobs.size(), CallAgain("internal error: call again"));
  // The sidecar hands on no trace with a job.
  util::Span span("trigger reminders", util::SpanKind::kServer, {});
  span.Set("messaging.batch.message_count", static_cast<std::int64_t>(jobs.size()));
  const util::WithTrace trace(span);
  try {
    std::vector<domain::TaskId> tasks;
    for (const Job& job : jobs) tasks.push_back(job.task);
    const std::vector<absl::Status> statuses = reminders_.Trigger(tasks);
    TODO_FAULT_POINT("before-answer").IgnoreError();
    const auto failed = [](const absl::Status& status) { return !status.ok(); };
    std::ranges::transform(statuses, answers.begin(), [&](const absl::Status& status) {
      return failed(status) ? CallAgain("it cannot be done now: call again") : grpc::Status::OK;
    });
    if (const auto first = std::ranges::find_if(statuses, failed); first != statuses.end()) {
      span.End(*first);
      util::Log(
          util::Severity::kWarning, "jobs_to_come_again",
          {{"count", std::ranges::count_if(statuses, failed)}, {"status", first->ToString()}});
    }
  } catch (const std::exception& error) {
    span.Fail();
    util::Log(util::Severity::kError, "callback_failed", {{"error", error.what()}});
  }
  return answers;
}

}  // namespace todo::appcallback

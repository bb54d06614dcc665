#include "service/reminders/reminder_jobs.h"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "util/fault_point.h"
#include "util/log.h"
#include "util/span.h"
#include "util/status.h"
#include "util/trace_context.h"

namespace todo::service {

absl::StatusOr<bool> ReminderJobs::Run() {
  TODO_ASSIGN_OR_RETURN(const bool more, WriteBatch());
  // Jobs that were never written go first, before those that are only written again.
  if (more) return true;
  return ForgetDoubted();
}

absl::StatusOr<bool> ReminderJobs::WriteBatch() {
  TODO_ASSIGN_OR_RETURN(const std::vector<ports::JobIntent> intents,
                        store_.ClaimJobs(clock_.Now(), options_.lease, options_.batch));
  if (intents.empty()) return false;
  std::vector<ports::ScheduledJob> jobs;
  std::vector<std::string> names;  // to delete
  std::vector<util::TraceContext> causes;
  for (const auto& [reminder, wanted, traceparent] : intents) {
    causes.push_back(util::ParseTraceContext(traceparent));
    std::string name = domain::ReminderJobName(reminder.id.task_id, reminder.id.number);
    if (wanted) {
      jobs.push_back({.name = std::move(name),
                      .due = *reminder.remind_at,
                      .data = domain::ReminderJobData(reminder)});
    } else {
      names.push_back(std::move(name));
    }
  }
  util::Span span = util::Span::OfMessages("schedule reminders", util::SpanKind::kInternal, causes);
  const util::WithTrace trace(span);
  const std::vector<absl::Status> scheduled = scheduler_.Schedule(jobs);
  const auto failed = std::ranges::find_if_not(scheduled, &absl::Status::ok);
  const std::vector<absl::Status> deleted =
      failed == scheduled.end() ? scheduler_.Delete(names) : std::vector(names.size(), *failed);
  TODO_RETURN_IF_ERROR(TODO_FAULT_POINT("before-jobs-recorded"));

  std::vector<ports::JobRecord> records;
  absl::Status failure;
  auto next_scheduled = scheduled.begin();
  auto next_deleted = deleted.begin();
  for (const auto& [reminder, wanted, traceparent] : intents) {
    const absl::Status& status = wanted ? *next_scheduled++ : *next_deleted++;
    if (status.ok()) {
      records.push_back(
          {.id = reminder.id, .scheduled_for = wanted ? reminder.remind_at : std::nullopt});
    } else {
      failure = status;
    }
  }
  span.End(failure);
  TODO_RETURN_IF_ERROR(store_.RecordJobs(records, clock_.Now()));
  if (!failure.ok()) {
    scheduler_failed_ = true;
    return failure;
  }
  if (std::exchange(scheduler_failed_, false)) {
    util::Log(util::Severity::kInfo, "scheduler_back");
    Doubt();
  }
  return true;
}

absl::StatusOr<bool> ReminderJobs::ForgetDoubted() {
  const domain::Instant now = clock_.Now();
  if (!rewriting_ && now >= next_rewriting_ && doubted_.exchange(false)) {
    rewriting_ = {.written_before = now, .from = domain::kMinInstant};
    next_rewriting_ = now + options_.rewrite_interval;
  }
  if (!rewriting_) return false;
  TODO_ASSIGN_OR_RETURN(
      const std::optional<domain::Instant> next,
      store_.ForgetJobs(rewriting_->written_before, rewriting_->from, options_.batch));
  if (next) {
    rewriting_->from = *next;
  } else {
    rewriting_.reset();
  }
  return next.has_value();
}

}  // namespace todo::service

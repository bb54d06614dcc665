#include "support/fake_retry_queue.h"

#include <algorithm>

#include "domain/event/dead_letter.h"
#include "util/status.h"

namespace todo::support {
namespace {

using domain::Instant;
using ports::RetryEntry;
using Tables = FakeDatabase::Tables;

bool Contains(const std::vector<std::string>& names, const std::string& name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

}  // namespace

absl::StatusOr<bool> FakeRetryQueue::Enqueue(std::string_view consumer,
                                             const domain::ReceivedEvent& received,
                                             const ports::RetrySchedule& schedule) {
  bool queued = false;
  TODO_RETURN_IF_ERROR(database_.Write([&](Tables& tables) {
    queued = FakeDatabase::Take(tables, consumer, received.event.id, received.event.at,
                                received.event.identity);
    if (queued) {
      RetryEntry entry;
      entry.attempts = schedule.attempts();
      entry.first_failed_at = schedule.failed_at;
      entry.due_at = schedule.due_at;
      FakeDatabase::Enqueue(tables, consumer, received, entry);
    }
    return absl::OkStatus();
  }));
  return queued;
}

absl::StatusOr<std::vector<RetryEntry>> FakeRetryQueue::Due(
    const std::vector<std::string>& consumers, Instant now, int limit) {
  TODO_RETURN_IF_ERROR(database_.failure());
  std::vector<RetryEntry> due;
  for (const auto& [key, retry] : database_.Read()->retries) {
    if (retry.entry.due_at <= now && Contains(consumers, key.first)) due.push_back(retry.entry);
  }
  std::sort(due.begin(), due.end(),
            [](const RetryEntry& a, const RetryEntry& b) { return a.due_at < b.due_at; });
  due.resize(std::min(due.size(), static_cast<std::size_t>(limit)));
  return due;
}

absl::StatusOr<std::optional<Instant>> FakeRetryQueue::NextDue(
    const std::vector<std::string>& consumers) {
  TODO_RETURN_IF_ERROR(database_.failure());
  std::optional<Instant> next;
  for (const auto& [key, retry] : database_.Read()->retries) {
    if (!Contains(consumers, key.first) || retry.entry.due_at == domain::kMaxInstant) continue;
    next = std::min(next.value_or(domain::kMaxInstant), retry.entry.due_at);
  }
  return next;
}

absl::Status FakeRetryQueue::Reschedule(const RetryEntry& entry,
                                        const ports::RetrySchedule& schedule) {
  return database_.Write([&](Tables& tables) {
    const auto found = tables.retries.find({entry.consumer, entry.event_id});
    if (found == tables.retries.end() || found->second.entry.attempts != entry.attempts) {
      return absl::OkStatus();
    }
    RetryEntry& stored = found->second.entry;
    stored.attempts += schedule.attempts();
    if (!stored.first_failed_at) stored.first_failed_at = schedule.failed_at;
    stored.due_at = schedule.due_at;
    return absl::OkStatus();
  });
}

absl::StatusOr<bool> FakeRetryQueue::AddDeadLetter(const domain::DeadLetter& letter,
                                                   ports::TakenFrom taken_from, Instant now) {
  const bool from_queue = taken_from == ports::TakenFrom::kRetryQueue;
  bool added = false;
  TODO_RETURN_IF_ERROR(database_.Write([&](Tables& tables) {
    added = from_queue ? tables.retries.count({letter.consumer, letter.event_id}) > 0
                       : FakeDatabase::Take(tables, letter.consumer, letter.event_id,
                                            letter.event_at, letter.identity);
    if (!added) return absl::OkStatus();
    domain::DeadLetter stored = letter;
    if (from_queue) {
      const FakeDatabase::Retry& retry = tables.retries.at({letter.consumer, letter.event_id});
      stored.user = retry.user;
      stored.task_id = retry.task_id;
      FakeDatabase::LeaveQueue(tables, letter.consumer, letter.event_id, now);
    }
    if (letter.consumer == "usage") {
      for (const FakeDatabase::ChangeRow& row : tables.changes) {
        if (row.change.user == stored.user && row.change.event_id == letter.event_id)
          tables.usage.passed_over.insert({stored.user, row.change.seq});
      }
    }
    tables.dead_letters.push_back(std::move(stored));
    tables.crashes.erase({letter.consumer, letter.event_id});
    return absl::OkStatus();
  }));
  return added;
}

}  // namespace todo::support

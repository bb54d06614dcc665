#include "support/fake_retry_queue.h"

#include <algorithm>
#include <set>

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
                                                   bool from_queue, Instant now) {
  bool buried = false;
  TODO_RETURN_IF_ERROR(database_.Write([&](Tables& tables) {
    buried = from_queue ? tables.retries.count({letter.consumer, letter.event_id}) > 0
                        : FakeDatabase::Take(tables, letter.consumer, letter.event_id,
                                             letter.event_at, letter.identity);
    if (!buried) return absl::OkStatus();
    domain::DeadLetter buried_letter = letter;
    if (from_queue) {
      const FakeDatabase::Retry& retry = tables.retries.at({letter.consumer, letter.event_id});
      buried_letter.user = retry.user;
      buried_letter.task_id = retry.task_id;
      FakeDatabase::LeaveQueue(tables, letter.consumer, letter.event_id, now);
    }
    tables.dead_letters.push_back(std::move(buried_letter));
    tables.crashes.erase({letter.consumer, letter.event_id});
    return absl::OkStatus();
  }));
  return buried;
}

absl::StatusOr<int> FakeCrashLog::CountCrashes() {
  std::set<std::pair<std::string, domain::EventId>> in_hand;
  TODO_RETURN_IF_ERROR(database_.Write([&](Tables& tables) {
    for (const auto& [place, held] : tables.processing) {
      if (place.first != instance_) continue;
      for (const domain::EventHeader& event : held.events) {
        const std::string day = domain::FormatInstant(event.at).substr(0, 10);
        const bool taken = tables.inbox.contains({held.consumer, day, event.id});
        if (!taken || tables.retries.contains({held.consumer, event.id}))
          in_hand.emplace(held.consumer, event.id);
      }
    }
    for (const auto& suspect : in_hand) {
      const auto [known, is_new] = tables.crashes.emplace(suspect, 1);
      if (!is_new && in_hand.size() == 1) ++known->second;
    }
    std::erase_if(tables.processing,
                  [this](const auto& entry) { return entry.first.first == instance_; });
    return absl::OkStatus();
  }));
  return static_cast<int>(in_hand.size());
}

absl::StatusOr<std::map<domain::EventId, int>> FakeCrashLog::Begin(
    int slot, std::string_view consumer, const std::vector<domain::EventHeader>& events) {
  std::map<domain::EventId, int> crashes;
  TODO_RETURN_IF_ERROR(database_.Write([&](Tables& tables) {
    tables.processing[{instance_, slot}] = {.consumer = std::string(consumer), .events = events};
    for (const domain::EventHeader& event : events) {
      const auto known = tables.crashes.find({std::string(consumer), event.id});
      if (known != tables.crashes.end()) crashes.emplace(event.id, known->second);
    }
    return absl::OkStatus();
  }));
  return crashes;
}

absl::Status FakeCrashLog::Clear() {
  return database_.Write([this](Tables& tables) {
    std::erase_if(tables.processing,
                  [this](const auto& entry) { return entry.first.first == instance_; });
    return absl::OkStatus();
  });
}

}  // namespace todo::support

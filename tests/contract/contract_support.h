#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <string>
#include <thread>
#include <vector>

#include "domain/event/event.h"
#include "domain/task/task.h"
#include "ports/task_store.h"

// Shared by the contract suites.

namespace todo::contract {

/// Different at each call, in the whole process.
domain::Uuid NewUuid();
inline domain::EventId NewEventId() { return domain::EventId{NewUuid()}; }
inline domain::RequestId NewRequestId() { return domain::RequestId{NewUuid()}; }

/// "2026-03-01T09:00:00Z"
domain::Instant At(std::string_view text);

ports::Mutation Create(const domain::UserId& user, const std::string& title);
/// With a rule and a series of its own.
ports::Mutation CreateRecurring(const domain::UserId& user, const std::string& title);
/// kUpdated, kCompleted, kUncompleted or kDeleted.
ports::Mutation ChangeOf(domain::ChangeKind kind, const domain::Task& task);
ports::Mutation Rename(const domain::Task& task, const std::string& title);

domain::SeriesPosition PositionOf(const domain::Uuid& series_id, std::int64_t occurrence);
domain::Due DueAt(std::string_view instant);

/// Runs `work(i)` for i in [0, count) on a thread each and waits for all.
void InParallel(int count, const std::function<void(int)>& work);

/// The user's whole change log.
std::vector<domain::Change> AllChanges(ports::TaskStore& store, const domain::UserId& user);

/// Shards that on_change was called with; may be written from many threads.
class Wakes {
 public:
  void operator()(int shard) {
    ++count_;
    last_shard_ = shard;
  }
  int count() const { return count_; }
  int last_shard() const { return last_shard_; }

 private:
  std::atomic<int> count_{0};
  std::atomic<int> last_shard_{-1};
};

}  // namespace todo::contract

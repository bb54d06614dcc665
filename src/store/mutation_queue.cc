#include "store/mutation_queue.h"

#include <algorithm>
#include <set>
#include <utility>

#include "store/session.h"
#include "util/require.h"
#include "util/worker_pool.h"

namespace todo::store {
namespace {

using ports::Mutation;
using std::chrono::steady_clock;
using Verdict = BatchItem::Verdict;

// Meanwhile calls go alone, and the pool says what is wrong with the database.
constexpr std::chrono::seconds kPauseAfterNoConnection{1};

}  // namespace

MutationQueue::MutationQueue(ConnectionPool& pool, std::function<void(int shard)> on_change,
                             MutationQueueOptions options)
    : pool_(pool),
      on_change_(std::move(on_change)),
      options_(options),
      lanes_(options.max_batches) {
  TODO_REQUIRE(options_.max_batch > 0 && options_.max_batches > 0);
}

MutationQueue::~MutationQueue() = default;

absl::StatusOr<ports::MutationResult> MutationQueue::Apply(const Mutation& mutation,
                                                           const Alone& alone) {
  const auto call = std::make_shared<Call>();
  call->item.mutation = &mutation;
  if (Enter(call)) {
    // It needs no connection of the pool meanwhile.
    const util::WorkerPool::Aside aside;
    Wait(call);
  }
  BatchItem& item = call->item;
  if (item.verdict == Verdict::kAnswered) return std::move(item.result);
  absl::StatusOr<ports::MutationResult> result = alone(item.verdict == Verdict::kInDoubt);
  const Lock lock(mutex_);
  ReleaseLocked(mutation.user);
  ElectLocked();
  return result;
}

MutationQueueStats MutationQueue::stats() {
  const Lock lock(mutex_);
  MutationQueueStats stats = stats_;
  stats.waiting_count = static_cast<std::int64_t>(waiting_.size());
  return stats;
}

bool MutationQueue::GoesAloneLocked(const Mutation& mutation) const {
  if (options_.max_batch == 1 || waiting_.size() >= options_.max_waiting) return true;
  if (!FitsBatch(mutation)) return true;
  return !options_.lone_calls_too && waiting_.empty() && busy_users_.empty();
}

bool MutationQueue::Enter(const std::shared_ptr<Call>& call) {
  const Lock lock(mutex_);
  const Mutation& mutation = *call->item.mutation;
  if (GoesAloneLocked(mutation)) {
    ++stats_.alone_count;
    ++busy_users_[mutation.user.value];
    return false;
  }
  waiting_.push_back(call);
  ElectLocked();
  return true;
}

void MutationQueue::Wait(const std::shared_ptr<Call>& call) {
  auto deadline = steady_clock::now() + pool_.options().acquire_wait;
  for (;;) {
    std::unique_lock lock(call->mutex);
    const bool in_time = call->wake.wait_until(
        lock, deadline, [&call] { return call->done || call->leads != nullptr; });
    if (call->done) return;
    Lane* const lane = std::exchange(call->leads, nullptr);
    lock.unlock();
    if (lane != nullptr) {
      Lead(*lane);
    } else if (!in_time) {
      if (GiveUp(call)) return;
      deadline = steady_clock::time_point::max();
    }
  }
}

bool MutationQueue::GiveUp(const std::shared_ptr<Call>& call) {
  const Lock lock(mutex_);
  const Lock own(call->mutex);
  // What was sent for it cannot be taken back, and a batch that it is to lead has no other leader.
  if (call->taken || call->leads != nullptr) return false;
  waiting_.remove(call);
  ++stats_.alone_count;
  ++busy_users_[call->item.mutation->user.value];
  return true;
}

void MutationQueue::ElectLocked() {
  if (reading_) return;
  const auto lane = std::ranges::find(lanes_, false, &Lane::busy);
  if (lane == lanes_.end() || waiting_.size() < EnoughLocked(*lane)) return;
  for (const std::shared_ptr<Call>& call : waiting_) {
    if (busy_users_.contains(call->item.mutation->user.value)) continue;
    reading_ = true;
    lane->busy = true;
    call->Tell([&lane](Call& told) { told.leads = &*lane; });
    return;
  }
}

std::size_t MutationQueue::EnoughLocked(const Lane& lane) const {
  return std::max((under_way_count_ + 1) / 2, std::min(under_way_count_, lane.last_size));
}

MutationQueue::Calls MutationQueue::TakeLocked() {
  Calls taken;
  std::set<std::pair<domain::UserId, domain::TaskId>> tasks;
  std::set<std::pair<domain::UserId, domain::RequestId>> requests;
  for (auto at = waiting_.begin(); at != waiting_.end() && taken.size() < options_.max_batch;) {
    const Mutation& mutation = *(*at)->item.mutation;
    const bool fits = !busy_users_.contains(mutation.user.value) &&
                      !requests.contains({mutation.user, mutation.request_id}) &&
                      (mutation.creates() || !tasks.contains({mutation.user, mutation.task_id}));
    if (!mutation.creates()) tasks.emplace(mutation.user, mutation.task_id);
    requests.emplace(mutation.user, mutation.request_id);
    if (!fits) {
      ++at;
      continue;
    }
    (*at)->taken = true;
    taken.push_back(*at);
    at = waiting_.erase(at);
  }
  for (const std::shared_ptr<Call>& call : taken) ++busy_users_[call->item.mutation->user.value];
  under_way_count_ += taken.size();
  return taken;
}

void MutationQueue::ReleaseLocked(const domain::UserId& user) {
  const auto found = busy_users_.find(user.value);
  if (--found->second == 0) busy_users_.erase(found);
}

void MutationQueue::Lead(Lane& lane) {
  Calls calls;
  {
    const Lock lock(mutex_);
    calls = TakeLocked();
  }
  bool has_read = false;
  if (!calls.empty()) {
    RunBatch(lane, calls, [this, &has_read] {
      has_read = true;
      const Lock lock(mutex_);
      reading_ = false;
      ElectLocked();
    });
  }
  End(lane, calls, has_read);
  for (const std::shared_ptr<Call>& call : calls) call->Tell([](Call& told) { told.done = true; });
}

void MutationQueue::End(Lane& lane, const Calls& calls, bool has_read) {
  const Lock lock(mutex_);
  if (!has_read) reading_ = false;
  lane.busy = false;
  lane.last_size = calls.size();
  under_way_count_ -= calls.size();
  if (!calls.empty()) ++stats_.batch_count;
  for (const std::shared_ptr<Call>& call : calls) {
    if (call->item.verdict == Verdict::kAnswered) {
      ++stats_.batched_count;
      ReleaseLocked(call->item.mutation->user);
    } else {
      ++stats_.alone_count;  // and it still keeps its user
    }
  }
  ElectLocked();
}

void MutationQueue::RunBatch(Lane& lane, const Calls& calls, const std::function<void()>& on_read) {
  const PoolOptions& options = pool_.options();
  const bool limited = options.statement_timeout.count() > 0;
  const steady_clock::time_point deadline =
      limited ? steady_clock::now() + options.statement_timeout + options.answer_margin
              : steady_clock::time_point::max();
  std::unique_ptr<PipelineConnection>& connection = lane.connection;
  if (connection != nullptr && connection->WasClosedWhileIdle()) connection.reset();
  if (connection == nullptr) {
    if (steady_clock::now() < lane.connect_again_at) return;
    absl::StatusOr<std::unique_ptr<PipelineConnection>> made =
        PipelineConnection::Open(pool_.conninfo(), MutationBatch::Statements(), deadline);
    if (!made.ok()) {
      lane.connect_again_at = steady_clock::now() + kPauseAfterNoConnection;
      return;
    }
    connection = *std::move(made);
  }
  std::vector<BatchItem*> items;
  for (const std::shared_ptr<Call>& call : calls) items.push_back(&call->item);
  const std::set<int> shards =
      MutationBatch(items, options_.open_task_limit, deadline).Run(*connection, on_read);
  if (connection->lost()) connection.reset();
  const auto answered = [](const BatchItem* item) { return item->verdict == Verdict::kAnswered; };
  if (std::ranges::any_of(items, answered)) pool_.NoteAnswer();
  if (on_change_) {
    for (const int shard : shards) on_change_(shard);
  }
}

}  // namespace todo::store

#pragma once

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <list>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "ports/task_store.h"
#include "store/connection_pool.h"
#include "store/mutation_batch.h"
#include "store/mutation_queue_stats.h"
#include "store/pipeline_connection.h"

// Inside the room only.

namespace todo::store {

struct MutationQueueOptions {
  std::size_t max_batch = 64;      // mutations in a transaction; 1: each call goes alone
  std::size_t max_waiting = 1024;  // further calls go alone
  std::size_t max_batches = 2;     // under way at once, each on its own connection
  bool lone_calls_too = false;     // go through a batch; for tests
  std::optional<std::int64_t> open_task_limit = {};
};

/// Brings together calls that change tasks at about one time: they share a transaction, a commit
/// and two round trips (MutationBatch). Two batches run in turns, on a connection each: while one
/// writes and commits, the other reads. The calls that come meanwhile are the next batch. No call
/// waits for others to come while no batch runs. Beside a batch, the next one begins as soon as
/// the callers of the last one have come back, so that the two keep out of step; it waits for no
/// more than are under way, and for half as many at least, because a commit costs much for few. A
/// call runs its batch on its own thread, so the queue needs none.
///
/// A call goes alone, with its own statement, when no other is under way; when the batch passed it
/// over (its user is new, or others hold the user's lock); when its batch failed or cannot tell
/// whether it was committed; and when it waited for longer than for a connection of the pool. The
/// later calls of its user wait until it is done, as they wait for a batch that holds their user.
///
/// The pool gives the settings of the connection and must outlive the queue. Thread safety: all
/// methods may be called from many threads at once. Apply blocks.
class MutationQueue {
 public:
  /// The one statement of a call. `in_doubt`: the mutation may have been carried out already.
  using Alone = std::function<absl::StatusOr<ports::MutationResult>(bool in_doubt)>;

  /// `on_change(shard)` is called as by PgTaskStore, once for each shard of a batch.
  MutationQueue(ConnectionPool& pool, std::function<void(int shard)> on_change,
                MutationQueueOptions options);
  /// Precondition: no call is in Apply.
  ~MutationQueue();

  /// As ports::TaskStore::Apply. `alone` is called at most once.
  absl::StatusOr<ports::MutationResult> Apply(const ports::Mutation& mutation, const Alone& alone);

  MutationQueueStats stats();

 private:
  /// Where batches run, one at a time.
  struct Lane {
    bool busy = false;
    std::size_t last_size = 0;  // calls of its last batch
    // Of the call that leads.
    std::unique_ptr<PipelineConnection> connection;
    std::chrono::steady_clock::time_point connect_again_at{};
  };

  using Lock = std::lock_guard<std::mutex>;

  /// A call that waits. Each is woken by itself: a batch that ends must not make its calls queue up
  /// for one mutex.
  struct Call {
    BatchItem item;
    bool taken = false;  // by a batch; guarded by mutex_
    std::mutex mutex;
    std::condition_variable wake;
    Lane* leads = nullptr;  // guarded by mutex: is to run the next batch there
    bool done = false;      // guarded by mutex: `item` has the verdict of a batch

    /// Wakes the call after `change`, when the mutex is free again.
    template <typename Change>
    void Tell(Change change) {
      {
        const Lock lock(mutex);
        change(*this);
      }
      wake.notify_one();
    }
  };

  using Calls = std::vector<std::shared_ptr<Call>>;

  /// Whether the call waits for a batch now; otherwise it goes alone.
  bool Enter(const std::shared_ptr<Call>& call);
  bool GoesAloneLocked(const ports::Mutation& mutation) const;
  /// Until a batch has the verdict, or the call has given up waiting for one.
  void Wait(const std::shared_ptr<Call>& call);
  /// Whether the call left the queue. A batch that has taken it is to be waited for.
  bool GiveUp(const std::shared_ptr<Call>& call);
  /// Makes a waiting call run a batch, if there is one, a lane is free and no batch reads.
  void ElectLocked();
  /// How many calls are to wait before the lane begins its next batch.
  std::size_t EnoughLocked(const Lane& lane) const;
  /// Takes the calls of the next batch out of the queue.
  Calls TakeLocked();
  void ReleaseLocked(const domain::UserId& user);
  void Lead(Lane& lane);
  void End(Lane& lane, const Calls& calls, bool has_read);
  /// Calls `on_read` when the batch has read, if it comes so far.
  void RunBatch(Lane& lane, const Calls& calls, const std::function<void()>& on_read);

  ConnectionPool& pool_;
  const std::function<void(int shard)> on_change_;
  const MutationQueueOptions options_;

  std::mutex mutex_;
  std::list<std::shared_ptr<Call>> waiting_;  // guarded by mutex_, in the order of arrival
  std::map<std::string, int> busy_users_;     // guarded by mutex_: calls under way, by user
  std::vector<Lane> lanes_;                   // `busy` and `last_size` are guarded by mutex_
  std::size_t under_way_count_ = 0;           // guarded by mutex_: calls in batches
  bool reading_ = false;                      // guarded by mutex_: a batch has not read yet
  MutationQueueStats stats_;                  // guarded by mutex_
};

}  // namespace todo::store

#pragma once

#include <functional>
#include <pqxx/pqxx>
#include <set>
#include <string_view>
#include <type_traits>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "store/session.h"
#include "util/status.h"

// Inside the room only: transactions whose steps are calls from other rooms.

namespace todo::store {

/// One transaction, and the first failure of its steps. After a failure the database refuses
/// everything but the rollback, so no step runs any more, whatever the caller made of the failure.
/// Belongs to one thread.
class UnitOfWork {
 public:
  UnitOfWork(ConnectionPool::Lease& lease, pqxx::work& work) : work_(work), lease_(lease) {}

  /// The status of the first failed step; OK: no step failed.
  const absl::Status& status() const { return status_; }
  /// The shards whose outbox it wrote to.
  const std::set<int>& shards() const { return shards_; }

  /// For the statements of a step.
  pqxx::work& work() { return work_; }
  Session& session() { return lease_.session(); }
  /// To be called when a step has written to the outbox of `shard`.
  void NoteShard(int shard) { shards_.insert(shard); }

  /// Runs `step()`, which answers a StatusOr, and turns exceptions of the database library into a
  /// status. `attempted` names the step in that status.
  template <typename Step>
  std::invoke_result_t<const Step&> Guard(std::string_view attempted, const Step& step) {
    if (!status_.ok()) return status_;
    lease_.session().StartWaiting();
    try {
      auto result = step();
      status_ = result.status();
      return result;
    } catch (...) {
      return status_ = lease_.Failed(attempted);
    }
  }
  /// Runs `step()`, which answers nothing, like Guard.
  template <typename Step>
  absl::Status Do(std::string_view attempted, const Step& step) {
    return Guard(attempted,
                 [&]() -> absl::StatusOr<bool> {
                   step();
                   return true;
                 })
        .status();
  }

 protected:
  ~UnitOfWork() = default;

  pqxx::work& work_;
  std::set<int> shards_;

 private:
  ConnectionPool::Lease& lease_;
  absl::Status status_;
};

/// Runs `work(Unit&)` in a transaction that commits when `work` and all steps succeeded. Then calls
/// `on_shard` for each shard written to, after the connection went back to the pool. The shards are
/// also told when the outcome of the commit is not known (kUnknown).
template <typename Unit, typename Work>
absl::Status TransactAs(ConnectionPool& pool, std::string_view attempted, const Work& work,
                        const std::function<void(int shard)>& on_shard) {
  std::set<int> shards;
  absl::Status status;
  {
    TODO_ASSIGN_OR_RETURN(ConnectionPool::Lease lease, pool.Acquire());
    status = Transact(lease, attempted, [&](pqxx::work& transaction) {
      Unit unit(lease, transaction);
      const absl::Status done = work(unit);
      shards = unit.shards();
      return done.ok() ? unit.status() : done;
    });
  }
  if (on_shard && (status.ok() || absl::IsUnknown(status))) {
    for (const int shard : shards) on_shard(shard);
  }
  return status;
}

}  // namespace todo::store

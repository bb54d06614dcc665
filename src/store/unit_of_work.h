#pragma once

#include <functional>
#include <pqxx/pqxx>
#include <set>
#include <string_view>
#include <type_traits>

#include "absl/status/status.h"
#include "store/session.h"
#include "util/status.h"

// Inside the room only: transactions whose steps are calls from outside of it.

namespace todo::store {

/// What the transactions of several stores have in common. Belongs to one thread.
class UnitOfWork {
 public:
  UnitOfWork(ConnectionPool::Lease& lease, pqxx::work& work) : work_(work), lease_(lease) {}

  /// Of the first step that failed.
  const absl::Status& status() const { return status_; }
  /// Those in whose outbox it wrote.
  const std::set<int>& shards() const { return shards_; }

 protected:
  ~UnitOfWork() = default;

  /// Runs `step()`, which answers a StatusOr, and turns what it throws into a status. After a
  /// failure the database refuses all but the rollback, so no step is run any more, whatever the
  /// caller made of the failure.
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
  /// The same for a step that answers nothing.
  template <typename Step>
  absl::Status Do(std::string_view attempted, const Step& step) {
    return Guard(attempted,
                 [&]() -> absl::StatusOr<bool> {
                   step();
                   return true;
                 })
        .status();
  }

  pqxx::work& work_;
  std::set<int> shards_;

 private:
  ConnectionPool::Lease& lease_;
  absl::Status status_;
};

/// Runs `work(Unit&)` in a transaction that commits when it and all its steps went well, and then
/// tells `on_shard`, without a connection in its hands; also when nobody knows whether it committed
/// (kUnknown).
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

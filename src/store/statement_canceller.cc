#include "store/statement_canceller.h"

#include <stop_token>
#include <utility>
#include <vector>

#include "store/connection_pool.h"
#include "store/session.h"

namespace todo::store {
namespace {

using std::chrono::steady_clock;

constexpr std::chrono::milliseconds kLookInterval{50};

constexpr Statement kCancel{"cancel", "select pg_cancel_backend($1)"};

}  // namespace

StatementCanceller::StatementCanceller(std::string conninfo) : conninfo_(std::move(conninfo)) {}

StatementCanceller::~StatementCanceller() = default;

StatementCanceller::Guard::Guard(StatementCanceller& canceller, Session& session,
                                 const util::Cancellation& cancellation,
                                 steady_clock::time_point limit)
    : canceller_(canceller), session_(session), cancellation_(cancellation), limit_(limit) {
  session_.has_own_limit = true;
  const std::lock_guard<std::mutex> lock(canceller_.mutex_);
  canceller_.guards_.insert(this);
  if (canceller_.guards_.size() > 1) return;
  if (!canceller_.thread_.joinable()) {
    canceller_.thread_ =
        std::jthread([&owner = canceller_](const std::stop_token& stop) { owner.Run(stop); });
  }
  canceller_.changed_.notify_all();
}

StatementCanceller::Guard::~Guard() {
  std::unique_lock<std::mutex> lock(canceller_.mutex_);
  canceller_.changed_.wait(lock, [this] { return !in_use_; });
  canceller_.guards_.erase(this);
  session_.has_own_limit = false;
}

std::optional<StatementCanceller::Cause> StatementCanceller::Guard::cause() {
  {
    const std::lock_guard<std::mutex> lock(canceller_.mutex_);
    if (noted_) return noted_;
  }
  return CauseNow();
}

std::optional<StatementCanceller::Cause> StatementCanceller::Guard::CauseNow() const {
  if (cancellation_.requested && cancellation_.requested()) return Cause::kCallerGone;
  const steady_clock::time_point now = steady_clock::now();
  if (now >= cancellation_.deadline) return Cause::kDeadline;
  if (now >= limit_) return Cause::kTimeLimit;
  return std::nullopt;
}

void StatementCanceller::Run(const std::stop_token& stop) {
  std::unique_lock<std::mutex> lock(mutex_);
  while (changed_.wait(lock, stop, [this] { return !guards_.empty(); })) {
    changed_.wait_for(lock, stop, kLookInterval, [] { return false; });
    CancelDue(lock);
  }
}

void StatementCanceller::CancelDue(std::unique_lock<std::mutex>& lock) {
  const std::vector<Guard*> guards(guards_.begin(), guards_.end());
  for (Guard* guard : guards) {
    if (!guards_.contains(guard)) continue;  // gone meanwhile
    guard->in_use_ = true;
    lock.unlock();
    const std::optional<Cause> cause = guard->CauseNow();
    // Again at every look: a request that came before its statement had no effect.
    if (cause) Cancel(guard->session_.backend_pid);
    lock.lock();
    guard->in_use_ = false;
    if (!guard->noted_) guard->noted_ = cause;
    changed_.notify_all();
  }
}

void StatementCanceller::Cancel(int backend_pid) {
  if (backend_pid == 0) return;  // its statement has not begun
  if (connection_ == nullptr) {
    connection_ = std::make_unique<ConnectionPool>(
        conninfo_, PoolOptions{.max_connections = 1,
                               .statement_timeout = std::chrono::seconds(1),
                               .answer_margin = std::chrono::seconds(1),
                               .application_name = "todo-service canceller"});
  }
  Once(*connection_, "cancel a statement",
       [&](pqxx::transaction_base& transaction) -> absl::StatusOr<bool> {
         return Exec(transaction, kCancel, backend_pid)[0][0].as<bool>();
       })
      .status()
      .IgnoreError();
}

}  // namespace todo::store

#pragma once

#include <chrono>
#include <mutex>
#include <set>
#include <thread>

namespace todo::store {

struct Session;

/// Ends the connections whose server has not answered for too long. A server ends long statements
/// itself, and TCP notices a host that is gone. This class is for a server that accepts statements
/// and then does nothing: the database library would wait for it for ever. A caller that waits sees
/// a lost connection.
/// Owned by the pool; must outlive its sessions. Runs one thread, which the destructor joins.
/// Thread safety: all methods may be called from many threads at once. None blocks for long.
class StatementWatch {
 public:
  /// `limit` is the time that one statement may take, as measured here. Zero: there is no limit.
  explicit StatementWatch(std::chrono::milliseconds limit);
  ~StatementWatch();
  StatementWatch(const StatementWatch&) = delete;
  StatementWatch& operator=(const StatementWatch&) = delete;

  void Add(const Session& session);
  /// Afterwards the session's socket is not touched any more.
  void Remove(const Session& session);

 private:
  void Run(const std::stop_token& stop);

  const std::chrono::milliseconds limit_;
  std::mutex mutex_;
  std::set<const Session*> sessions_;  // guarded by mutex_
  std::jthread thread_;                // last: stops first
};

}  // namespace todo::store

#pragma once

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <set>
#include <thread>

namespace todo::store {

struct Session;

/// Ends the connections whose server has not answered for too long. The server itself ends long
/// statements and TCP notices a host that is gone; this is for a server that accepts what we send
/// and then does nothing, for which the database library would wait for ever. Who waits sees a lost
/// connection.
/// Owned by the pool; must outlive its sessions. One thread, which the destructor joins.
/// Thread safety: all methods may be called from many threads at once.
class StatementWatch {
 public:
  /// `limit`: for one statement, as seen from here. Zero: there is none.
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
  std::condition_variable_any stopped_;
  std::jthread thread_;  // last: stops first
};

}  // namespace todo::store

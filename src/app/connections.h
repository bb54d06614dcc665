#pragma once

#include <map>
#include <string>

#include "app/config/config.h"
#include "store/connection_pool.h"

namespace todo::app {

// Threads that use the database besides the workers of API calls and events.
inline constexpr int kRetryThreads = 2;
inline constexpr int kReminderThreads = 2;
inline constexpr int kZoneThreads = 1;
inline constexpr int kUsageThreads = 1;
inline constexpr int kLiveThreads = 4;  // read missed changes; one thread more checks cursors

/// All connections to the database and how many of each kind there may be. Every part has a pool
/// of its own, so that heavy load on one part is not an outage of another.
struct Connections {
  explicit Connections(const Config& config);

  /// By the names that /metrics shows.
  std::map<std::string, store::PoolStats> stats();

  store::ConnectionPool calls;  // API calls, events, retries, reminders and rebuilds
  store::ConnectionPool relay;
  store::ConnectionPool probe;    // asks for signs of life
  store::ConnectionPool retries;  // the retry queue: failures can be stored under any load
  store::ConnectionPool crash_log;
  store::ConnectionPool audit;
  store::ConnectionPool deliveries;
  store::ConnectionPool clean_up;
  store::ConnectionPool live;  // screens that come back, and the check of their cursors
};

}  // namespace todo::app

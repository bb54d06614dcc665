#include "app/connections.h"

#include <algorithm>
#include <chrono>

namespace todo::app {
namespace {

using namespace std::chrono_literals;

store::PoolOptions RelayConnection(const Config& config) {
  store::PoolOptions options{.max_connections = 1, .application_name = "todo-service relay"};
  // A heartbeat that takes longer than the lease comes too late.
  options.statement_timeout = std::min(options.statement_timeout, config.relay_lease * 3 / 4);
  return options;
}

}  // namespace

Connections::Connections(const Config& config)
    : calls(config.database_url,
            // Retries, reminders, repairs and rebuilds do not wait for the workers' connections.
            {.max_connections = config.database_pool_size + kRetryThreads + kReminderThreads +
                                kZoneThreads + kUsageThreads}),
      relay(config.database_url, RelayConnection(config)),
      probe(config.database_url, {.max_connections = 1,
                                  .statement_timeout = 2s,
                                  .application_name = "todo-service watch"}),
      retries(config.database_url,
              {.max_connections = kRetryThreads + 4, .application_name = "todo-service retries"}),
      // One for each thread that applies events. The rows must outlive the process only.
      crash_log(config.database_url, {.max_connections = config.event_worker_count + kRetryThreads,
                                      .asynchronous_commit = true,
                                      .application_name = "todo-service crash log"}),
      // No caller waits for the audit, and after an import it may have many changes to look at.
      audit(config.database_url, {.max_connections = 1,
                                  .statement_timeout = 30s,
                                  .application_name = "todo-service audit"}),
      // Used before and after an attempt, never during it. If a crash of the machine undoes a
      // commit, the delivery is sent again under its id.
      deliveries(config.database_url, {.max_connections = 4,
                                       .asynchronous_commit = true,
                                       .application_name = "todo-service deliveries"}),
      // No caller waits for the clean-up. If a crash of the machine undoes a commit, the next
      // clean-up deletes the rows again.
      clean_up(config.database_url, {.max_connections = 1,
                                     .statement_timeout = 60s,
                                     .asynchronous_commit = true,
                                     .application_name = "todo-service clean-up"}),
      live(config.database_url,
           {.max_connections = kLiveThreads + 1, .application_name = "todo-service live"}) {}

std::map<std::string, store::PoolStats> Connections::stats() {
  return {{"calls", calls.stats()},     {"relay", relay.stats()},
          {"retries", retries.stats()}, {"crash_log", crash_log.stats()},
          {"audit", audit.stats()},     {"deliveries", deliveries.stats()},
          {"live", live.stats()}};
}

}  // namespace todo::app

#include "app/config/checks.h"

#include <fmt/format.h>

#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "app/channel_setup.h"
#include "app/config/setting.h"
#include "app/http_ports.h"
#include "app/issuer_list.h"
#include "app/page_setup.h"
#include "appcallback/delivery_limits.h"
#include "store/connection_pool.h"
#include "telemetry/collector.h"
#include "util/status.h"

namespace todo::app {
namespace {

/// Of one call of the sidecar: the process holds the whole call in memory, more than once.
constexpr std::int64_t kMaxCallBytes = std::int64_t{1024} * 1024 * 1024;

using Faults = std::vector<std::string>;

void CheckDatabase(const LoadedConfig& loaded, Faults& faults) {
  if (!loaded.sources.contains("database-url")) {
    faults.emplace_back(
        "--database-url is missing: set it, or TODO_DATABASE_URL in the environment, to something "
        "like postgresql://todo@127.0.0.1:5432/todo; the service keeps nothing in memory only");
    return;
  }
  const std::string& url = loaded.config.database_url;
  if (url.empty()) return;  // that is a fault already
  if (const absl::Status status = store::CheckConninfo(url); !status.ok()) {
    faults.push_back(
        fmt::format("--database-url is not understood: {}", util::FromAbsl(status.message())));
  }
}

void CheckDevIdentity(const Config& config, Faults& faults) {
  if (!config.dev_identity) return;
  for (const auto& [name, address] : {std::pair{"api-address", config.api_address},
                                      {"app-address", config.app_address},
                                      {"web-address", config.web_address},
                                      {"ops-address", config.ops_address}}) {
    if (IsLoopback(address)) continue;
    faults.push_back(fmt::format(
        "--dev-identity trusts what callers say about themselves, so it works on loopback only: "
        "--{} must be 127.0.0.1, not {}",
        name, address));
  }
}

/// Values of settings, by flag, of which no two may be equal.
using Named = std::pair<std::string_view, std::string>;
void CheckDifferent(std::span<const Named> values, Faults& faults) {
  for (std::size_t i = 0; i < values.size(); ++i) {
    for (std::size_t j = i + 1; j < values.size(); ++j) {
      if (values[i].second != values[j].second) continue;
      faults.push_back(fmt::format("--{} and --{} are both {}: they must differ", values[i].first,
                                   values[j].first, values[i].second));
    }
  }
}

void CheckPorts(const Config& config, Faults& faults) {
  std::vector<Named> ports;
  for (const auto& [name, port] : {std::pair{"app-port", config.app_port},
                                   {"api-port", config.api_port},
                                   {"web-port", config.web_port},
                                   {"ops-port", config.ops_port}}) {
    if (port != 0) ports.emplace_back(name, fmt::to_string(port));
  }
  CheckDifferent(ports, faults);
}

void CheckTopics(const Config& config, Faults& faults) {
  const Named topics[] = {{"task-events-topic", Quoted(config.task_events_topic)},
                          {"task-updates-topic", Quoted(config.task_updates_topic)},
                          {"reminders-topic", Quoted(config.reminders_topic)}};
  CheckDifferent(topics, faults);
}

void CheckComponents(const Config& config, Faults& faults) {
  if (config.bus != Bus::kKafka || config.broadcast_pubsub != config.pubsub) return;
  faults.push_back(
      fmt::format("--broadcast-pubsub and --pubsub are both {}: replicas share the records of the "
                  "one, and each gets all records of the other, so with Kafka they must differ",
                  Quoted(config.pubsub)));
}

void CheckWorkers(const Config& config, Faults& faults) {
  if (config.worker_count + config.event_worker_count <= config.database_pool_size) return;
  faults.push_back(
      fmt::format("--worker-count ({}) and --event-worker-count ({}) are together more than "
                  "--database-pool-size ({}): calls would wait for each other's connections",
                  config.worker_count, config.event_worker_count, config.database_pool_size));
}

void CheckRelay(const Config& config, Faults& faults) {
  if (config.relay_poll * 4 <= config.relay_lease) return;
  faults.push_back(fmt::format("--relay-poll ({}) must be at most a quarter of --relay-lease ({})",
                               FormatDuration(config.relay_poll),
                               FormatDuration(config.relay_lease)));
}

void CheckTraces(const Config& config, Faults& faults) {
  if (config.trace_endpoint.empty()) return;
  const absl::Status status = telemetry::HttpSender(config.trace_endpoint).status();
  if (!status.ok())
    faults.push_back(fmt::format("--trace-endpoint: {}", util::FromAbsl(status.message())));
}

void CheckCallSize(const Config& config, Faults& faults) {
  const int batch = config.bulk_delivery ? config.delivery_batch : 1;
  const std::int64_t bytes = appcallback::MaxDeliveryBytes(config.record_limit, batch);
  if (bytes <= kMaxCallBytes) return;
  constexpr std::int64_t kMebibyte = 1024 * 1024;
  faults.push_back(fmt::format(
      "--delivery-batch ({}) records of --record-limit ({} bytes) can become a call of {} MiB, and "
      "the limit is {} MiB: lower one of the two",
      batch, config.record_limit, bytes / kMebibyte + 1, kMaxCallBytes / kMebibyte));
}

}  // namespace

bool IsLoopback(const std::string& address) {
  return address == "localhost" || address == "::1" || address.starts_with("127.");
}

void FillDependentDefaults(LoadedConfig& loaded) {
  Config& config = loaded.config;
  const auto is_set = [&loaded](const char* name) { return loaded.sources.contains(name); };
  const char* const address = config.dev_identity ? "127.0.0.1" : "0.0.0.0";
  if (!is_set("web-address")) config.web_address = address;
  if (!is_set("ops-address")) config.ops_address = address;
  // A screen keeps its connection, so the rest is for calls.
  if (!is_set("live-max-screens"))
    config.live_max_screens = std::max(1, config.web_max_connections * 3 / 4);
  if (!is_set("bulk-delivery")) config.bulk_delivery = config.bus == Bus::kKafka;
  if (!is_set("delivery-batch")) {
    config.delivery_batch = static_cast<int>(
        std::clamp<std::int64_t>(appcallback::MaxDeliveryBatch(config.record_limit, kMaxCallBytes),
                                 1, config.delivery_batch));
  }
  if (!is_set("broadcast-pubsub") && config.bus == Bus::kMemory)
    config.broadcast_pubsub = config.pubsub;
  if (!is_set("audit-delay")) {
    config.audit_delay =
        config.bus == Bus::kKafka ? std::chrono::minutes(5) : std::chrono::seconds(5);
  }
  if (!is_set("instance")) {
    std::array<char, 256> host{};
    gethostname(host.data(), host.size() - 1);
    config.instance = fmt::format("{}:{}", host.data(), config.app_port);
  }
  if (!is_set("event-worker-count"))
    config.event_worker_count = std::max(1, config.database_pool_size / 4);
  if (!is_set("worker-count"))
    config.worker_count = std::max(1, config.database_pool_size - config.event_worker_count);
}

void CheckTogether(LoadedConfig& loaded) {
  const Config& config = loaded.config;
  CheckDatabase(loaded, loaded.faults);
  CheckDevIdentity(config, loaded.faults);
  for (std::string& fault : TakeIssuers(loaded.config, config.dev_identity))
    loaded.faults.push_back(std::move(fault));
  for (std::string& fault : SignInFaults(config)) loaded.faults.push_back(std::move(fault));
  CheckPorts(config, loaded.faults);
  CheckWorkers(config, loaded.faults);
  CheckRelay(config, loaded.faults);
  CheckCallSize(config, loaded.faults);
  CheckTraces(config, loaded.faults);
  for (std::string& fault : ChannelFaults(config)) loaded.faults.push_back(std::move(fault));
  for (std::string& fault : HttpFaults(config)) loaded.faults.push_back(std::move(fault));
  CheckTopics(config, loaded.faults);
  CheckComponents(config, loaded.faults);
}

}  // namespace todo::app

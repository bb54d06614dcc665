#pragma once

#include <chrono>
#include <map>
#include <string>
#include <vector>

#include "app/config/channel_settings.h"
#include "app/config/http_settings.h"
#include "app/config/identity_settings.h"
#include "app/config/live_settings.h"
#include "app/config/trace_settings.h"
#include "app/config/user_settings.h"
#include "util/log.h"

namespace todo::app {

enum class Bus { kKafka, kMemory };

/// The work of a process: all of it, or one half, so that load from outside holds up no event.
enum class Role { kAll, kApi, kEvents };

/// The values of all settings. The initial values are the defaults, except where a comment gives
/// the default. The table of settings (config/table.cc), and so --help, says what each one means.
struct Config : ChannelSettings,
                HttpSettings,
                IdentitySettings,
                LiveSettings,
                TraceSettings,
                UserSettings {
  Role role = Role::kAll;
  bool takes_calls() const { return role != Role::kEvents; }
  bool takes_events() const { return role != Role::kApi; }

  std::string app_address = "127.0.0.1";
  int app_port = 50051;
  std::string api_address = "127.0.0.1";
  int api_port = 50052;
  bool dev_identity = false;

  std::string database_url;  // required
  int database_pool_size = 16;
  int worker_count = 0;        // default: what event_worker_count leaves of database_pool_size
  int event_worker_count = 0;  // default: a quarter of database_pool_size
  int worker_queue = 512;

  std::string dapr_grpc_endpoint = "127.0.0.1:50001";
  Bus bus = Bus::kKafka;
  bool bulk_delivery = false;  // default: true with Kafka
  // Between two full calls for a partition the sidecar makes one or two small ones, whatever the
  // size of the full ones. Default: fewer where record_limit is so large that they do not fit.
  int delivery_batch = 300;
  int record_limit = 1024 * 1024;  // bytes
  std::string pubsub = "kafka-pubsub";
  std::string broadcast_pubsub = "kafka-broadcast";  // default with Bus::kMemory: that of pubsub
  std::string statestore = "statestore";
  std::string secretstore = "kubernetes-secrets";
  std::string conversation_component;  // empty: no language model
  std::string task_events_topic = "task-events";
  std::string task_updates_topic = "task-updates";
  std::string reminders_topic = "reminders";

  std::string secret = "todo-secrets";

  std::string instance;  // default: host name and app port
  std::chrono::milliseconds relay_lease{4'000};
  std::chrono::milliseconds relay_poll{250};
  std::chrono::milliseconds audit_delay{0};  // default: 5m with Kafka, 5s in memory
  std::chrono::milliseconds reminder_sweep{10'000};
  std::chrono::milliseconds drain_timeout{10'000};
  util::Severity log_level = util::Severity::kInfo;

  // Secrets come from the environment only: every user of the machine can read a process's flags.
  std::string dapr_api_token;
  std::string app_api_token;
};

/// A request on the command line besides settings.
enum class Command { kServe, kHelp, kVersion, kPrintConfig };

struct LoadedConfig {
  Config config;
  Command command = Command::kServe;
  /// Every mistake in the settings, one sentence each. If there is any, do not use `config`.
  std::vector<std::string> faults;
  /// Input that looks like a mistake but changes nothing, one sentence each.
  std::vector<std::string> warnings;
  /// Where each setting's value comes from, by name: "flag", or "environment TODO_…". A setting
  /// without an entry has its default.
  std::map<std::string, std::string> sources;
};

/// Reads the settings: a flag wins over an environment variable, which wins over the default.
/// `arguments` do not contain the program's name. Never fails: see LoadedConfig::faults.
LoadedConfig LoadConfig(const std::vector<std::string>& arguments,
                        const std::map<std::string, std::string>& environment);

}  // namespace todo::app

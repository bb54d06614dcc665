#pragma once

#include <chrono>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "util/log.h"

namespace todo::app {

enum class Bus { kKafka, kMemory };

/// Every setting, after flags, environment and defaults have been put over one another. The initial
/// values are the defaults, except where a comment says otherwise. What each one means stands in
/// the table of config.cc, and so in
/// --help.
struct Config {
  std::string app_address = "127.0.0.1";
  int app_port = 50051;
  std::string api_address;  // default: 127.0.0.1 with dev_identity, else 0.0.0.0
  int api_port = 50052;
  std::string http_address;  // default: as api_address
  int http_port = 8080;
  bool dev_identity = false;

  std::string database_url;  // required
  int database_pool_size = 16;
  int worker_count = 0;        // default: what event_worker_count leaves of database_pool_size
  int event_worker_count = 0;  // default: a quarter of database_pool_size
  int worker_queue = 512;

  std::string dapr_grpc_endpoint = "127.0.0.1:50001";
  Bus bus = Bus::kKafka;
  bool bulk_delivery = false;  // default: true with Kafka
  int delivery_batch = 100;
  int record_limit = 1024 * 1024;  // bytes
  std::string pubsub = "kafka-pubsub";
  std::string statestore = "statestore";
  std::string secretstore = "kubernetes-secrets";
  std::string task_events_topic = "task-events";
  std::string task_updates_topic = "task-updates";
  std::string reminders_topic = "reminders";

  std::string smtp_url;             // empty: no e-mail
  std::string mail_from;            // an address, perhaps with a name before it
  std::string vapid_contact;        // default: mail_from's address
  std::string webhook_allow_hosts;  // separated by commas
  std::string secret = "todo-secrets";
  std::string smtp_user_key = "smtp-user";
  std::string smtp_password_key = "smtp-password";
  std::string vapid_private_key_key = "vapid-private-key";
  std::string webhook_master_key_key = "webhook-master-key";

  std::string instance;  // default: host name and app port
  std::chrono::milliseconds relay_lease{4'000};
  std::chrono::milliseconds relay_poll{250};
  std::chrono::milliseconds audit_delay{0};  // default: 5m with Kafka, 5s in memory
  std::chrono::milliseconds reminder_sweep{10'000};
  std::chrono::milliseconds drain_timeout{10'000};
  util::Severity log_level = util::Severity::kInfo;

  // Secrets: from the environment only, since flags can be read by everybody on the machine.
  std::string dapr_api_token;
  std::string app_api_token;
};

/// What the command line asks for besides settings.
enum class Command { kServe, kHelp, kVersion, kPrintConfig };

struct LoadedConfig {
  Config config;
  Command command = Command::kServe;
  std::vector<std::string>
      faults;  // all that is wrong, a sentence each; with any, `config` is not to be used
  std::vector<std::string> warnings;  // what looks like a mistake
  std::map<std::string, std::string>
      sources;  // where each setting's value is from, by name: "flag", …
};

/// Puts `arguments` (without the program's name) over `environment` over the defaults. Never fails:
/// see `faults`.
LoadedConfig LoadConfig(const std::vector<std::string>& arguments,
                        const std::map<std::string, std::string>& environment);

std::string_view Version();

/// What --help prints.
std::string HelpText();

/// What --print-config prints: a line for each setting with its value and where that is from;
/// secrets masked.
std::string PrintedConfig(const LoadedConfig& loaded);

/// A connection string (URI or key=value) that may be shown: only what is known to be harmless is
/// left.
std::string MaskedDatabaseUrl(std::string_view url);

}  // namespace todo::app

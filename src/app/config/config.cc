#include "app/config/config.h"

#include <arpa/inet.h>
#include <fmt/format.h>

#include <unistd.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <functional>
#include <limits>
#include <optional>
#include <utility>

#include "app/channel_setup.h"
#include "appcallback/delivery_limits.h"
#include "store/connection_pool.h"
#include "util/status.h"

namespace todo::app {
namespace {

using std::chrono::milliseconds;

// ---- one setting

struct Setting {
  std::string name;  // "app-port": the flag is --app-port, the environment variable TODO_APP_PORT
  std::string hint;  // stands for the value in --help
  std::string meaning;
  /// Takes the text of a value. Answers what is wrong with it, or nothing.
  std::function<std::string(Config&, std::string_view)> set;
  /// The value as text, in the form that `set` takes.
  std::function<std::string(const Config&)> show;
  std::string default_text = {};     // where the default depends on other settings
  bool is_boolean = false;           // the flag may stand alone
  std::string secret_variable = {};  // not a flag: comes from this environment variable only
};

std::string Quoted(std::string_view text) {
  constexpr std::size_t kMaxQuotedBytes = 60;
  if (text.size() > kMaxQuotedBytes) return fmt::format("\"{}…\"", text.substr(0, kMaxQuotedBytes));
  return fmt::format("\"{}\"", text);
}

Setting Text(std::string name, std::string hint, std::string Config::*field, std::string meaning) {
  return {.name = std::move(name),
          .hint = std::move(hint),
          .meaning = std::move(meaning),
          .set = [field](Config& config, std::string_view text) -> std::string {
            config.*field = text;
            return text.empty() ? "must not be empty" : "";
          },
          .show = [field](const Config& config) { return config.*field; }};
}

Setting Address(std::string name, std::string Config::*field, std::string meaning) {
  Setting setting = Text(std::move(name), "ADDRESS", field, std::move(meaning));
  setting.set = [field](Config& config, std::string_view text) -> std::string {
    config.*field = text;
    std::array<unsigned char, sizeof(in6_addr)> unused{};
    if (text == "localhost" || inet_pton(AF_INET, (config.*field).c_str(), unused.data()) == 1 ||
        inet_pton(AF_INET6, (config.*field).c_str(), unused.data()) == 1) {
      return "";
    }
    return fmt::format("is {}; it must be an IP address or localhost", Quoted(text));
  };
  return setting;
}

Setting Number(std::string name, int Config::*field, int min, int max, std::string meaning) {
  return {.name = std::move(name),
          .hint = "N",
          .meaning = std::move(meaning),
          .set = [=](Config& config, std::string_view text) -> std::string {
            int value = 0;
            const auto [end, error] =
                std::from_chars(text.data(), text.data() + text.size(), value);
            if (error != std::errc() || end != text.data() + text.size() || value < min ||
                value > max) {
              const bool link = text.starts_with("tcp://");
              return fmt::format(
                  "is {}; it must be a whole number from {} to {}{}", Quoted(text), min, max,
                  link ? " (Kubernetes sets such values for a Service whose name fits: set "
                         "enableServiceLinks: false in the pod)"
                       : "");
            }
            config.*field = value;
            return "";
          },
          .show = [field](const Config& config) { return fmt::format("{}", config.*field); }};
}

Setting Boolean(std::string name, bool Config::*field, std::string meaning) {
  return {.name = std::move(name),
          .hint = "true|false",
          .meaning = std::move(meaning),
          .set = [field](Config& config, std::string_view text) -> std::string {
            if (text != "true" && text != "false") {
              return fmt::format("is {}; it must be true or false", Quoted(text));
            }
            config.*field = text == "true";
            return "";
          },
          .show = [field](const Config& config) { return fmt::format("{}", config.*field); },
          .is_boolean = true};
}

template <typename Enum>
Setting Choice(std::string name, Enum Config::*field,
               std::vector<std::pair<std::string, Enum>> choices, std::string meaning) {
  std::string names;
  for (const auto& choice : choices) names += (names.empty() ? "" : "|") + choice.first;
  return {.name = std::move(name),
          .hint = names,
          .meaning = std::move(meaning),
          .set = [=](Config& config, std::string_view text) -> std::string {
            const auto found =
                std::ranges::find(choices, text, [](const auto& choice) { return choice.first; });
            if (found == choices.end())
              return fmt::format("is {}; it must be one of {}", Quoted(text), names);
            config.*field = found->second;
            return "";
          },
          .show =
              [=](const Config& config) {
                return std::ranges::find(choices, config.*field,
                                         [](const auto& choice) { return choice.second; })
                    ->first;
              }};
}

struct Unit {
  std::string_view suffix;
  std::int64_t milliseconds_count;
};
constexpr Unit kUnits[] = {{"h", 3'600'000}, {"m", 60'000}, {"s", 1'000}, {"ms", 1}};

std::string FormatDuration(milliseconds duration) {
  for (const Unit& unit : kUnits) {
    if (duration.count() % unit.milliseconds_count == 0) {
      return fmt::format("{}{}", duration.count() / unit.milliseconds_count, unit.suffix);
    }
  }
  return "";
}

std::optional<milliseconds> ParseDuration(std::string_view text) {
  std::int64_t count = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), count);
  const std::string_view suffix(end, static_cast<std::size_t>(text.data() + text.size() - end));
  const auto* unit = std::ranges::find(kUnits, suffix, &Unit::suffix);
  if (error != std::errc() || unit == std::end(kUnits) || count < 0 ||
      count > std::numeric_limits<std::int64_t>::max() / unit->milliseconds_count) {
    return std::nullopt;
  }
  return milliseconds(count * unit->milliseconds_count);
}

Setting Duration(std::string name, milliseconds Config::*field, milliseconds min, milliseconds max,
                 std::string meaning) {
  return {.name = std::move(name),
          .hint = "DURATION",
          .meaning = std::move(meaning),
          .set = [=](Config& config, std::string_view text) -> std::string {
            const std::optional<milliseconds> duration = ParseDuration(text);
            if (!duration || *duration < min || *duration > max) {
              return fmt::format(
                  "is {}; it must be a duration with its unit (ms, s, m, h) from {} to {}",
                  Quoted(text), FormatDuration(min), FormatDuration(max));
            }
            config.*field = *duration;
            return "";
          },
          .show = [field](const Config& config) { return FormatDuration(config.*field); }};
}

Setting Secret(std::string variable, std::string Config::*field, std::string meaning) {
  Setting setting = Text("", "", field, std::move(meaning));
  setting.set = [field](Config& config, std::string_view text) -> std::string {
    config.*field = text;
    // It travels as gRPC metadata.
    const bool sendable = std::ranges::all_of(text, [](char c) { return c > ' ' && c <= '~'; });
    return sendable
               ? ""
               : "holds spaces, line breaks or other characters that cannot be sent in a header";
  };
  setting.show = [field](const Config& config) { return (config.*field).empty() ? "" : "***"; };
  setting.secret_variable = std::move(variable);
  return setting;
}

/// "host:port", also in the forms that Dapr's own SDKs take: "http://host:port", "dns:host:port".
std::string SetEndpoint(Config& config, std::string_view text) {
  std::string_view rest = text;
  if (rest.starts_with("https://") || rest.find("tls=true") != std::string_view::npos) {
    return "asks for TLS; the sidecar is expected on this machine, without TLS, as host:port";
  }
  for (const std::string_view scheme : {"http://", "grpc://", "dns:///", "dns:"}) {
    if (rest.starts_with(scheme)) {
      rest.remove_prefix(scheme.size());
      break;
    }
  }
  rest = rest.substr(0, rest.find_first_of("/?"));
  const std::size_t colon = rest.rfind(':');
  int port = 0;
  if (colon == std::string_view::npos || colon == 0 ||
      std::from_chars(rest.data() + colon + 1, rest.data() + rest.size(), port).ptr !=
          rest.data() + rest.size() ||
      port < 1 || port > 65'535) {
    return fmt::format("is {}; it must be host:port", Quoted(text));
  }
  config.dapr_grpc_endpoint = rest;
  return "";
}

// ---- the table: everything that can be set

const std::vector<Setting>& Settings() {
  using namespace std::chrono_literals;
  static const std::vector<Setting> settings = [] {
    std::vector<Setting> all;
    all.push_back(
        Address("app-address", &Config::app_address, "where the sidecar's calls are served"));
    all.push_back(Number("app-port", &Config::app_port, 0, 65'535,
                         "port of the sidecar's calls; 0: any free one"));
    all.push_back(Address("api-address", &Config::api_address, "where the public API is served"));
    all.back().default_text = "127.0.0.1 with --dev-identity, else 0.0.0.0";
    all.push_back(Number("api-port", &Config::api_port, 0, 65'535,
                         "port of the public API; 0: any free one"));
    all.push_back(Address("http-address", &Config::http_address,
                          "where /metrics, /healthz and /readyz are served"));
    all.back().default_text = "127.0.0.1 with --dev-identity, else 0.0.0.0";
    all.push_back(
        Number("http-port", &Config::http_port, 0, 65'535, "port of those pages; 0: any free one"));
    all.push_back(Boolean(
        "dev-identity", &Config::dev_identity,
        "believe the metadata x-user-id and x-user-role; for trying out, on loopback only"));

    all.push_back(Text("database-url", "URL", &Config::database_url,
                       "PostgreSQL, as postgresql://user@host:port/name or key=value; may hold a "
                       "password, so better "
                       "given in the environment"));
    all.back().default_text = "none: required";
    all.push_back(Number("database-pool-size", &Config::database_pool_size, 2, 1'000,
                         "connections to the database, at most"));
    all.push_back(Number("worker-count", &Config::worker_count, 1, 1'000,
                         "API calls that are worked on at a time"));
    all.back().default_text = "what event-worker-count leaves of database-pool-size";
    all.push_back(Number("event-worker-count", &Config::event_worker_count, 1, 1'000,
                         "deliveries of events that are worked on at a time"));
    all.back().default_text = "a quarter of database-pool-size";
    all.push_back(
        Number("worker-queue", &Config::worker_queue, 1, 1'000'000,
               "calls that may wait for a worker; more are refused as RESOURCE_EXHAUSTED"));

    all.push_back(
        Text("dapr-grpc-endpoint", "HOST:PORT", &Config::dapr_grpc_endpoint,
             "the sidecar's gRPC API; also taken from DAPR_GRPC_ENDPOINT, else DAPR_GRPC_PORT"));
    all.back().set = SetEndpoint;
    all.push_back(Choice<Bus>("bus", &Config::bus,
                              {{"kafka", Bus::kKafka}, {"memory", Bus::kMemory}},
                              "what the pub/sub component is; memory is for trying out"));
    all.push_back(Boolean("bulk-delivery", &Config::bulk_delivery,
                          "let the sidecar deliver many events in one call"));
    all.back().default_text = "true with --bus=kafka, else false";
    all.push_back(Number("delivery-batch", &Config::delivery_batch, 1, 10'000,
                         "events that the sidecar delivers in one call, at most"));
    all.push_back(Number("record-limit", &Config::record_limit, 1'024, 1'000'000'000,
                         "largest record that the topics take, in bytes and before compression (of "
                         "Kafka: max.message.bytes); a larger one stops all deliveries"));
    all.push_back(Text("pubsub", "NAME", &Config::pubsub, "Dapr pub/sub component"));
    all.push_back(Text("statestore", "NAME", &Config::statestore, "Dapr state component"));
    all.push_back(Text("secretstore", "NAME", &Config::secretstore, "Dapr secret store"));
    all.push_back(Text("task-events-topic", "NAME", &Config::task_events_topic,
                       "topic of every change of a task"));
    all.push_back(Text("task-updates-topic", "NAME", &Config::task_updates_topic,
                       "topic of the changes for live screens"));
    all.push_back(Text("reminders-topic", "NAME", &Config::reminders_topic,
                       "topic of the reminders that are due"));

    all.push_back(
        Text("smtp-url", "URL", &Config::smtp_url,
             "mail server for reminders: smtp://host:port (STARTTLS), smtps://host:port (TLS), or "
             "smtp+plain://host:port without encryption or password"));
    all.back().default_text = "none: no e-mail";
    all.push_back(Text("mail-from", "ADDRESS", &Config::mail_from,
                       "sender of the mail: todo@example.org or \"Todo <todo@example.org>\""));
    all.back().default_text = "none: needed with smtp-url";
    all.push_back(Text("vapid-contact", "URL", &Config::vapid_contact,
                       "by which push services reach the operator: mailto: or https:"));
    all.back().default_text = "mail-from; needed for Web Push";
    all.push_back(Text("webhook-allow-hosts", "LIST", &Config::webhook_allow_hosts,
                       "hosts, addresses and blocks (10.0.0.0/8), separated by commas, that "
                       "webhooks and pushes may go to although they are private or without TLS"));
    all.back().default_text = "none";
    all.push_back(Text("secret", "NAME", &Config::secret,
                       "secret in the secret store whose keys the next four settings name"));
    all.push_back(Text("smtp-user-key", "NAME", &Config::smtp_user_key,
                       "key of the mail server's user; without it and the password: no login"));
    all.push_back(Text("smtp-password-key", "NAME", &Config::smtp_password_key,
                       "key of the mail server's password"));
    all.push_back(Text("vapid-private-key-key", "NAME", &Config::vapid_private_key_key,
                       "key of the private key of Web Push, as PEM or base64url"));
    all.push_back(Text("webhook-master-key-key", "NAME", &Config::webhook_master_key_key,
                       "key of what the signing secrets of webhooks are derived from: at least 32 "
                       "random characters, never to change"));

    all.push_back(
        Text("instance", "NAME", &Config::instance,
             "names this replica, the same after each restart, so that a crash is noticed"));
    all.back().default_text = "host name and app port";
    all.push_back(Duration("relay-lease", &Config::relay_lease, 1s, 60s,
                           "how long a replica that stopped keeps its share of the outbox"));
    all.push_back(Duration("relay-poll", &Config::relay_poll, 10ms, 10s,
                           "how often the outbox is looked at when nothing announces a change; a "
                           "quarter as often while the other replicas can be heard"));
    all.push_back(Duration("audit-delay", &Config::audit_delay, 1s, 24h,
                           "for how long an event may be on its way, and then a consumer silent, "
                           "until it counts as lost and is published again"));
    all.back().default_text = "5s with --bus=memory, else 5m";
    all.push_back(Duration("reminder-sweep", &Config::reminder_sweep, 100ms, 10min,
                           "how often reminders are looked for whose job did not come"));
    all.push_back(Duration("drain-timeout", &Config::drain_timeout, 100ms, 10min,
                           "how long each step of stopping may wait for what has begun"));
    all.push_back(Choice<util::Severity>("log-level", &Config::log_level,
                                         {{"debug", util::Severity::kDebug},
                                          {"info", util::Severity::kInfo},
                                          {"warning", util::Severity::kWarning},
                                          {"error", util::Severity::kError}},
                                         "least severity that is logged"));

    all.push_back(Secret("DAPR_API_TOKEN", &Config::dapr_api_token,
                         "sent with every call to the sidecar, when set"));
    all.push_back(Secret("APP_API_TOKEN", &Config::app_api_token,
                         "demanded from the sidecar's calls, when set"));
    return all;
  }();
  return settings;
}

std::string VariableOf(const Setting& setting) {
  if (!setting.secret_variable.empty()) return setting.secret_variable;
  std::string variable = "TODO_" + setting.name;
  for (char& c : variable)
    c = c == '-' ? '_' : static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  return variable;
}

const Setting* FindByFlag(std::string_view name) {
  const auto found = std::ranges::find(Settings(), name, &Setting::name);
  return found == Settings().end() || !found->secret_variable.empty() ? nullptr : &*found;
}

// ---- typing mistakes

std::size_t EditDistance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t diagonal = std::exchange(row[0], i);
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t changed = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
      diagonal = std::exchange(row[j], std::min({row[j] + 1, row[j - 1] + 1, changed}));
    }
  }
  return row[b.size()];
}

/// The candidate that `text` was probably meant to be.
std::optional<std::string> Nearest(std::string_view text,
                                   const std::vector<std::string>& candidates) {
  constexpr std::size_t kMaxDistance = 3;
  constexpr std::size_t kMaxTextBytes = 60;
  if (text.size() > kMaxTextBytes) return std::nullopt;
  std::optional<std::string> nearest;
  std::size_t best = std::min(kMaxDistance, text.size() / 3) + 1;
  for (const std::string& candidate : candidates) {
    if (const std::size_t distance = EditDistance(text, candidate); distance < best) {
      best = distance;
      nearest = candidate;
    }
  }
  return nearest;
}

std::string UnknownFlag(std::string_view name) {
  std::vector<std::string> flags = {"help", "version", "print-config"};
  for (const Setting& setting : Settings()) {
    if (setting.secret_variable.empty()) {
      flags.push_back(setting.name);
      continue;
    }
    std::string as_flag;
    for (char c : setting.secret_variable)
      as_flag += c == '_' ? '-' : static_cast<char>(std::tolower(c));
    if (name == as_flag) {
      return fmt::format(
          "--{} is not a flag, since everybody on the machine can read those: set {} in the "
          "environment",
          name, setting.secret_variable);
    }
  }
  const auto nearest = Nearest(name, flags);
  return fmt::format("--{} is not a flag{}", name.substr(0, 60),
                     nearest ? fmt::format(": did you mean --{}?", *nearest) : "; see --help");
}

// ---- the sources

class Loader {
 public:
  explicit Loader(LoadedConfig& loaded) : loaded_(loaded) {}

  void TakeEnvironment(const std::map<std::string, std::string>& environment) {
    // Dapr's own names for the sidecar's address are weaker than ours.
    const Setting& endpoint = *FindByFlag("dapr-grpc-endpoint");
    if (const auto port = environment.find("DAPR_GRPC_PORT");
        port != environment.end() && !port->second.empty()) {
      Set(endpoint, "127.0.0.1:" + port->second, "environment DAPR_GRPC_PORT");
    }
    if (const auto found = environment.find("DAPR_GRPC_ENDPOINT");
        found != environment.end() && !found->second.empty()) {
      Set(endpoint, found->second, "environment DAPR_GRPC_ENDPOINT");
    }
    std::vector<std::string> variables;
    for (const Setting& setting : Settings()) {
      variables.push_back(VariableOf(setting));
      const auto found = environment.find(variables.back());
      if (found != environment.end() && !found->second.empty()) {
        Set(setting, found->second, "environment " + variables.back());
      }
    }
    for (const auto& [name, value] : environment) {
      if (!name.starts_with("TODO_") || std::ranges::find(variables, name) != variables.end())
        continue;
      if (const auto nearest = Nearest(name, variables)) {
        loaded_.warnings.push_back(fmt::format(
            "{} is in the environment but is no setting: did you mean {}?", name, *nearest));
      }
    }
  }

  void TakeFlags(const std::vector<std::string>& arguments) {
    for (std::size_t i = 0; i < arguments.size(); ++i) {
      const std::string_view argument = arguments[i];
      if (argument == "-h") {
        loaded_.command = Command::kHelp;
        continue;
      }
      if (!argument.starts_with("--") || argument.size() == 2) {
        loaded_.faults.push_back(fmt::format(
            "{} is not expected: settings have the form --name=value", Quoted(argument)));
        continue;
      }
      const std::size_t equals = argument.find('=');
      const std::string_view name =
          argument.substr(2, equals == std::string_view::npos ? equals : equals - 2);
      std::optional<std::string_view> value;
      if (equals != std::string_view::npos) value = argument.substr(equals + 1);
      if (!value && TakeCommand(name)) continue;

      const bool value_follows = i + 1 < arguments.size() && !arguments[i + 1].starts_with("--");
      const Setting* setting = FindByFlag(name);
      if (setting == nullptr) {
        loaded_.faults.push_back(UnknownFlag(name));
        if (!value && value_follows) ++i;  // most likely its value: no second fault for that
        continue;
      }
      if (!value && setting->is_boolean) value = "true";
      if (!value && value_follows) value = arguments[++i];
      if (value) {
        Set(*setting, *value, "flag");
      } else {
        loaded_.faults.push_back(
            fmt::format("--{} needs a value: --{}={}", name, name, setting->hint));
        loaded_.sources[setting->name] = "flag";
      }
    }
  }

 private:
  bool TakeCommand(std::string_view name) {
    for (const auto& [flag, command] : {std::pair{"help", Command::kHelp},
                                        {"version", Command::kVersion},
                                        {"print-config", Command::kPrintConfig}}) {
      if (name == flag) {
        loaded_.command = command;
        return true;
      }
    }
    return false;
  }

  void Set(const Setting& setting, std::string_view text, const std::string& source) {
    const std::string& name =
        setting.secret_variable.empty() ? setting.name : setting.secret_variable;
    loaded_.sources[name] = source;
    const std::string wrong = setting.set(loaded_.config, text);
    if (wrong.empty()) return;
    const std::string prefix =
        source == "flag" ? "--" + name : source.substr(std::string_view("environment ").size());
    loaded_.faults.push_back(fmt::format("{} {}", prefix, wrong));
  }

  LoadedConfig& loaded_;
};

// ---- what depends on more than one setting

/// A delivery is in memory as a whole, more than once.
constexpr std::int64_t kMaxDeliveryBytes = std::int64_t{1024} * 1024 * 1024;

bool IsLoopback(const std::string& address) {
  return address == "localhost" || address == "::1" || address.starts_with("127.");
}

void FillDependentDefaults(LoadedConfig& loaded) {
  Config& config = loaded.config;
  const char* const everywhere = config.dev_identity ? "127.0.0.1" : "0.0.0.0";
  if (!loaded.sources.contains("api-address")) config.api_address = everywhere;
  if (!loaded.sources.contains("http-address")) config.http_address = everywhere;
  if (!loaded.sources.contains("bulk-delivery")) config.bulk_delivery = config.bus == Bus::kKafka;
  if (!loaded.sources.contains("audit-delay")) {
    config.audit_delay =
        config.bus == Bus::kKafka ? std::chrono::minutes(5) : std::chrono::seconds(5);
  }
  if (!loaded.sources.contains("instance")) {
    std::array<char, 256> host{};
    gethostname(host.data(), host.size() - 1);
    config.instance = fmt::format("{}:{}", host.data(), config.app_port);
  }
  if (!loaded.sources.contains("event-worker-count")) {
    config.event_worker_count = std::max(1, config.database_pool_size / 4);
  }
  if (!loaded.sources.contains("worker-count")) {
    config.worker_count = std::max(1, config.database_pool_size - config.event_worker_count);
  }
}

void CheckTogether(LoadedConfig& loaded) {
  const Config& config = loaded.config;
  const auto fault = [&loaded](std::string text) { loaded.faults.push_back(std::move(text)); };
  if (!loaded.sources.contains("database-url")) {
    fault(
        "--database-url is missing: set it, or TODO_DATABASE_URL in the environment, to something "
        "like "
        "postgresql://todo@127.0.0.1:5432/todo; nothing is ever kept in memory only");
  } else if (absl::Status status = store::CheckConninfo(config.database_url);
             !config.database_url.empty() && !status.ok()) {
    fault(fmt::format("--database-url is not understood: {}", util::FromAbsl(status.message())));
  }
  if (config.dev_identity) {
    for (const auto& [name, address] : {std::pair{"api-address", config.api_address},
                                        {"app-address", config.app_address},
                                        {"http-address", config.http_address}}) {
      if (!IsLoopback(address)) {
        fault(
            fmt::format("--dev-identity believes whatever callers say, so it works on loopback "
                        "only: --{} must be "
                        "127.0.0.1, not {}",
                        name, address));
      }
    }
  }
  const std::pair<const char*, int> ports[] = {{"app-port", config.app_port},
                                               {"api-port", config.api_port},
                                               {"http-port", config.http_port}};
  for (const auto* one = std::begin(ports); one != std::end(ports); ++one) {
    for (const auto* other = one + 1; other != std::end(ports); ++other) {
      if (one->second != other->second || one->second == 0) continue;
      fault(fmt::format("--{} and --{} are both {}: they must differ", one->first, other->first,
                        one->second));
    }
  }
  if (config.worker_count + config.event_worker_count > config.database_pool_size) {
    fault(
        fmt::format("--worker-count ({}) and --event-worker-count ({}) are together more than "
                    "--database-pool-size "
                    "({}): calls would wait for each other's connections",
                    config.worker_count, config.event_worker_count, config.database_pool_size));
  }
  if (config.relay_poll * 4 > config.relay_lease) {
    fault(fmt::format("--relay-poll ({}) must be at most a quarter of --relay-lease ({})",
                      FormatDuration(config.relay_poll), FormatDuration(config.relay_lease)));
  }
  const int batch = config.bulk_delivery ? config.delivery_batch : 1;
  if (const std::int64_t bytes = appcallback::MaxDeliveryBytes(config.record_limit, batch);
      bytes > kMaxDeliveryBytes) {
    constexpr std::int64_t kMebibyte = 1024 * 1024;
    fault(fmt::format(
        "--delivery-batch ({}) records of --record-limit ({} bytes) can become a "
        "delivery of {} MiB, and the limit is {} MiB: lower one of the two",
        batch, config.record_limit, bytes / kMebibyte + 1, kMaxDeliveryBytes / kMebibyte));
  }
  for (std::string& text : ChannelFaults(config)) fault(std::move(text));
  const std::pair<std::string_view, const std::string&> topics[] = {
      {"task-events-topic", config.task_events_topic},
      {"task-updates-topic", config.task_updates_topic},
      {"reminders-topic", config.reminders_topic}};
  for (const auto* one = std::begin(topics); one != std::end(topics); ++one) {
    for (const auto* other = one + 1; other != std::end(topics); ++other) {
      if (one->second == other->second) {
        fault(fmt::format("--{} and --{} are both {}: they must differ", one->first, other->first,
                          Quoted(one->second)));
      }
    }
  }
}

// ---- masking

bool IsHarmlessKey(std::string_view key) {
  constexpr std::string_view kHarmless[] = {"host",
                                            "hostaddr",
                                            "port",
                                            "dbname",
                                            "user",
                                            "sslmode",
                                            "sslrootcert",
                                            "sslcert",
                                            "sslkey",
                                            "application_name",
                                            "connect_timeout",
                                            "target_session_attrs",
                                            "keepalives",
                                            "keepalives_idle",
                                            "keepalives_interval",
                                            "keepalives_count",
                                            "tcp_user_timeout",
                                            "channel_binding",
                                            "gssencmode"};
  return std::ranges::find(kHarmless, key) != std::end(kHarmless);
}

std::string MaskedUri(std::string_view url, std::size_t scheme_end) {
  std::string masked(url.substr(0, scheme_end));
  std::string_view rest = url.substr(scheme_end);
  // A password may hold any character when it was not encoded as it should be, so it ends at the
  // last '@' of all.
  if (const std::size_t at = rest.rfind('@'); at != std::string_view::npos) {
    const std::string_view credentials = rest.substr(0, at);
    const std::size_t colon = credentials.find(':');
    masked += credentials.substr(0, colon);
    if (colon != std::string_view::npos) masked += ":***";
    masked += '@';
    rest = rest.substr(at + 1);
  }
  const std::size_t question = rest.find('?');
  masked += rest.substr(0, question);
  if (question == std::string_view::npos) return masked;
  rest = rest.substr(question + 1);
  for (char separator = '?'; !rest.empty(); separator = '&') {
    const std::string_view pair = rest.substr(0, rest.find('&'));
    rest = rest.substr(std::min(rest.size(), pair.size() + 1));
    const std::string_view key = pair.substr(0, pair.find('='));
    masked += separator;
    masked += IsHarmlessKey(key) ? std::string(pair) : fmt::format("{}=***", key);
  }
  return masked;
}

/// key=value pairs; values may be in single quotes, with \ before a quote or another \.
std::string MaskedPairs(std::string_view text) {
  std::string masked;
  std::size_t i = 0;
  const auto skip_spaces = [&] {
    while (i < text.size() && std::isspace(static_cast<unsigned char>(text[i]))) ++i;
  };
  for (skip_spaces(); i < text.size(); skip_spaces()) {
    const std::size_t key_begin = i;
    while (i < text.size() && text[i] != '=' && !std::isspace(static_cast<unsigned char>(text[i])))
      ++i;
    const std::string_view key = text.substr(key_begin, i - key_begin);
    skip_spaces();
    if (i == text.size() || text[i] != '=') return "***";  // not of this form
    ++i;
    skip_spaces();
    const std::size_t value_begin = i;
    const bool quoted = i < text.size() && text[i] == '\'';
    if (quoted) ++i;
    while (i < text.size() &&
           (quoted ? text[i] != '\'' : !std::isspace(static_cast<unsigned char>(text[i])))) {
      i += text[i] == '\\' ? 2 : 1;
    }
    i = std::min(quoted ? i + 1 : i, text.size());
    const std::string_view value = text.substr(value_begin, i - value_begin);
    masked +=
        fmt::format("{}{}={}", masked.empty() ? "" : " ", key, IsHarmlessKey(key) ? value : "***");
  }
  return masked;
}

}  // namespace

LoadedConfig LoadConfig(const std::vector<std::string>& arguments,
                        const std::map<std::string, std::string>& environment) {
  LoadedConfig loaded;
  Loader loader(loaded);
  loader.TakeEnvironment(environment);
  loader.TakeFlags(arguments);
  FillDependentDefaults(loaded);
  CheckTogether(loaded);
  return loaded;
}

std::string_view Version() { return TODO_VERSION; }

std::string HelpText() {
  std::string text =
      "todo-service: tasks over gRPC, their changes as events through Dapr\n\n"
      "Usage: todo-service [--name=value | --name value | --name]...\n\n"
      "Each setting is taken from its flag, else from its environment variable, else its default. "
      "An environment\n"
      "variable that is set but empty counts as not set. Durations have a unit: 500ms, 10s, "
      "2m.\n\n";
  const Config defaults;
  std::string secrets;
  for (const Setting& setting : Settings()) {
    if (!setting.secret_variable.empty()) {
      secrets += fmt::format("  {}\n      {}\n", setting.secret_variable, setting.meaning);
      continue;
    }
    text +=
        fmt::format("  --{}={}\n      {}\n      {}, default {}\n", setting.name, setting.hint,
                    setting.meaning, VariableOf(setting),
                    setting.default_text.empty() ? setting.show(defaults) : setting.default_text);
  }
  text += "\nFrom the environment only:\n" + secrets;
  text +=
      "\nCommands:\n"
      "  --help          prints this\n"
      "  --version       prints the version\n"
      "  --print-config  prints every setting with its source, secrets masked\n\n"
      "Exit codes:\n"
      "  0  stopped by SIGTERM or SIGINT, and everything that had begun was finished\n"
      "  1  could not start or go on: a port in use, a database that does not fit\n"
      "  2  bad configuration: every fault is listed\n"
      "  3  stopped, but something that had begun was not finished within --drain-timeout\n"
      "A second SIGTERM or SIGINT ends the process at once.\n";
  return text;
}

std::string PrintedConfig(const LoadedConfig& loaded) {
  std::string text;
  for (const Setting& setting : Settings()) {
    const std::string& name =
        setting.secret_variable.empty() ? setting.name : setting.secret_variable;
    const auto source = loaded.sources.find(name);
    std::string value = setting.show(loaded.config);
    if (name == "database-url") value = MaskedDatabaseUrl(value);
    // A user and a password have no place in it, which is no reason to show them.
    if (name == "smtp-url") value = MaskedUri(value, 0);
    text += fmt::format("{:<20} {}  ({})\n", name, value.empty() ? "not set" : value,
                        source == loaded.sources.end() ? "default" : source->second);
  }
  return text;
}

std::string MaskedDatabaseUrl(std::string_view url) {
  for (const std::string_view scheme : {"postgresql://", "postgres://"}) {
    if (url.starts_with(scheme)) return MaskedUri(url, scheme.size());
  }
  return MaskedPairs(url);
}

}  // namespace todo::app

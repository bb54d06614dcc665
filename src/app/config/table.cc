#include "app/config/table.h"

#include <algorithm>
#include <iterator>
#include <string>
#include <utility>

namespace todo::app {
namespace {

using namespace std::chrono_literals;
using Table = std::vector<Setting>;

/// A setting whose default depends on others, or is empty: `text` stands for it in --help.
Setting WithDefault(std::string text, Setting setting) {
  setting.default_text = std::move(text);
  return setting;
}

Table Ports() {
  return {
      Choice<Role>("role", &Config::role,
                   {{"all", Role::kAll}, {"api", Role::kApi}, {"events", Role::kEvents}},
                   "work of this process: the API calls (api), the events, reminders and "
                   "deliveries (events), or all of it; the sidecar of role api needs an app id of "
                   "its own"),
      Address("app-address", &Config::app_address, "address of the port for the sidecar's calls"),
      Number("app-port", &Config::app_port, 0, 65'535,
             "port for the sidecar's calls; 0: any free port"),
      Address("api-address", &Config::api_address,
              "address of the gRPC API; beyond loopback, put a proxy or mesh before it"),
      Number("api-port", &Config::api_port, 0, 65'535, "port of the gRPC API; 0: any free port"),
      Boolean("dev-identity", &Config::dev_identity,
              "trust the x-user-id and x-user-role metadata of callers; for local testing only, "
              "requires loopback addresses"),
  };
}

Table Http() {
  return {
      WithDefault("127.0.0.1 with --dev-identity, else 0.0.0.0",
                  Address("web-address", &Config::web_address,
                          "address of the web port: HTTP calls of users")),
      Number("web-port", &Config::web_port, 0, 65'535, "port for users; 0: any free port"),
      Number("web-max-connections", &Config::web_max_connections, 1, 100'000,
             "number of connections to the web port; for a further one, the connection that is "
             "needed the least is closed"),
      WithDefault(
          "0: no such limit",
          Number("web-max-connections-per-peer", &Config::web_max_connections_per_peer, 0, 100'000,
                 "number of connections of one IP address to the web port; useless behind "
                 "a proxy")),
      WithDefault("none",
                  Text("web-allowed-origins", "LIST", &Config::web_allowed_origins,
                       "web sites whose pages may call the web port (CORS): origins such as "
                       "https://app.example.org, separated by commas")),
      WithDefault("127.0.0.1 with --dev-identity, else 0.0.0.0",
                  Address("ops-address", &Config::ops_address,
                          "address of the ops port: the pages /metrics, /healthz and /readyz")),
      Number("ops-port", &Config::ops_port, 0, 65'535,
             "port of the pages /metrics, /healthz and /readyz; 0: any free port"),
      WithDefault("none: no encryption",
                  Text("tls-cert", "FILE", &Config::tls_cert,
                       "certificate of the ports for users, with its chain, as PEM; read again "
                       "when the file changes")),
      WithDefault("none: needed with tls-cert",
                  Text("tls-key", "FILE", &Config::tls_key, "key of the certificate, as PEM")),
      WithDefault("none: clients need no certificate",
                  Text("tls-client-ca", "FILE", &Config::tls_client_ca,
                       "certificates, as PEM, one of which must have issued each client's own")),
  };
}

Table Identity() {
  return {
      WithDefault("none: no tokens",
                  Text("auth-issuer", "NAME", &Config::auth_issuer,
                       "issuer of the callers' tokens, exactly as their claim iss names it; "
                       "without one of the next three settings its URL leads to its keys (OpenID "
                       "Connect Discovery)")),
      WithDefault("none", Text("auth-jwks-url", "URL", &Config::auth_jwks_url,
                               "URL of the issuer's public keys (JWKS); https, or http on "
                               "loopback")),
      WithDefault("none", Text("auth-jwks-file", "FILE", &Config::auth_jwks_file,
                               "file with the issuer's public keys (JWKS); it is read again when "
                               "it changes")),
      WithDefault("none",
                  Text("auth-secret-entry", "NAME", &Config::auth_secret_entry,
                       "entry of the secret with the secret that the issuer signs with (HS256): "
                       "at least 32 random characters, or a JWK")),
      WithDefault("none", Text("auth-issuers-file", "FILE", &Config::auth_issuers_file,
                               "file that describes several issuers (docs/identity.md), instead "
                               "of auth-issuer")),
      Text("auth-audience", "LIST", &Config::auth_audience,
           "a token counts only if its claim aud has one of these names, separated by commas"),
      Text("auth-user-claim", "CLAIM", &Config::auth_user_claim,
           "claim of a token with the user id; the path of a nested claim has dots"),
      Text("auth-operator-claim", "CLAIM", &Config::auth_operator_claim,
           "claim of a token with the roles of the user, as realm_access.roles or scope"),
      Text("auth-operator-values", "LIST", &Config::auth_operator_values,
           "values of auth-operator-claim that make the user an operator, separated by commas"),
      WithDefault("none", Text("auth-required-claims", "LIST", &Config::auth_required_claims,
                               "further claims that a token must have, as name=value, separated "
                               "by commas")),
      Duration("auth-clock-skew", &Config::auth_clock_skew, 0ms, 10min,
               "how far the clocks of the issuer and of this service may be apart"),
      Duration("auth-refresh", &Config::auth_refresh, 1s, 24h,
               "how often to fetch the issuer's keys; a token with an unknown key causes a fetch "
               "before that, at most one a minute"),
      WithDefault("none", Text("auth-ca-file", "FILE", &Config::auth_ca_file,
                               "PEM file of the certificate authorities that are trusted when "
                               "keys are fetched, instead of the system's")),
      WithDefault("none: such keys do not count",
                  Text("auth-rsa-algorithm", "NAME", &Config::auth_rsa_algorithm,
                       "algorithm of the issuer's RSA keys that name none: RS256, RS384, RS512, "
                       "PS256, PS384 or PS512")),
  };
}

Table SignIn() {
  return {
      WithDefault("none: the page asks for a token",
                  Text("oidc-client-id", "NAME", &Config::oidc_client_id,
                       "client as which the page signs its users in (OpenID Connect, "
                       "authorization code with PKCE); a public client, without a secret")),
      WithDefault("the issuer of tokens, if there is one only",
                  Text("oidc-issuer", "URL", &Config::oidc_issuer,
                       "issuer that the page signs in with: one of the issuers of tokens")),
      Text("oidc-scopes", "LIST", &Config::oidc_scopes,
           "scopes that the page asks the issuer for, separated by spaces"),
      WithDefault("none", Text("oidc-origins", "LIST", &Config::oidc_origins,
                               "further origins that the page may call, such as that of a token "
                               "endpoint on another host than the issuer's, separated by commas")),
      WithDefault("none",
                  Text("oidc-parameters", "LIST", &Config::oidc_parameters,
                       "further parameters of the sign-in, as name=value separated by "
                       "spaces, for issuers that want them: audience=https://todo.example")),
  };
}

Table Database() {
  return {
      WithDefault("none: required",
                  Text("database-url", "URL", &Config::database_url,
                       "PostgreSQL database, as postgresql://user@host:port/name or key=value; "
                       "prefer the environment variable if it contains a password")),
      Number("database-pool-size", &Config::database_pool_size, 2, 1'000,
             "maximum number of database connections for API calls and events; relay, retries, "
             "reminders and notifications use a few more"),
      WithDefault("database-pool-size minus event-worker-count",
                  Number("worker-count", &Config::worker_count, 1, 1'000,
                         "number of API calls processed at the same time")),
      WithDefault("a quarter of database-pool-size",
                  Number("event-worker-count", &Config::event_worker_count, 1, 1'000,
                         "number of the sidecar's calls (batches of events, reminder jobs) "
                         "processed at the same time; the consumers of a batch may take one each")),
      Number("worker-queue", &Config::worker_queue, 1, 1'000'000,
             "number of calls that may wait for a worker; further API calls are rejected as "
             "RESOURCE_EXHAUSTED"),
  };
}

Table Users() {
  return {
      Number("user-calls-per-second", &Config::user_calls_per_second, 1, 1'000'000,
             "API calls per second that one user may make in the long run; further calls are "
             "rejected as RESOURCE_EXHAUSTED"),
      Number("user-call-burst", &Config::user_call_burst, 1, 1'000'000,
             "API calls that one user may make at once after a pause"),
      Number("user-calls-at-a-time", &Config::user_calls_at_a_time, 1, 1'000'000,
             "API calls of one user that may be in progress; further calls are rejected as "
             "RESOURCE_EXHAUSTED"),
      Number("user-streams", &Config::user_streams, 1, 1'000'000,
             "streams and WebSockets of one user that may be open; further ones are rejected as "
             "RESOURCE_EXHAUSTED"),
      Number("user-streams-per-second", &Config::user_streams_per_second, 1, 1'000'000,
             "streams and WebSockets per second that one user may open in the long run; further "
             "ones are rejected as RESOURCE_EXHAUSTED"),
      Number("user-stream-burst", &Config::user_stream_burst, 1, 1'000'000,
             "streams and WebSockets that one user may open at once after a pause"),
      Number("user-open-tasks", &Config::user_open_tasks, 1, 100'000'000,
             "open tasks that one user may have; a call that would make more is rejected as "
             "RESOURCE_EXHAUSTED, but a series always gets its next occurrence"),
      Duration("search-timeout", &Config::search_timeout, 10ms, 5s,
               "how long a search for tasks may take in the database"),
  };
}

Table Live() {
  return {
      WithDefault("three quarters of web-max-connections",
                  Number("live-max-screens", &Config::live_max_screens, 1, 1'000'000,
                         "live screens that this process serves: WebSockets, event streams and "
                         "WatchTasks streams together; further ones are told to come back later")),
      WithDefault("none: a random key, so tickets count at this process only, until it stops",
                  Text("ticket-key-entry", "NAME", &Config::ticket_key_entry,
                       "entry of the secret with the key that signs tickets for event streams: at "
                       "least 32 random characters, the same for all replicas")),
  };
}

Table Sidecar() {
  return {
      Endpoint("dapr-grpc-endpoint", &Config::dapr_grpc_endpoint,
               "gRPC API of the Dapr sidecar; DAPR_GRPC_ENDPOINT and DAPR_GRPC_PORT set it too"),
      Choice<Bus>("bus", &Config::bus, {{"kafka", Bus::kKafka}, {"memory", Bus::kMemory}},
                  "type of the pub/sub component; memory is for local testing only"),
      WithDefault("true with --bus=kafka, else false",
                  Boolean("bulk-delivery", &Config::bulk_delivery,
                          "receive up to delivery-batch events in one call of the sidecar instead "
                          "of one event")),
      WithDefault("300, or as many as record-limit lets into a call of 1 GiB",
                  Number("delivery-batch", &Config::delivery_batch, 1, 10'000,
                         "maximum number of events in one call of the sidecar")),
      Number("record-limit", &Config::record_limit, 1'024, 1'000'000'000,
             "size of the largest record that the topics accept, in bytes before compression "
             "(Kafka: max.message.bytes); a larger record stops the sidecar's deliveries"),
      Text("pubsub", "NAME", &Config::pubsub, "name of the Dapr pub/sub component"),
      WithDefault("kafka-broadcast; pubsub with --bus=memory",
                  Text("broadcast-pubsub", "NAME", &Config::broadcast_pubsub,
                       "name of the Dapr pub/sub component that brings the task updates to every "
                       "replica, for live screens")),
      Text("statestore", "NAME", &Config::statestore, "name of the Dapr state store component"),
      Text("secretstore", "NAME", &Config::secretstore, "name of the Dapr secret store component"),
      WithDefault("none", Text("conversation-component", "NAME", &Config::conversation_component,
                               "name of the Dapr conversation component whose language model is "
                               "asked about sentences that ChatService does not understand; it is "
                               "sent the user's sentence")),
      Text("task-events-topic", "NAME", &Config::task_events_topic,
           "topic of the task events: every change of a task"),
      Text("task-updates-topic", "NAME", &Config::task_updates_topic,
           "topic of the task updates: the same changes for live screens"),
      Text("reminders-topic", "NAME", &Config::reminders_topic,
           "topic of the reminder events: reminders that are due"),
  };
}

Table Channels() {
  return {
      WithDefault("none: no e-mail",
                  Text("smtp-url", "URL", &Config::smtp_url,
                       "mail server: smtp://host:port (STARTTLS), smtps://host:port (TLS), or "
                       "smtp+plain://host:port (neither encryption nor password)")),
      WithDefault("none: needed with smtp-url",
                  Text("mail-from", "ADDRESS", &Config::mail_from,
                       "sender of the mail: todo@example.org or \"Todo <todo@example.org>\"")),
      WithDefault("mail-from; needed for Web Push",
                  Text("vapid-contact", "URL", &Config::vapid_contact,
                       "contact address that push services can use to reach the operator: a "
                       "mailto: or https: URL")),
      WithDefault("none", Text("webhook-allow-hosts", "LIST", &Config::webhook_allow_hosts,
                               "private or unencrypted hosts that webhooks and pushes may be sent "
                               "to: names, addresses and blocks (10.0.0.0/8), separated by "
                               "commas")),
      Text("secret", "NAME", &Config::secret,
           "name of the secret in the secret store that holds the next four entries, and those of "
           "auth-secret-entry and ticket-key-entry"),
      Text("smtp-user-entry", "NAME", &Config::smtp_user_entry,
           "entry of the secret with the mail server's user; without user and password there is "
           "no login"),
      Text("smtp-password-entry", "NAME", &Config::smtp_password_entry,
           "entry of the secret with the mail server's password"),
      Text("vapid-private-key-entry", "NAME", &Config::vapid_private_key_entry,
           "entry of the secret with the private key for Web Push, as PEM or base64url"),
      Text("webhook-master-key-entry", "NAME", &Config::webhook_master_key_entry,
           "entry of the secret with the master key for webhook signatures: at least 32 random "
           "characters; it must never change"),
  };
}

Table Running() {
  return {
      WithDefault("host name and app port",
                  Text("instance", "NAME", &Config::instance,
                       "name of this replica; no two living replicas have the same name")),
      Duration("relay-lease", &Config::relay_lease, 1s, 60s,
               "how long a stopped replica keeps its shards of the outbox before other replicas "
               "take them"),
      Duration("relay-poll", &Config::relay_poll, 10ms, 10s,
               "how often to look for unpublished changes that were not announced; while "
               "announcements of other replicas arrive, a quarter as often"),
      WithDefault("5s with --bus=memory, else 5m",
                  Duration("audit-delay", &Config::audit_delay, 1s, 24h,
                           "how long to wait for a consumer to take an event, and then for the "
                           "consumer to stay silent, before the event is published again")),
      Duration("reminder-sweep", &Config::reminder_sweep, 100ms, 10min,
               "how often to look for due reminders whose scheduler job did not arrive"),
      Duration("drain-timeout", &Config::drain_timeout, 100ms, 10min,
               "how long stopping may take to finish work in progress: 7/10 of it for calls and "
               "events, the rest for the relay; after twice this time the process exits at once"),
      Choice<util::Severity>("log-level", &Config::log_level,
                             {{"debug", util::Severity::kDebug},
                              {"info", util::Severity::kInfo},
                              {"warning", util::Severity::kWarning},
                              {"error", util::Severity::kError}},
                             "lowest severity that is logged"),
  };
}

Table Traces() {
  return {
      WithDefault("none: no traces are exported",
                  Text("trace-endpoint", "URL", &Config::trace_endpoint,
                       "where a collector takes traces by OTLP over HTTP, such as "
                       "http://127.0.0.1:4318/v1/traces")),
      Number("trace-percent", &Config::trace_percent, 0, 100,
             "part of the traces that are exported, of those that begin in this service; of "
             "others their beginner decides"),
  };
}

Table Tokens() {
  return {
      Secret("DAPR_API_TOKEN", &Config::dapr_api_token,
             "token sent with every call to the sidecar; empty: none"),
      Secret("APP_API_TOKEN", &Config::app_api_token,
             "token required of every call from the sidecar; empty: none"),
  };
}

}  // namespace

const std::vector<Setting>& Settings() {
  static const Table settings = [] {
    Table all;
    for (Table& group : std::vector{Ports(), Http(), Identity(), SignIn(), Database(), Users(),
                                    Live(), Sidecar(), Channels(), Running(), Traces(), Tokens()})
      std::ranges::move(group, std::back_inserter(all));
    return all;
  }();
  return settings;
}

const Setting* FindByFlag(std::string_view name) {
  const auto found = std::ranges::find(Settings(), name, &Setting::name);
  return found == Settings().end() || !found->secret_variable.empty() ? nullptr : &*found;
}

}  // namespace todo::app

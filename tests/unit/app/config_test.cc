#include "app/config/config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cctype>
#include <chrono>
#include <map>
#include <sstream>
#include <string>
#include <vector>

#include "app/config/help.h"
#include "app/config/masking.h"

namespace todo::app {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::UnorderedElementsAre;
using namespace std::chrono_literals;

const char kDatabase[] = "--database-url=postgresql://todo@127.0.0.1/todo";

LoadedConfig Load(std::vector<std::string> arguments,
                  const std::map<std::string, std::string>& environment = {}) {
  arguments.insert(arguments.begin(), kDatabase);
  return LoadConfig(arguments, environment);
}

TEST(ConfigTest, OnlyTheDatabaseMustBeSet) {
  const LoadedConfig loaded = Load({});
  EXPECT_THAT(loaded.faults, IsEmpty());
  EXPECT_EQ(loaded.command, Command::kServe);
  EXPECT_EQ(loaded.config.database_url, "postgresql://todo@127.0.0.1/todo");
  EXPECT_EQ(loaded.config.app_address, "127.0.0.1");
  EXPECT_EQ(loaded.config.app_port, 50051);
  EXPECT_EQ(loaded.config.api_port, 50052);
  EXPECT_FALSE(loaded.config.dev_identity);
  EXPECT_EQ(loaded.config.relay_lease, 4s);
  EXPECT_EQ(loaded.config.log_level, util::Severity::kInfo);
}

TEST(ConfigTest, AMissingDatabaseIsAFault) {
  EXPECT_THAT(LoadConfig({}, {}).faults, ElementsAre(AllOf(HasSubstr("--database-url is missing"),
                                                           HasSubstr("TODO_DATABASE_URL"))));
}

TEST(ConfigTest, FlagsGoOverEnvironmentOverDefaults) {
  const std::map<std::string, std::string> environment = {{"TODO_API_PORT", "6001"},
                                                          {"TODO_APP_PORT", "6002"}};
  const LoadedConfig loaded = Load({"--api-port=6003"}, environment);
  EXPECT_EQ(loaded.config.api_port, 6003);
  EXPECT_EQ(loaded.config.app_port, 6002);
  EXPECT_EQ(loaded.sources.at("api-port"), "flag");
  EXPECT_EQ(loaded.sources.at("app-port"), "environment TODO_APP_PORT");
  EXPECT_FALSE(loaded.sources.contains("worker-queue"));
}

TEST(ConfigTest, AnEmptyEnvironmentVariableCountsAsNotSet) {
  EXPECT_EQ(Load({}, {{"TODO_API_PORT", ""}}).config.api_port, 50052);
}

TEST(ConfigTest, TakesEveryFormOfAFlag) {
  const LoadedConfig loaded = Load({"--api-port", "7", "--app-port=8", "--dev-identity",
                                    "--drain-timeout", "1500ms", "--bulk-delivery=false"});
  EXPECT_THAT(loaded.faults, IsEmpty());
  EXPECT_EQ(loaded.config.api_port, 7);
  EXPECT_EQ(loaded.config.app_port, 8);
  EXPECT_TRUE(loaded.config.dev_identity);
  EXPECT_FALSE(loaded.config.bulk_delivery);
  EXPECT_EQ(loaded.config.drain_timeout, 1500ms);
  EXPECT_EQ(Load({"--api-port=7", "--api-port=9"}).config.api_port, 9) << "the last one counts";
}

TEST(ConfigTest, DefaultsThatDependOnOtherSettings) {
  EXPECT_EQ(Load({}).config.api_address, "127.0.0.1");
  EXPECT_EQ(Load({}).config.web_address, "0.0.0.0");
  EXPECT_EQ(Load({}).config.ops_address, "0.0.0.0");
  EXPECT_EQ(Load({"--dev-identity"}).config.web_address, "127.0.0.1");
  EXPECT_EQ(Load({"--dev-identity"}).config.ops_address, "127.0.0.1");
  EXPECT_EQ(Load({"--dev-identity"}).config.api_address, "127.0.0.1");
  EXPECT_TRUE(Load({}).config.bulk_delivery);
  EXPECT_FALSE(Load({"--bus=memory"}).config.bulk_delivery);
  EXPECT_TRUE(Load({"--bus=memory", "--bulk-delivery"}).config.bulk_delivery);
  EXPECT_EQ(Load({}).config.audit_delay, 5min);
  EXPECT_EQ(Load({"--bus=memory"}).config.audit_delay, 5s);
  EXPECT_EQ(Load({"--bus=memory", "--audit-delay=1m"}).config.audit_delay, 1min);
  EXPECT_EQ(Load({}).config.broadcast_pubsub, "kafka-broadcast");
  EXPECT_EQ(Load({"--bus=memory", "--pubsub=bus"}).config.broadcast_pubsub, "bus");
  EXPECT_EQ(Load({"--bus=memory", "--broadcast-pubsub=all"}).config.broadcast_pubsub, "all");
  const Config config = Load({"--database-pool-size=8"}).config;
  EXPECT_EQ(config.event_worker_count, 2);
  EXPECT_EQ(config.worker_count, 6);
}

TEST(ConfigTest, EveryFaultIsReportedAtOnce) {
  const LoadedConfig loaded = LoadConfig(
      {"--api-prot=1", "--app-port", "99999", "--bus=nats", "--relay-poll=soon",
       "--dev-identity=maybe", "extra", "--pubsub=", "--drain-timeout", "--api-address=nowhere"},
      {{"TODO_WORKER_QUEUE", "none"}});
  EXPECT_THAT(loaded.faults,
              UnorderedElementsAre(
                  HasSubstr("--api-prot is not a flag: did you mean --api-port?"),
                  HasSubstr("--app-port is \"99999\"; it must be a whole number from 0 to 65535"),
                  HasSubstr("--bus is \"nats\"; it must be one of kafka|memory"),
                  HasSubstr("--relay-poll is \"soon\"; it must be a duration"),
                  HasSubstr("--dev-identity is \"maybe\"; it must be true or false"),
                  HasSubstr("\"extra\" is not expected"), HasSubstr("--pubsub must not be empty"),
                  HasSubstr("--drain-timeout needs a value"),
                  HasSubstr("--api-address is \"nowhere\"; it must be an IP address"),
                  HasSubstr("TODO_WORKER_QUEUE is \"none\"; it must be a whole number"),
                  HasSubstr("--database-url is missing")));
}

struct FaultCase {
  std::vector<std::string> arguments;
  std::string fault;
};

TEST(ConfigTest, SettingsThatContradictEachOtherAreFaults) {
  const FaultCase cases[] = {
      {{"--dev-identity", "--api-address=0.0.0.0"}, "--api-address must be 127.0.0.1, not 0.0.0.0"},
      {{"--dev-identity", "--app-address=::"}, "--app-address must be 127.0.0.1, not ::"},
      {{"--api-port=50051"}, "they must differ"},
      {{"--ops-port=8080"}, "--web-port and --ops-port are both 8080"},
      {{"--dev-identity", "--web-address=::"}, "--web-address must be 127.0.0.1"},
      {{"--dev-identity", "--ops-address=::"}, "--ops-address must be 127.0.0.1"},
      {{"--tls-cert=a.pem"}, "--tls-cert and --tls-key belong together"},
      {{"--tls-client-ca=a.pem"}, "--tls-client-ca needs --tls-cert"},
      {{"--web-allowed-origins=https://a.example,*"}, "--web-allowed-origins contains \"*\""},
      {{"--web-allowed-origins=https://a.example/"}, "contains \"https://a.example/\""},
      {{"--http-port=1"}, "--http-port is not a flag any more: it is now --ops-port"},
      {{"--worker-count=16", "--event-worker-count=1"}, "more than --database-pool-size"},
      {{"--relay-lease=1s", "--relay-poll=500ms"}, "at most a quarter of --relay-lease"},
      {{"--record-limit=4194304", "--delivery-batch=100"},
       "--delivery-batch (100) records of --record-limit (4194304 bytes) can become a call of 1201 "
       "MiB, and the limit is 1024 MiB: lower one of the two"},
      {{"--delivery-batch=1000"}, "lower one of the two"},
      {{"--record-limit=1000000000"}, "--delivery-batch (1)"},
      {{"--bulk-delivery=false", "--record-limit=1000000000"}, "--delivery-batch (1)"},
      {{"--task-updates-topic=task-events"}, "they must differ"},
      {{"--reminders-topic=task-updates"}, "they must differ"},
      {{"--broadcast-pubsub=kafka-pubsub"}, "--broadcast-pubsub and --pubsub are both"},
      {{"--dapr-grpc-endpoint=https://dapr:443"}, "TLS"},
      {{"--dapr-grpc-endpoint=localhost"}, "host:port"},
      {{"--database-url=postgresql://h:x:y/z?nonsense=1"}, "--database-url is not understood"},
      {{"--dev-identity", "--auth-issuer=https://id.example"}, "exclude each other"},
      {{"--auth-issuer=http://id.example"}, "must begin with https:// unless it is on loopback"},
      {{"--auth-issuer=local"}, "its keys cannot be fetched from its name"},
      {{"--auth-issuer=local", "--auth-jwks-url=http://id.example/keys"}, "from its jwks-url"},
      {{"--auth-issuer=local", "--auth-jwks-file=f", "--auth-secret-entry=e"}, "one place"},
      {{"--auth-issuer=local", "--auth-jwks-file=f", "--auth-audience=,"}, "has no audience"},
      {{"--auth-issuer=local", "--auth-jwks-file=f", "--auth-required-claims=verified"},
       "it must be a list of name=value"},
      {{"--auth-issuer=local", "--auth-jwks-file=f", "--auth-rsa-algorithm=HS256"},
       "no algorithm of RSA keys"},
      {{"--auth-jwks-file=f"}, "--auth-jwks-file is set but --auth-issuer is not"},
      {{"--auth-issuers-file=/nowhere"}, "--auth-issuers-file: /nowhere cannot be opened"},
      {{"--oidc-client-id=page"}, "--oidc-client-id needs --auth-issuer or --auth-issuers-file"},
      {{"--oidc-issuer=https://id.example"}, "--oidc-issuer is set but --oidc-client-id is not"},
      {{"--oidc-origins=https://id.example"}, "--oidc-origins is set but --oidc-client-id is not"},
      {{"--dev-identity", "--oidc-client-id=page"}, "exclude each other"},
      {{"--auth-issuer=https://id.example", "--oidc-client-id=page",
        "--oidc-issuer=https://id.example/"},
       "--oidc-issuer is \"https://id.example/\", which is no issuer of tokens"},
      {{"--auth-issuer=local", "--auth-jwks-file=f", "--oidc-client-id=page"},
       "browsers cannot sign in with the issuer \"local\""},
      {{"--auth-issuer=http://id.example", "--auth-jwks-file=f", "--oidc-client-id=page"},
       "the URL must begin with https:// unless it is on loopback"},
      {{"--auth-issuer=https://id.example;x", "--auth-jwks-file=f", "--oidc-client-id=page"},
       "the issuer \"https://id.example;x\""},
      {{"--auth-issuer=https://id.example", "--oidc-client-id=page", "--oidc-scopes=profile"},
       "--oidc-scopes is \"profile\": it must contain openid"},
      {{"--oidc-parameters=audience=a"}, "--oidc-parameters is set but --oidc-client-id is not"},
      {{"--auth-issuer=https://id.example", "--oidc-client-id=page", "--oidc-parameters=audience"},
       "--oidc-parameters contains \"audience\"; a parameter is name=value"},
      {{"--auth-issuer=https://id.example", "--oidc-client-id=page",
        "--oidc-parameters=audience=a state=b"},
       "--oidc-parameters contains \"state\", which the page sets itself"},
      {{"--auth-issuer=https://id.example", "--oidc-client-id=page",
        "--oidc-origins=https://id.example/token"},
       "--oidc-origins contains \"https://id.example/token\""},
  };
  for (const FaultCase& one : cases) {
    EXPECT_THAT(Load(one.arguments).faults, ElementsAre(HasSubstr(one.fault))) << one.arguments[0];
  }
}

TEST(ConfigTest, ALargeRecordLimitNeedsASmallBatch) {
  EXPECT_EQ(Load({}).config.delivery_batch, 300);
  EXPECT_EQ(Load({"--record-limit=10485760"}).config.delivery_batch, 34);
  EXPECT_EQ(Load({"--record-limit=1024"}).config.delivery_batch, 300);
  EXPECT_THAT(Load({}).faults, IsEmpty());
  EXPECT_THAT(Load({"--record-limit=10485760", "--delivery-batch=30"}).faults, IsEmpty());
  EXPECT_THAT(Load({"--record-limit=104857600", "--bulk-delivery=false"}).faults, IsEmpty());
}

TEST(ConfigTest, VariablesOfEarlierVersionsAreNamed) {
  EXPECT_THAT(Load({}, {{"TODO_HTTP_PORT", "9090"}}).warnings,
              ElementsAre("TODO_HTTP_PORT has no effect any more: set TODO_OPS_PORT"));
}

TEST(ConfigTest, TokensNeedOnlyAnIssuer) {
  EXPECT_THAT(Load({"--auth-issuer=https://id.example"}).faults, IsEmpty());
  EXPECT_THAT(Load({"--auth-issuer=http://127.0.0.1:9/realms/x"}).faults, IsEmpty());
  EXPECT_THAT(Load({"--auth-issuer=local", "--auth-jwks-file=keys.json"}).faults, IsEmpty());
  EXPECT_THAT(Load({"--auth-issuer=local", "--auth-secret-entry=token-secret"}).faults, IsEmpty());
}

TEST(ConfigTest, FreePortsMayBothBeZero) {
  EXPECT_THAT(Load({"--api-port=0", "--app-port=0"}).faults, IsEmpty());
}

TEST(ConfigTest, DevIdentityTakesEveryFormOfLoopback) {
  for (const char* address : {"127.0.0.1", "127.1.2.3", "::1", "localhost"}) {
    EXPECT_THAT(Load({"--dev-identity", std::string("--api-address=") + address}).faults, IsEmpty())
        << address;
  }
}

TEST(ConfigTest, SecretsAreNotFlags) {
  EXPECT_THAT(Load({"--dapr-api-token=x"}).faults,
              ElementsAre(HasSubstr("set DAPR_API_TOKEN in the environment")));
  const LoadedConfig loaded = Load({}, {{"DAPR_API_TOKEN", "sesame"}, {"APP_API_TOKEN", "barley"}});
  EXPECT_EQ(loaded.config.dapr_api_token, "sesame");
  EXPECT_EQ(loaded.config.app_api_token, "barley");
  EXPECT_THAT(Load({}, {{"APP_API_TOKEN", "with\n"}}).faults,
              ElementsAre(HasSubstr("APP_API_TOKEN holds")));
}

TEST(ConfigTest, TheSidecarsAddressComesFromDaprsOwnVariablesToo) {
  EXPECT_EQ(Load({}).config.dapr_grpc_endpoint, "127.0.0.1:50001");
  EXPECT_EQ(Load({}, {{"DAPR_GRPC_PORT", "3500"}}).config.dapr_grpc_endpoint, "127.0.0.1:3500");
  EXPECT_EQ(Load({}, {{"DAPR_GRPC_PORT", "3500"}, {"DAPR_GRPC_ENDPOINT", "http://dapr:80"}})
                .config.dapr_grpc_endpoint,
            "dapr:80");
  EXPECT_EQ(Load({"--dapr-grpc-endpoint=here:1"}, {{"DAPR_GRPC_ENDPOINT", "dapr:80"}})
                .config.dapr_grpc_endpoint,
            "here:1");
  EXPECT_EQ(Load({}, {{"DAPR_GRPC_ENDPOINT", "dns:dapr:80?tls=false"}}).config.dapr_grpc_endpoint,
            "dapr:80");
}

TEST(ConfigTest, AKubernetesServiceLinkIsExplained) {
  EXPECT_THAT(Load({}, {{"TODO_APP_PORT", "tcp://10.0.0.1:80"}}).faults,
              ElementsAre(HasSubstr("enableServiceLinks")));
}

TEST(ConfigTest, AMisspeltVariableIsAWarningAndOtherVariablesAreNot) {
  const LoadedConfig loaded =
      Load({}, {{"TODO_APP_PRT", "1"}, {"TODO_SERVICE_SERVICE_HOST", "10.0.0.1"}, {"HOME", "/"}});
  EXPECT_THAT(loaded.faults, IsEmpty());
  EXPECT_THAT(loaded.warnings, ElementsAre(HasSubstr("did you mean TODO_APP_PORT?")));
}

TEST(ConfigTest, Durations) {
  const std::pair<std::string, std::chrono::milliseconds> good[] = {
      {"100ms", 100ms}, {"10s", 10s}, {"2m", 2min}};
  for (const auto& [text, duration] : good) {
    EXPECT_EQ(Load({"--drain-timeout=" + text}).config.drain_timeout, duration) << text;
  }
  for (const std::string text : {"10", "1.5s", "-1s", "s", "10 s", "99ms", "11m",
                                 "99999999999999999999s", "9999999999999999h"}) {
    EXPECT_THAT(
        Load({"--drain-timeout=" + text}).faults,
        ElementsAre(HasSubstr("must be a duration with its unit (ms, s, m, h) from 100ms to 10m")))
        << text;
  }
}

TEST(ConfigTest, LimitsOfUsers) {
  const Config config = Load({}).config;
  EXPECT_EQ(config.user_calls_per_second, 50);
  EXPECT_EQ(config.user_call_burst, 200);
  EXPECT_EQ(config.user_calls_at_a_time, 32);
  EXPECT_EQ(config.user_open_tasks, 100'000);
  EXPECT_EQ(config.search_timeout, 2s);
  EXPECT_EQ(Load({"--user-open-tasks=7"}).config.user_open_tasks, 7);
  EXPECT_THAT(Load({"--user-calls-per-second=0", "--search-timeout=6s"}).faults,
              ElementsAre(HasSubstr("--user-calls-per-second"), HasSubstr("--search-timeout")));
}

TEST(ConfigTest, CommandsAreRecognised) {
  EXPECT_EQ(LoadConfig({"--help"}, {}).command, Command::kHelp);
  EXPECT_EQ(LoadConfig({"-h"}, {}).command, Command::kHelp);
  EXPECT_EQ(LoadConfig({"--version"}, {}).command, Command::kVersion);
  EXPECT_EQ(Load({"--print-config"}).command, Command::kPrintConfig);
}

TEST(ConfigTest, HelpNamesEverySettingWithItsVariableAndDefault) {
  const std::string help = HelpText();
  EXPECT_THAT(help, HasSubstr("--relay-lease=DURATION"));
  EXPECT_THAT(help, HasSubstr("TODO_RELAY_LEASE, default 4s"));
  EXPECT_THAT(help, HasSubstr("DAPR_API_TOKEN"));
  EXPECT_THAT(help, Not(HasSubstr("--dapr-api-token")));
  EXPECT_THAT(help, HasSubstr("Exit codes"));
}

TEST(ConfigTest, HelpListsEveryPrintedSetting) {
  const std::string help = HelpText();
  std::istringstream lines(PrintedConfig(Load({})));
  int count = 0;
  for (std::string line; std::getline(lines, line); ++count) {
    const std::string name = line.substr(0, line.find(' '));
    const bool is_variable = std::isupper(static_cast<unsigned char>(name[0])) != 0;
    EXPECT_THAT(help, HasSubstr(is_variable ? "\n  " + name + "\n" : "\n  --" + name + "="));
  }
  EXPECT_GT(count, 20);
}

TEST(ConfigTest, PrintedConfigShowsSourcesAndNoSecrets) {
  const LoadedConfig loaded = LoadConfig(
      {"--api-port=7", "--smtp-url=smtp://u:hidden@h"},
      {{"TODO_DATABASE_URL", "postgresql://u:hidden@h/d"}, {"DAPR_API_TOKEN", "sesame"}});
  const std::string text = PrintedConfig(loaded);
  EXPECT_THAT(text, HasSubstr("7  (flag)"));
  EXPECT_THAT(text, HasSubstr("50051  (default)"));
  EXPECT_THAT(text, HasSubstr("postgresql://u:***@h/d  (environment TODO_DATABASE_URL)"));
  EXPECT_THAT(text, AllOf(Not(HasSubstr("hidden")), Not(HasSubstr("sesame"))));
}

TEST(ConfigTest, FaultsOfTheChannelsAreReportedWithAllOthers) {
  const LoadedConfig loaded = Load(
      {"--smtp-url=mail.example:587", "--mail-from=todo at example.org", "--app-port=x",
       "--vapid-contact=ops@example.org", "--webhook-allow-hosts=hooks.internal, 10.0.0.0/99"});
  EXPECT_THAT(loaded.faults,
              UnorderedElementsAre(HasSubstr("--app-port is"),
                                   HasSubstr("--smtp-url must begin with smtp://"),
                                   HasSubstr("--mail-from must be an address"),
                                   HasSubstr("--vapid-contact must be a mailto: or https: URL"),
                                   HasSubstr("--webhook-allow-hosts: '10.0.0.0/99'")));
}

TEST(ConfigTest, FaultsDoNotRepeatThePassword) {
  const LoadedConfig loaded = LoadConfig(
      {"--database-url=postgresql://u:hidden@h/d?nonsense=1", "--smtp-url=smtp://u:hidden@h"}, {});
  ASSERT_THAT(loaded.faults, Not(IsEmpty()));
  for (const std::string& fault : loaded.faults) EXPECT_THAT(fault, Not(HasSubstr("hidden")));
}

TEST(ConfigTest, DatabaseUrlsAreMasked) {
  const std::pair<std::string, std::string> cases[] = {
      {"postgresql://h/d", "postgresql://h/d"},
      {"postgresql://u@h:5432/d", "postgresql://u@h:5432/d"},
      {"postgresql://u:secret@h:5432/d?sslmode=require",
       "postgresql://u:***@h:5432/d?sslmode=require"},
      {"postgres://u:sec@ret@h/d", "postgres://u:***@h/d"},
      {"postgresql://u:sec/ret?x@h/d", "postgresql://u:***@h/d"},
      {"postgresql://h/d?password=secret&user=u&sslpassword=s2",
       "postgresql://h/d?password=***&user=u&sslpassword=***"},
      {"postgresql://h/d?pass%77ord=secret", "postgresql://h/d?pass%77ord=***"},
      {"host=h user=u password=secret dbname=d", "host=h user=u password=*** dbname=d"},
      {"password='se cr\\'et' host = h", "password=*** host=h"},
      {"password=se\\ cret host=h", "password=*** host=h"},
      {"password='secret", "password=***"},
      {"secret", "***"},
      {"host=h secret", "***"},
      {"", ""},
  };
  for (const auto& [url, masked] : cases) EXPECT_EQ(MaskedDatabaseUrl(url), masked);
}

}  // namespace
}  // namespace todo::app

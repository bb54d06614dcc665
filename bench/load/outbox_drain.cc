// Publishes the outbox until a number of rows is through, and prints the seconds that it took.
//
//   outbox_drain ROWS            the relay as it is in the service: to the sidecar and the broker
//   outbox_drain ROWS --reads    only the relay's reads, from the cursors as they stand
//
// TODO_DATABASE_URL, DAPR_GRPC_ENDPOINT and DAPR_API_TOKEN as for the service. Nobody else may hold
// the shards.

#include <fmt/format.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <string>
#include <string_view>
#include <thread>

#include "client/dapr_client.h"
#include "client/dapr_publisher.h"
#include "relay/outbox_relay.h"
#include "store/connection_pool.h"
#include "store/pg_outbox_log.h"
#include "util/status.h"

namespace todo {
namespace {

using std::chrono::steady_clock;
using namespace std::chrono_literals;

constexpr auto kGiveUpAfter = 5min;
constexpr char kOwner[] = "outbox-drain";

std::string Environment(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

absl::Status Drain(store::PgOutboxLog& log, std::uint64_t rows) {
  client::DaprClient dapr(
      {.endpoint = Environment("DAPR_GRPC_ENDPOINT"), .api_token = Environment("DAPR_API_TOKEN")});
  client::DaprPublisher publisher(dapr, {.pubsub_name = "kafka-pubsub"});
  const auto begin = steady_clock::now();
  relay::RelayOptions options;
  options.owner = kOwner;
  relay::OutboxRelay relay(log, publisher, std::move(options));
  relay.Start();
  while (relay.stats().published_count < rows) {
    if (steady_clock::now() > begin + kGiveUpAfter) {
      return absl::DeadlineExceededError(
          fmt::format("{} of {} rows are through; {} publishes failed",
                      relay.stats().published_count, rows, relay.stats().publish_failures));
    }
    std::this_thread::sleep_for(1ms);
  }
  fmt::print("{}\n", std::chrono::duration<double>(steady_clock::now() - begin).count());
  relay.Stop(steady_clock::now() + 10s);
  return absl::OkStatus();
}

absl::Status ReadOnly(store::PgOutboxLog& log, std::size_t rows) {
  TODO_ASSIGN_OR_RETURN(ports::OutboxShards shards, log.Renew(kOwner, 1min));
  const std::vector<ports::OutboxShard> as_found = shards.owned;
  const auto begin = steady_clock::now();
  for (std::size_t read = 0; read < rows;) {
    TODO_ASSIGN_OR_RETURN(const std::vector<ports::OutboxBatch> batches,
                          log.Read(shards.owned, relay::RelayOptions().batch_limit));
    std::size_t more = 0;
    for (std::size_t i = 0; i < batches.size(); ++i) {
      shards.owned[i].cursor = batches[i].next;
      more += batches[i].changes.size() + batches[i].messages.size();
    }
    if (more == 0) return absl::OutOfRangeError(fmt::format("there are only {} rows", read));
    read += more;
  }
  fmt::print("{}\n", std::chrono::duration<double>(steady_clock::now() - begin).count());
  return log.Release(as_found);
}

int Main(const std::vector<std::string_view>& arguments) {
  const std::uint64_t rows =
      arguments.empty() ? 0 : std::strtoull(arguments[0].data(), nullptr, 10);
  const bool reads = arguments.size() == 2 && arguments[1] == "--reads";
  if (rows == 0 || arguments.size() > (reads ? 2U : 1U)) {
    fmt::print(stderr, "usage: outbox_drain ROWS [--reads]\n");
    return 2;
  }
  store::ConnectionPool pool(Environment("TODO_DATABASE_URL"), {.max_connections = 1});
  store::PgOutboxLog log(pool);
  const absl::Status status = reads ? ReadOnly(log, rows) : Drain(log, rows);
  if (!status.ok()) fmt::print(stderr, "outbox_drain: {}\n", status.ToString());
  return status.ok() ? 0 : 1;
}

}  // namespace
}  // namespace todo

int main(int argc, char** argv) {
  try {
    return todo::Main({argv + 1, argv + argc});
  } catch (const std::exception& error) {
    fmt::print(stderr, "outbox_drain: {}\n", error.what());
    return 1;
  }
}

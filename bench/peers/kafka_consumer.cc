// Reads a topic with librdkafka, without a sidecar, and writes the rows of --consumers=N inboxes
// for each batch, as the no-op app does; then it commits the offsets. Prints "ready" when it has
// its partitions, and for each line of its standard input the number of records so far.
// DATABASE_URL: where the rows go.

#include <librdkafka/rdkafkacpp.h>

#include <atomic>
#include <cstdint>
#include <iostream>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "../load/options.h"
#include "inbox_writer.h"

namespace todo::bench {
namespace {

constexpr int kPollMilliseconds = 20;

std::unique_ptr<RdKafka::KafkaConsumer> Subscribe(const Options& options) {
  const std::unique_ptr<RdKafka::Conf> settings(RdKafka::Conf::create(RdKafka::Conf::CONF_GLOBAL));
  std::string error;
  for (const auto& [name, value] :
       {std::pair<std::string, std::string>{"bootstrap.servers", options.Text("brokers")},
        {"group.id", options.Text("group")},
        {"enable.auto.commit", "false"},
        {"auto.offset.reset", "earliest"},
        {"fetch.wait.max.ms", "20"}}) {
    if (settings->set(name, value, error) != RdKafka::Conf::CONF_OK)
      throw std::runtime_error(error);
  }
  std::unique_ptr<RdKafka::KafkaConsumer> consumer(
      RdKafka::KafkaConsumer::create(settings.get(), error));
  if (!consumer) throw std::runtime_error(error);
  if (consumer->subscribe({options.Text("topic")}) != RdKafka::ERR_NO_ERROR)
    throw std::runtime_error("cannot subscribe");
  return consumer;
}

/// Takes up to `batch` records, writes their rows and commits their offsets. The number of them.
std::int64_t TakeBatch(RdKafka::KafkaConsumer& consumer, InboxWriter& writer, int batch) {
  std::int64_t count = 0;
  for (int timeout = kPollMilliseconds; count < batch; timeout = 0) {
    const std::unique_ptr<RdKafka::Message> message(consumer.consume(timeout));
    if (message->err() != RdKafka::ERR_NO_ERROR) break;
    writer.Add({static_cast<const char*>(message->payload()), message->len()});
    ++count;
  }
  writer.Write();
  if (count > 0) consumer.commitAsync();
  return count;
}

int Main(const Options& options) {
  InboxWriter writer(Options::Environment("DATABASE_URL"), options.Count("consumers"));
  const std::unique_ptr<RdKafka::KafkaConsumer> consumer = Subscribe(options);
  std::atomic<std::int64_t> count{0};
  std::jthread reader([&](const std::stop_token& stop) {
    while (!stop.stop_requested()) count += TakeBatch(*consumer, writer, options.Count("batch"));
  });
  std::vector<RdKafka::TopicPartition*> partitions;
  while (partitions.empty()) {
    std::this_thread::sleep_for(std::chrono::milliseconds(kPollMilliseconds));
    consumer->assignment(partitions);
  }
  RdKafka::TopicPartition::destroy(partitions);
  std::cout << "ready" << std::endl;
  for (std::string line; std::getline(std::cin, line);) std::cout << count << std::endl;
  reader.request_stop();
  reader.join();
  consumer->close();
  return 0;
}

}  // namespace
}  // namespace todo::bench

int main(int argc, char** argv) {
  return todo::bench::Run("kafka_consumer", todo::bench::Main, argc, argv,
                          {{"brokers", "127.0.0.1:9092"},
                           {"group", "kafka-consumer"},
                           {"topic", "task-events"},
                           {"batch", "100"},
                           {"consumers", "0"}});
}

// Publishes events to two topics through the sidecar and does nothing else: as many bulk publishes
// in flight, and as many events in each, as the relay of the service has. Prints one line of JSON,
// in which an event counts when both topics have it. DAPR_GRPC_ENDPOINT, DAPR_API_TOKEN as for the
// service.

#include <grpcpp/grpcpp.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <string>
#include <thread>
#include <vector>

#include "../load/ids.h"
#include "../load/options.h"
#include "../load/outcome.h"
#include "dapr/proto/runtime/v1/dapr.grpc.pb.h"

namespace todo::bench {
namespace {

namespace dapr = ::dapr::proto::runtime::v1;
using std::chrono::steady_clock;

constexpr const char* kTopics[] = {"task-events", "task-updates"};

class Loop {
 public:
  Loop(dapr::Dapr::Stub& stub, const Options& options, std::atomic<std::int64_t>& left, int number)
      : stub_(stub),
        batch_(options.Count("batch")),
        body_(static_cast<std::size_t>(options.Count("bytes")), 'x'),
        token_(Options::Environment("DAPR_API_TOKEN")),
        left_(left),
        user_("user-" + std::to_string(number)),
        ids_(static_cast<unsigned>(number)) {}

  void Run() {
    for (std::int64_t before = left_.fetch_sub(batch_); before > 0;
         before = left_.fetch_sub(batch_)) {
      const auto began = steady_clock::now();
      const auto count = static_cast<int>(std::min<std::int64_t>(before, batch_));
      for (const char* topic : kTopics) Publish(topic, count);
      for (int n = 0; n < count; ++n) outcome_.Answered(began);
    }
  }
  Outcome TakeOutcome() { return std::move(outcome_); }

 private:
  void Publish(const char* topic, int count) {
    dapr::BulkPublishRequest request;
    request.set_pubsub_name("kafka-pubsub");
    request.set_topic(topic);
    (*request.mutable_metadata())["rawPayload"] = "true";
    for (int n = 0; n < count; ++n) {
      dapr::BulkPublishRequestEntry& entry = *request.add_entries();
      const std::string id = ids_.Next().value();
      entry.set_entry_id(id);
      entry.set_event(R"({"specversion":"1.0","id":")" + id + R"(","data":")" + body_ + R"("})");
      entry.set_content_type("application/cloudevents+json");
      (*entry.mutable_metadata())["partitionKey"] = user_;
    }
    grpc::ClientContext context;
    context.AddMetadata("dapr-api-token", token_);
    dapr::BulkPublishResponse response;
    const grpc::Status status = stub_.BulkPublishEvent(&context, request, &response);
    if (!status.ok() || response.failedentries_size() > 0)
      outcome_.Failed(status.error_message() + " while publishing");
  }

  dapr::Dapr::Stub& stub_;
  const int batch_;
  const std::string body_;
  const std::string token_;
  std::atomic<std::int64_t>& left_;
  const std::string user_;
  Ids ids_;
  Outcome outcome_;
};

int Main(const Options& options) {
  grpc::ChannelArguments arguments;
  arguments.SetMaxReceiveMessageSize(64 << 20);
  const auto stub = dapr::Dapr::NewStub(grpc::CreateCustomChannel(
      Options::Environment("DAPR_GRPC_ENDPOINT"), grpc::InsecureChannelCredentials(), arguments));
  std::atomic<std::int64_t> left = options.Count("events");
  std::vector<std::unique_ptr<Loop>> loops;
  for (int n = 0; n < options.Count("in-flight"); ++n)
    loops.push_back(std::make_unique<Loop>(*stub, options, left, n));
  const double cpu = OwnCpuSeconds();
  const auto began = steady_clock::now();
  {
    std::vector<std::jthread> threads;
    for (const std::unique_ptr<Loop>& loop : loops) threads.emplace_back([&] { loop->Run(); });
  }
  const std::chrono::duration<double> took = steady_clock::now() - began;
  Outcome all;
  for (const std::unique_ptr<Loop>& loop : loops) all.Add(loop->TakeOutcome());
  Print(std::move(all), took.count(), OwnCpuSeconds() - cpu);
  return 0;
}

}  // namespace
}  // namespace todo::bench

int main(int argc, char** argv) {
  return todo::bench::Run(
      "publish_loop", todo::bench::Main, argc, argv,
      {{"events", "10000"}, {"batch", "100"}, {"bytes", "700"}, {"in-flight", "16"}});
}

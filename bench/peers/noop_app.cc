// The least app behind a sidecar: takes every batch of a topic and answers SUCCESS; with
// --consumers=N it writes the rows of N consumers' inboxes first. Prints "ready", and for each line
// of its standard input the number of records so far. DATABASE_URL: where the rows go.

#include <grpcpp/grpcpp.h>

#include <atomic>
#include <cstdint>
#include <iostream>
#include <memory>
#include <mutex>
#include <string>

#include "../load/options.h"
#include "dapr/proto/runtime/v1/appcallback.grpc.pb.h"
#include "inbox_writer.h"

namespace todo::bench {
namespace {

namespace dapr = ::dapr::proto::runtime::v1;
using google::protobuf::Empty;
using grpc::CallbackServerContext;
using grpc::ServerUnaryReactor;

ServerUnaryReactor* Finish(CallbackServerContext* context,
                           const grpc::Status& status = grpc::Status::OK) {
  ServerUnaryReactor* const reactor = context->DefaultReactor();
  reactor->Finish(status);
  return reactor;
}

/// One writer for each delivery at a time.
class Writers {
 public:
  Writers(std::string url, int consumers) : url_(std::move(url)), consumers_(consumers) {}

  std::unique_ptr<InboxWriter> Take() {
    {
      const std::lock_guard lock(mutex_);
      if (!free_.empty()) {
        std::unique_ptr<InboxWriter> writer = std::move(free_.back());
        free_.pop_back();
        return writer;
      }
    }
    return std::make_unique<InboxWriter>(url_, consumers_);
  }
  void GiveBack(std::unique_ptr<InboxWriter> writer) {
    const std::lock_guard lock(mutex_);
    free_.push_back(std::move(writer));
  }

 private:
  const std::string url_;
  const int consumers_;
  std::mutex mutex_;
  std::vector<std::unique_ptr<InboxWriter>> free_;
};

class App final : public dapr::AppCallback::CallbackService {
 public:
  App(const Options& options, Writers& writers)
      : topic_(options.Text("topic")), batch_(options.Count("batch")), writers_(writers) {}

  std::int64_t count() const { return count_; }

  ServerUnaryReactor* ListTopicSubscriptions(
      CallbackServerContext* context, const Empty*,
      dapr::ListTopicSubscriptionsResponse* response) override {
    dapr::TopicSubscription& subscription = *response->add_subscriptions();
    subscription.set_pubsub_name("kafka-pubsub");
    subscription.set_topic(topic_);
    (*subscription.mutable_metadata())["rawPayload"] = "true";
    subscription.mutable_routes()->set_default_("/events");
    subscription.mutable_bulk_subscribe()->set_enabled(true);
    subscription.mutable_bulk_subscribe()->set_max_messages_count(batch_);
    subscription.mutable_bulk_subscribe()->set_max_await_duration_ms(20);
    return Finish(context);
  }
  ServerUnaryReactor* ListInputBindings(CallbackServerContext* context, const Empty*,
                                        dapr::ListInputBindingsResponse*) override {
    return Finish(context);
  }
  ServerUnaryReactor* OnBulkTopicEvent(CallbackServerContext* context,
                                       const dapr::TopicEventBulkRequest* request,
                                       dapr::TopicEventBulkResponse* response) override {
    std::unique_ptr<InboxWriter> writer = writers_.Take();
    for (const dapr::TopicEventBulkRequestEntry& entry : request->entries()) {
      writer->Add(entry.bytes());
      dapr::TopicEventBulkResponseEntry& status = *response->add_statuses();
      status.set_entry_id(entry.entry_id());
      status.set_status(dapr::TopicEventResponse::SUCCESS);
    }
    writer->Write();
    writers_.GiveBack(std::move(writer));
    count_ += request->entries_size();
    return Finish(context);
  }

 private:
  const std::string topic_;
  const int batch_;
  Writers& writers_;
  std::atomic<std::int64_t> count_{0};
};

class Health final : public dapr::AppCallbackHealthCheck::CallbackService {
  ServerUnaryReactor* HealthCheck(CallbackServerContext* context, const Empty*,
                                  dapr::HealthCheckResponse*) override {
    return Finish(context);
  }
};

int Main(const Options& options) {
  Writers writers(Options::Environment("DATABASE_URL"), options.Count("consumers"));
  App app(options, writers);
  Health health;
  grpc::ServerBuilder builder;
  builder.AddListeningPort("127.0.0.1:" + options.Text("port"), grpc::InsecureServerCredentials());
  builder.SetMaxReceiveMessageSize(64 << 20);
  builder.RegisterService(&app);
  builder.RegisterService(&health);
  const std::unique_ptr<grpc::Server> server = builder.BuildAndStart();
  if (!server) throw std::runtime_error("the port cannot be opened");
  std::cout << "ready" << std::endl;
  // Each line asks for the number of records so far.
  for (std::string line; std::getline(std::cin, line);) std::cout << app.count() << std::endl;
  server->Shutdown(std::chrono::system_clock::now() + std::chrono::seconds(1));
  return 0;
}

}  // namespace
}  // namespace todo::bench

int main(int argc, char** argv) {
  return todo::bench::Run(
      "noop_app", todo::bench::Main, argc, argv,
      {{"port", "0"}, {"topic", "task-events"}, {"batch", "100"}, {"consumers", "0"}});
}

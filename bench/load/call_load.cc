// Calls the public API as many clients at once, from one thread: half of the calls create a task,
// the other half complete it (--kind=create: all create; --kind=weekly: tasks with a rule,
// completed). Prints one line of JSON. --rate=N: the open loop, N calls a second at fixed times.

#include <grpcpp/grpcpp.h>

#include <chrono>
#include <deque>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "ids.h"
#include "options.h"
#include "outcome.h"
#include "pace.h"
#include "todo/v1/todo_service.grpc.pb.h"

namespace todo::bench {
namespace {

using std::chrono::steady_clock;
using v1::TodoService;

/// One call at a time of one client.
struct Client {
  TodoService::Stub* stub = nullptr;
  std::string user;
  std::int64_t open_task = 0;
  bool completes = false;
  steady_clock::time_point due;
  std::unique_ptr<grpc::ClientContext> context;
  std::unique_ptr<grpc::ClientAsyncResponseReader<v1::Task>> reader;
  v1::Task answer;
  grpc::Status status;
};

class Load {
 public:
  Load(const Options& options, Pace& pace)
      : kind_(options.Text("kind")),
        users_(options.Count("users")),
        closed_loop_(options.Number("rate") == 0),
        pace_(pace),
        ids_(std::random_device{}()) {
    const int channels = options.Count("channels");
    for (int n = 0; n < channels; ++n) {
      grpc::ChannelArguments arguments;
      arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);  // a connection for each channel
      stubs_.push_back(TodoService::NewStub(grpc::CreateCustomChannel(
          options.Text("target"), grpc::InsecureChannelCredentials(), arguments)));
    }
    for (int n = 0; n < options.Count("clients"); ++n) {
      clients_.emplace_back();
      clients_.back().stub = stubs_[static_cast<std::size_t>(n % channels)].get();
    }
  }

  /// Two calls of each client, unmeasured.
  void WarmUp() {
    for (int n = 0; n < 2; ++n) {
      for (Client& client : clients_) Start(client, steady_clock::now());
      for (std::size_t left = clients_.size(); left > 0; --left) Finish(NextAnswer());
    }
    outcome_.Restart();
    free_.clear();
    for (Client& client : clients_) free_.push_back(&client);
  }

  Outcome Run() {
    pace_.Begin();
    std::optional<steady_clock::time_point> next = pace_.Next();
    while (next || in_flight_ > 0) {
      while (next && !free_.empty() && *next <= steady_clock::now()) {
        Client* client = free_.front();
        free_.pop_front();
        Start(*client, *next);
        next = pace_.Next();
      }
      // With no free client, only an answer helps; else the time of the next call may come first.
      const bool waits_for_time = next && !free_.empty();
      if (Client* client = NextAnswer(waits_for_time ? next : std::nullopt)) {
        Finish(client);
        free_.push_back(client);
        if (closed_loop_) next = pace_.Next();
      }
    }
    return std::move(outcome_);
  }

 private:
  void Start(Client& client, steady_clock::time_point due) {
    client.due = due;
    client.context = std::make_unique<grpc::ClientContext>();
    client.completes = client.open_task != 0 && kind_ != "create";
    if (!client.completes) client.user = "user-" + std::to_string(ids_.Below(users_));
    client.context->AddMetadata("x-user-id", client.user);
    client.context->set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(30));
    if (client.completes) {
      v1::CompleteTaskRequest request;
      request.set_id(client.open_task);
      request.set_request_id(ids_.Next().value());
      client.reader = client.stub->AsyncCompleteTask(client.context.get(), request, &queue_);
    } else {
      client.reader = client.stub->AsyncCreateTask(client.context.get(), NewTask(), &queue_);
    }
    client.reader->Finish(&client.answer, &client.status, &client);
    ++in_flight_;
  }

  v1::CreateTaskRequest NewTask() {
    v1::CreateTaskRequest request;
    v1::Task& task = *request.mutable_task();
    task.set_title("Water the plants");
    task.set_description("all of them, also those on the balcony");
    task.add_tags("home");
    task.add_tags("green");
    if (kind_ == "weekly") {
      task.set_due_local("2030-10-24T09:00:00");
      task.set_time_zone("Europe/Berlin");
      task.set_recurrence_rule("FREQ=WEEKLY");
    }
    request.set_request_id(ids_.Next().value());
    return request;
  }

  /// The client that has its answer; null: `until` came first.
  Client* NextAnswer(std::optional<steady_clock::time_point> until = std::nullopt) {
    void* tag = nullptr;
    bool ok = false;
    if (!until) {
      queue_.Next(&tag, &ok);
      return static_cast<Client*>(tag);
    }
    const auto left = std::chrono::duration_cast<std::chrono::system_clock::duration>(
        *until - steady_clock::now());
    const auto got = queue_.AsyncNext(&tag, &ok, std::chrono::system_clock::now() + left);
    return got == grpc::CompletionQueue::GOT_EVENT ? static_cast<Client*>(tag) : nullptr;
  }

  void Finish(Client* client) {
    --in_flight_;
    client->open_task = 0;
    if (!client->status.ok()) {
      outcome_.Failed(client->status.error_message());
      return;
    }
    outcome_.Answered(client->due);
    if (!client->completes) client->open_task = client->answer.id();
  }

  const std::string kind_;
  const int users_;
  const bool closed_loop_;
  Pace& pace_;
  Ids ids_;
  grpc::CompletionQueue queue_;
  std::vector<std::unique_ptr<TodoService::Stub>> stubs_;
  std::deque<Client> clients_;
  std::deque<Client*> free_;
  std::size_t in_flight_ = 0;
  Outcome outcome_;
};

int Main(const Options& options) {
  Pace pace(options.Number("rate"), options.Number("seconds"));
  Load load(options, pace);
  load.WarmUp();
  PrintBegin();
  const double cpu = OwnCpuSeconds();
  Outcome outcome = load.Run();
  const std::chrono::duration<double> took = steady_clock::now() - pace.begin();
  Print(std::move(outcome), took.count(), OwnCpuSeconds() - cpu);
  return 0;
}

}  // namespace
}  // namespace todo::bench

int main(int argc, char** argv) {
  return todo::bench::Run("call_load", todo::bench::Main, argc, argv,
                          {{"target", "127.0.0.1:50051"},
                           {"clients", "16"},
                           {"channels", "4"},
                           {"users", "1000"},
                           {"seconds", "2"},
                           {"rate", "0"},
                           {"kind", "mixed"}});
}

// Calls the port TaskStore, as the API's workers do, from a number of threads: half of the
// mutations create a task, the other half complete it (--kind=create: all create). Prints one line
// of JSON.
// TODO_DATABASE_URL as for the service; the tables must be there (--migrate=yes makes them and
// ends).

#include <barrier>
#include <chrono>
#include <cstdio>
#include <memory>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "ids.h"
#include "options.h"
#include "outcome.h"
#include "pace.h"
#include "store/connection_pool.h"
#include "store/migrations.h"
#include "store/pg_task_store.h"

namespace todo::bench {
namespace {

using std::chrono::steady_clock;

struct Load {
  ports::TaskStore& store;
  Pace& pace;
  int users = 1;
  bool creates_only = false;
};

class Caller {
 public:
  Caller(Load& load, unsigned seed) : load_(load), ids_(seed) {}

  /// Makes the connection and the plans.
  void WarmUp() {
    for (int n = 0; n < 6; ++n) Call(steady_clock::now());
    outcome_.Restart();
  }
  void Run() {
    while (const auto due = load_.pace.Next()) {
      std::this_thread::sleep_until(*due);
      Call(*due);
    }
  }
  Outcome TakeOutcome() { return std::move(outcome_); }

 private:
  void Call(steady_clock::time_point due) {
    ports::Mutation mutation;
    const bool completes = open_task_.value != 0 && !load_.creates_only;
    if (completes) {
      mutation.kind = domain::ChangeKind::kCompleted;
      mutation.task_id = open_task_;
    } else {
      user_.value = "user-" + std::to_string(ids_.Below(load_.users));
      mutation.fields.title = "Water the plants";
      mutation.fields.description = "all of them, also those on the balcony";
      mutation.fields.tags = {"home", "green"};
    }
    mutation.user = user_;
    mutation.request_id = {ids_.Next()};
    mutation.fingerprint = std::string(32, 'f');
    mutation.event_id = {ids_.Next()};
    mutation.now = std::chrono::floor<std::chrono::microseconds>(std::chrono::system_clock::now());
    mutation.traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    const absl::StatusOr<ports::MutationResult> result = load_.store.Apply(mutation);
    open_task_ = {};
    if (!result.ok()) return outcome_.Failed(result.status().ToString());
    outcome_.Answered(due);
    if (!completes) open_task_ = result->task.id;
  }

  Load& load_;
  Ids ids_;
  domain::UserId user_;
  domain::TaskId open_task_;
  Outcome outcome_;
};

void RunAll(Load& load, int count) {
  std::vector<std::unique_ptr<Caller>> callers;
  std::random_device seed;
  for (int n = 0; n < count; ++n) callers.push_back(std::make_unique<Caller>(load, seed()));
  double cpu = 0;
  std::barrier begin(count, [&]() noexcept {
    PrintBegin();
    cpu = OwnCpuSeconds();
    load.pace.Begin();
  });
  std::vector<std::jthread> threads;
  for (const std::unique_ptr<Caller>& caller : callers) {
    threads.emplace_back([&] {
      caller->WarmUp();
      begin.arrive_and_wait();
      caller->Run();
    });
  }
  threads.clear();
  const std::chrono::duration<double> took = steady_clock::now() - load.pace.begin();
  Outcome all;
  for (const std::unique_ptr<Caller>& caller : callers) all.Add(caller->TakeOutcome());
  Print(std::move(all), took.count(), OwnCpuSeconds() - cpu);
}

int Main(const Options& options) {
  const std::string url = Options::Environment("TODO_DATABASE_URL");
  if (options.Text("migrate") == "yes") {
    const absl::Status status = store::Migrate(url);
    if (!status.ok()) fmt::print(stderr, "store_load: {}\n", status.ToString());
    return status.ok() ? 0 : 1;
  }
  // As the service is set up by default.
  store::ConnectionPool pool(url, {.max_connections = options.Count("connections")});
  store::PgTaskStore store(pool, [](int /*shard*/) {});
  Pace pace(options.Number("rate"), options.Number("seconds"));
  Load load{.store = store,
            .pace = pace,
            .users = options.Count("users"),
            .creates_only = options.Text("kind") == "create"};
  RunAll(load, options.Count("callers"));
  return 0;
}

}  // namespace
}  // namespace todo::bench

int main(int argc, char** argv) {
  return todo::bench::Run("store_load", todo::bench::Main, argc, argv,
                          {{"callers", "16"},
                           {"connections", "16"},
                           {"users", "1000"},
                           {"seconds", "2"},
                           {"rate", "0"},
                           {"kind", "mixed"},
                           {"migrate", "no"}});
}

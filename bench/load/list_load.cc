// Reads one page of a user's list again and again through the port TaskStore, as the API does.
// Prints one line of JSON. TODO_DATABASE_URL as for the service.

#include <chrono>
#include <map>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "options.h"
#include "outcome.h"
#include "pace.h"
#include "store/connection_pool.h"
#include "store/pg_task_store.h"

namespace todo::bench {
namespace {

using ports::TaskOrder;
using std::chrono::steady_clock;

constexpr int kWarmUps = 3;

ports::TaskQuery QueryOf(const Options& options) {
  static const std::map<std::string, TaskOrder> orders = {{"created_at", TaskOrder::kCreatedAt},
                                                          {"due_date", TaskOrder::kDueDate},
                                                          {"priority", TaskOrder::kPriority},
                                                          {"title", TaskOrder::kTitle},
                                                          {"updated_at", TaskOrder::kUpdatedAt}};
  ports::TaskQuery query;
  query.order = orders.at(options.Text("order"));
  query.descending = options.Text("descending") == "yes";
  const std::string& filter = options.Text("filter");
  if (filter == "open") query.completed = false;
  if (filter == "priority") query.priority = domain::Priority::kHigh;
  if (filter == "tag") query.tag = "tag-7";
  if (filter == "text") query.text = "task 77";
  if (filter == "due") {
    query.due_from = domain::ParseInstant("2030-03-01T00:00:00Z").value();
    query.due_before = domain::ParseInstant("2030-06-01T00:00:00Z").value();
  }
  return query;
}

/// The query of the page with this number.
ports::TaskQuery PageOf(ports::TaskStore& store, const domain::UserId& user, ports::TaskQuery query,
                        int number) {
  for (int page = 1; page < number; ++page) {
    const auto read = store.List(user, query);
    if (!read.ok()) throw std::runtime_error(read.status().ToString());
    if (read->next_cursor.empty()) throw std::runtime_error("there are fewer pages");
    query.page_cursor = read->next_cursor;
  }
  return query;
}

int Main(const Options& options) {
  store::ConnectionPool pool(Options::Environment("TODO_DATABASE_URL"), {.max_connections = 2});
  store::PgTaskStore store(pool, [](int /*shard*/) {});
  const domain::UserId user{options.Text("user")};
  const ports::TaskQuery query = PageOf(store, user, QueryOf(options), options.Count("page"));
  Outcome outcome;
  const auto read = [&] {
    const auto due = steady_clock::now();
    const auto page = store.List(user, query);
    page.ok() ? outcome.Answered(due) : outcome.Failed(page.status().ToString());
  };
  for (int n = 0; n < kWarmUps; ++n) read();
  outcome.Restart();
  PrintBegin();
  Pace pace(0, options.Number("seconds"));
  const double cpu = OwnCpuSeconds();
  pace.Begin();
  while (pace.Next()) read();
  const std::chrono::duration<double> took = steady_clock::now() - pace.begin();
  Print(std::move(outcome), took.count(), OwnCpuSeconds() - cpu);
  return 0;
}

}  // namespace
}  // namespace todo::bench

int main(int argc, char** argv) {
  return todo::bench::Run("list_load", todo::bench::Main, argc, argv,
                          {{"user", "user-0"},
                           {"order", "created_at"},
                           {"descending", "no"},
                           {"filter", "none"},
                           {"page", "1"},
                           {"seconds", "1"}});
}

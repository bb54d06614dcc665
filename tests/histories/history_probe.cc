// The use cases of tasks, series and reminders, one JSON object per line on standard input:
//   {"do": "begin", "zone": "Europe/Berlin"}
// begins a history: a new user of that zone on empty stores in memory, or, with
// "store": "postgres", on a database of the server that TODO_TEST_DATABASE_URL names. Then what
// the user does, at a time of day that never goes back:
//   {"do": "create", "now": "2026-11-26T09:00:00Z", "title": "tea", "due_local": "2026-11-30",
//    "rule": "FREQ=WEEKLY", "basis": "completion"}
//   {"do": "update", "now": …, "id": 1, "scope": "following", "title": …, "due_date": …,
//    "due_local": …, "time_zone": …, "rule": …, "basis": …}     what is named is changed
//   {"do": "complete" | "uncomplete" | "skip" | "restore" | "stop" | "delete", "now": …, "id": 1,
//   "scope": …}
//   {"do": "remind", "now": …, "id": 1, "at": … | "before": "PT1H", "time_of_day": "09:00"}
//   {"do": "forget", "now": …, "id": 1, "number": 1}            deletes a reminder
//   {"do": "wait", "now": …}
// Before each, the reminders fire that are due by then. After each, the events that it made, and
// those that follow from them, come back from the bus: "deliver" says "once", "twice",
// "backwards" (each alone, the newest first), or "later" (with those of the next).
//
// Each line is answered with the tasks that the user then sees, {"tasks": […]}, and with "refused"
// if the call was refused:
//   {"refused": {"code": "INVALID_ARGUMENT", "reason": "", "message": "…"}, "tasks": […]}
//
// --plant=<mistake> makes the service wrong on purpose, for the test that mistakes are found.

#include <cstdint>
#include <functional>
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "domain/event/event.h"
#include "domain/event/event_reader.h"
#include "domain/event/event_writer.h"
#include "domain/reminder/reminder.h"
#include "domain/task/task.h"
#include "ports/clock.h"
#include "service/consumers/recurring_task_service.h"
#include "service/reminders/reminder_service.h"
#include "service/tasks/task_service.h"
#include "store/connection_pool.h"
#include "store/pg_event_inbox.h"
#include "store/pg_preferred_zones.h"
#include "store/pg_reminder_store.h"
#include "store/pg_task_store.h"
#include "support/fake_database.h"
#include "support/fake_event_inbox.h"
#include "support/fake_preferred_zones.h"
#include "support/fake_reminder_store.h"
#include "support/fake_task_store.h"
#include "support/test_database.h"
#include "util/status.h"

namespace {

using namespace todo;  // NOLINT(google-build-using-namespace): all rooms but the edges meet here
using domain::Task;
using nlohmann::json;

/// The mistake that is planted in the service.
enum class Plant {
  kNone,
  kMoveIsForThisOnce,      // a move of all that follows moves this one only
  kPostponingMovesSeries,  // and the other way round
  kCompletionIsSchedule,   // the basis is ignored
  kReopeningLeavesNext,    // `uncompleted` is not listened to
  kRestoringLeavesNext,    // nor `created` of a restored task
  kRemindersStayUnplanned,
};
std::optional<Plant> ParsePlant(const std::string& name) {
  if (name == "move-is-for-this-once") return Plant::kMoveIsForThisOnce;
  if (name == "postponing-moves-series") return Plant::kPostponingMovesSeries;
  if (name == "completion-is-schedule") return Plant::kCompletionIsSchedule;
  if (name == "reopening-leaves-next") return Plant::kReopeningLeavesNext;
  if (name == "restoring-leaves-next") return Plant::kRestoringLeavesNext;
  if (name == "reminders-stay-unplanned") return Plant::kRemindersStayUnplanned;
  return std::nullopt;
}

class SetClock final : public ports::Clock {
 public:
  domain::Instant Now() const override { return now; }
  domain::Instant now{};
};

class CountedIds final : public ports::IdSource {
 public:
  domain::Uuid NewId() override {
    std::string bytes(16, '\0');
    std::uint64_t number = ++count_;
    for (std::size_t i = bytes.size(); number > 0; number >>= 8U)
      bytes[--i] = static_cast<char>(number & 0xffU);
    return domain::Uuid::FromBytes(bytes, 7);
  }

 private:
  std::uint64_t count_ = 0;
};

struct Stores {
  virtual ~Stores() = default;
  virtual ports::TaskStore& tasks() = 0;
  virtual ports::PreferredZones& zones() = 0;
  virtual ports::EventInbox& inbox() = 0;
  virtual ports::ReminderStore& reminders() = 0;
};

class FakeStores final : public Stores {
 public:
  ports::TaskStore& tasks() override { return tasks_; }
  ports::PreferredZones& zones() override { return zones_; }
  ports::EventInbox& inbox() override { return inbox_; }
  ports::ReminderStore& reminders() override { return reminders_; }

 private:
  support::FakeDatabase database_;
  support::FakeTaskStore tasks_{database_};
  support::FakePreferredZones zones_{database_};
  support::FakeEventInbox inbox_{database_};
  support::FakeReminderStore reminders_{database_};
};

class PostgresStores final : public Stores {
 public:
  ports::TaskStore& tasks() override { return tasks_; }
  ports::PreferredZones& zones() override { return zones_; }
  ports::EventInbox& inbox() override { return inbox_; }
  ports::ReminderStore& reminders() override { return reminders_; }

 private:
  static std::unique_ptr<support::TestDatabase> Made() {
    auto database = support::TestDatabase::Make();
    if (database == nullptr) throw std::runtime_error("TODO_TEST_DATABASE_URL is not set");
    return database;
  }
  const std::unique_ptr<support::TestDatabase> database_ = Made();
  store::ConnectionPool pool_{database_->conninfo()};
  store::PgTaskStore tasks_{pool_, [](int) {}};
  store::PgPreferredZones zones_{pool_};
  store::PgEventInbox inbox_{pool_, [](int) {}};
  store::PgReminderStore reminders_{pool_, [](int) {}};
};

std::optional<std::string> Text(const json& question, const char* name) {
  const auto found = question.find(name);
  if (found == question.end() || found->is_null()) return std::nullopt;
  return found->get<std::string>();
}

/// The value of a step that must succeed; a failure ends the history.
template <typename T>
T Must(absl::StatusOr<T> value) {
  if (!value.ok()) throw std::runtime_error(value.status().ToString());
  return *std::move(value);
}
void Must(const absl::Status& status) {
  if (!status.ok()) throw std::runtime_error(status.ToString());
}

class History {
 public:
  History(const json& question, Stores& stores, Plant plant, CountedIds& ids)
      : stores_(stores), plant_(plant), ids_(ids), user_{"user-" + ids.NewId().value()} {
    if (const auto zone = Text(question, "zone"))
      Must(stores.zones().Keep(user_, *zone, domain::kMinInstant));
  }

  json Answer(const json& question) {
    clock_.now = Must(domain::ParseInstant(question.at("now").get<std::string>()));
    SettleReminders();
    json answer = json::object();
    if (const absl::Status status = Do(question); !status.ok()) {
      answer["refused"] = {{"code", absl::StatusCodeToString(status.code())},
                           {"reason", util::ReasonOf(status)},
                           {"message", std::string(status.message())}};
    }
    Deliver(question.value("deliver", "once"));
    SettleReminders();
    answer["tasks"] = json::array();
    ports::TaskQuery query;
    query.limit = 500;
    for (const Task& task : Must(tasks_.List(user_, query)).tasks)
      answer["tasks"].push_back(Show(task));
    return answer;
  }

 private:
  service::CallContext Call() const {
    return {.user = user_, .request_id = {}, .fingerprint = "f", .traceparent = {}};
  }

  static service::SeriesScope ScopeOf(const json& question) {
    const std::string scope = question.value("scope", "");
    if (scope == "this") return service::SeriesScope::kThis;
    if (scope == "following") return service::SeriesScope::kFollowing;
    if (scope == "all") return service::SeriesScope::kAll;
    return service::SeriesScope::kDefault;
  }

  std::optional<domain::RecurrenceBasis> BasisOf(const json& question) const {
    const auto basis = Text(question, "basis");
    if (!basis) return std::nullopt;
    if (plant_ == Plant::kCompletionIsSchedule) return domain::RecurrenceBasis::kSchedule;
    return domain::ParseRecurrenceBasis(*basis);
  }

  static std::optional<service::DueInput> DueOf(const json& question) {
    if (!question.contains("due_local") && !question.contains("due_date")) return std::nullopt;
    service::DueInput due{.due_date = {}, .due_local = Text(question, "due_local")};
    if (const auto at = Text(question, "due_date")) due.due_date = Must(domain::ParseInstant(*at));
    return due;
  }

  absl::Status Do(const json& question) {
    const std::string what = question.at("do").get<std::string>();
    const domain::TaskId id{question.value("id", std::int64_t{0})};
    if (what == "create") return Create(question);
    if (what == "update") return Update(id, question);
    if (what == "complete" || what == "uncomplete")
      return tasks_.SetCompleted(Call(), id, {}, what == "complete").status();
    if (what == "skip") return tasks_.Skip(Call(), id, {}).status();
    if (what == "restore") return tasks_.Restore(Call(), id).status();
    if (what == "stop") return tasks_.StopSeries(Call(), id, {}).status();
    if (what == "delete") return tasks_.Delete(Call(), id, {}, ScopeOf(question)).status();
    if (what == "remind") {
      service::ReminderInput input{.at = {},
                                   .before = Text(question, "before"),
                                   .time_of_day = Text(question, "time_of_day")};
      if (const auto at = Text(question, "at")) input.at = Must(domain::ParseInstant(*at));
      return reminders_.Create(Call(), id, input).status();
    }
    if (what == "forget")
      return reminders_.Delete(Call(), id, question.at("number").get<int>()).status();
    if (what == "wait") return absl::OkStatus();
    throw std::runtime_error("cannot do " + what);
  }

  absl::Status Create(const json& question) {
    service::CreateTaskInput input;
    input.title = question.value("title", "a task");
    if (const auto due = DueOf(question)) input.due = *due;
    input.time_zone = Text(question, "time_zone");
    input.recurrence_rule = Text(question, "rule");
    input.basis = BasisOf(question);
    return tasks_.Create(Call(), input).status();
  }

  absl::Status Update(domain::TaskId id, const json& question) {
    service::UpdateTaskInput input;
    input.id = id;
    input.title = Text(question, "title");
    input.due = DueOf(question);
    if (question.contains("time_zone")) input.time_zone = Text(question, "time_zone");
    if (question.contains("rule")) input.recurrence_rule = Text(question, "rule");
    input.basis = BasisOf(question);
    input.scope = ScopeOf(question);
    if (input.due) {
      const bool moves = input.scope == service::SeriesScope::kFollowing ||
                         input.scope == service::SeriesScope::kAll;
      if (moves && plant_ == Plant::kMoveIsForThisOnce) input.scope = service::SeriesScope::kThis;
      if (!moves && plant_ == Plant::kPostponingMovesSeries)
        input.scope = service::SeriesScope::kFollowing;
    }
    return tasks_.Update(Call(), input).status();
  }

  std::vector<domain::TaskEvent> News() {
    std::vector<domain::TaskEvent> news;
    for (;;) {
      const ports::ChangePage page =
          Must(tasks_.ListChanges(user_, {.after_seq = seen_, .limit = 500}));
      for (const domain::Change& change : page.changes) {
        seen_ = change.seq;
        const domain::TaskEvent event =
            Must(domain::ParseTaskEventRecord(domain::TaskEventRecord(change)));
        if (plant_ == Plant::kReopeningLeavesNext && event.kind == domain::ChangeKind::kUncompleted)
          continue;
        if (plant_ == Plant::kRestoringLeavesNext && event.kind == domain::ChangeKind::kCreated)
          continue;
        news.push_back(event);
      }
      if (page.changes.empty()) return news;
    }
  }

  void Deliver(const std::string& how) {
    if (how == "later") return;
    for (;;) {
      std::vector<domain::TaskEvent> news = News();
      if (news.empty()) return;
      if (how == "backwards") {
        for (auto event = news.rbegin(); event != news.rend(); ++event) Deliver({*event});
      } else {
        Deliver(news);
        if (how == "twice") Deliver(news);
      }
    }
  }
  void Deliver(const std::vector<domain::TaskEvent>& events) {
    Must(stores_.inbox().Transact([&](ports::InboxTransaction& transaction) {
      return consumer_.Apply(transaction, events);
    }));
  }

  void SettleReminders() {
    if (plant_ == Plant::kRemindersStayUnplanned) return;
    while (Must(reminders_.PlanBacklog())) {
    }
    while (Must(reminders_.Sweep()).more) {
    }
  }

  json Show(const Task& task) {
    json shown = {{"id", task.id.value},
                  {"title", task.fields.title},
                  {"due_kind", domain::ToString(task.fields.due.kind)},
                  {"due_local", domain::FormatDueLocal(task.fields.due)},
                  {"due_date", nullptr},
                  {"time_zone", task.fields.time_zone},
                  {"rule", nullptr},
                  {"basis", domain::ToString(task.fields.recurrence_basis)},
                  {"completed", task.completed},
                  {"occurrence", nullptr},
                  {"missed", nullptr},
                  {"version", task.version},
                  {"reminders", json::array()}};
    if (task.fields.due.kind != domain::DueKind::kNone)
      shown["due_date"] = domain::FormatInstant(task.fields.due.at);
    if (task.fields.recurrence_rule) shown["rule"] = *task.fields.recurrence_rule;
    if (task.series) {
      shown["occurrence"] = task.series->occurrence;
      shown["missed"] = task.series->missed;
    }
    for (const domain::Reminder& reminder : Must(reminders_.List(user_, task.id))) {
      shown["reminders"].push_back(
          {{"number", reminder.id.number},
           {"remind_at",
            reminder.remind_at ? json(domain::FormatInstant(*reminder.remind_at)) : json(nullptr)},
           {"state", domain::ToString(reminder.state)}});
    }
    return shown;
  }

  Stores& stores_;
  const Plant plant_;
  CountedIds& ids_;
  const domain::UserId user_;
  SetClock clock_;
  std::int64_t seen_ = 0;
  service::TaskService tasks_{stores_.tasks(), stores_.zones(), clock_, ids_};
  service::RecurringTaskService consumer_{clock_, ids_};
  service::ReminderService reminders_{stores_.reminders(), clock_, ids_, {}};
};

}  // namespace

int main(int argc, char** argv) {
  std::ios::sync_with_stdio(false);
  Plant plant = Plant::kNone;
  for (int i = 1; i < argc; ++i) {
    const std::string argument = argv[i];
    const auto parsed =
        argument.rfind("--plant=", 0) == 0 ? ParsePlant(argument.substr(8)) : std::nullopt;
    if (!parsed) {
      std::cerr << argument << ": no such argument, or no such mistake\n";
      return 2;
    }
    plant = *parsed;
  }
  CountedIds ids;
  std::unique_ptr<Stores> fakes;
  std::unique_ptr<Stores> postgres;
  std::unique_ptr<History> history;
  for (std::string line; std::getline(std::cin, line);) {
    json answer;
    try {
      const json question = json::parse(line);
      if (question.at("do") == "begin") {
        history.reset();
        Stores* stores = nullptr;
        if (question.value("store", "") == "postgres") {
          if (postgres == nullptr) postgres = std::make_unique<PostgresStores>();
          stores = postgres.get();
        } else {
          fakes = std::make_unique<FakeStores>();
          stores = fakes.get();
        }
        history = std::make_unique<History>(question, *stores, plant, ids);
        answer = {{"tasks", json::array()}};
      } else {
        answer = history->Answer(question);
      }
    } catch (const std::exception& error) {
      answer = {{"failed", error.what()}};
    }
    std::cout << answer.dump(-1, ' ', false, json::error_handler_t::replace) << "\n" << std::flush;
  }
}

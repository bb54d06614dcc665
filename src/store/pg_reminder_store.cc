#include "store/pg_reminder_store.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <utility>

#include "ports/no_such_task.h"
#include "store/reminder_columns.h"
#include "store/session.h"
#include "store/task_columns.h"
#include "store/unit_of_work.h"
#include "util/fault_point.h"
#include "util/status.h"

namespace todo::store {
namespace {

using domain::Instant;
using domain::Reminder;
using ports::JobIntent;
using ports::TaskRef;
using ports::TaskReminders;

constexpr Statement kLock{"reminder_lock", "select lock_users($1::text[])"};

// A statement of its own, so that it sees the commits that happened while it waited for the lock.
constexpr Statement kLoad{"reminder_load", R"sql(
select r.ord, task_json(t), t.deleted_at is not null,
       coalesce((select jsonb_agg(to_jsonb(m) order by m.number) from reminders m
                 where m.user_id = t.user_id and m.task_id = t.id), '[]'),
       coalesce((select c.traceparent from changes c where c.user_id = t.user_id and c.seq = t.seq), '')
from unnest($1::text[], $2::bigint[]) with ordinality r (user_id, task_id, ord)
join tasks t on t.user_id = r.user_id and t.id = r.task_id
order by r.ord)sql"};

constexpr Statement kFirstAnswer{"reminder_first_answer", R"sql(
select fingerprint = $3, answer from requests where user_id = $1 and request_id = $2)sql"};

constexpr Statement kRemember{"reminder_remember", R"sql(
insert into requests (user_id, request_id, fingerprint, answer, at) values ($1, $2, $3, $4, $5))sql"};

// Every statement that writes several reminders locks them in the order of their key: this one,
// kRecordJobs, and the trigger on tasks. A fired reminder has no job any more.
constexpr Statement kSave{"reminder_save", R"sql(
insert into reminders as r (user_id, task_id, number, at, at_local, before, time_of_day, planned_at, remind_at, state,
                            fired_at, unplanned_since, created_at)
select user_id, task_id, number, at, at_local, before, time_of_day, planned_at, remind_at, state, fired_at,
       unplanned_since, created_at
from jsonb_populate_recordset(null::reminders, $1::jsonb)
order by user_id, task_id, number
on conflict (user_id, task_id, number) do update set
    at = excluded.at, at_local = excluded.at_local, before = excluded.before, time_of_day = excluded.time_of_day,
    planned_at = excluded.planned_at, remind_at = excluded.remind_at, state = excluded.state,
    fired_at = excluded.fired_at, unplanned_since = excluded.unplanned_since,
    job_at = case when excluded.state = 'fired' then null else r.job_at end)sql"};

constexpr Statement kPost{"reminder_post", R"sql(
select add_message(m.topic, m.key, m.event_id, m.payload), shard_of(m.key)
from unnest($1::text[], $2::text[], $3::uuid[], $4::text[]) m (topic, key, event_id, payload))sql"};

constexpr Statement kOwned{"reminder_owned",
                           "select user_id, id from tasks where id = any ($1::bigint[])"};

constexpr Statement kUnplanned{"reminder_unplanned", R"sql(
select user_id, task_id from reminders where unplanned_since is not null order by unplanned_since limit $1)sql"};

constexpr Statement kDue{"reminder_due", R"sql(
select user_id, task_id from reminders where state = 'pending' and remind_at <= $1 order by remind_at limit $2)sql"};

// This statement locks only these rows and waits for no lock, so it cannot deadlock with
// transactions that lock the user first.
constexpr Statement kClaimJobs{"reminder_claim_jobs", R"sql(
with claimed as (
    select user_id, task_id, number from reminders
    where wanted_job is distinct from job_at and job_claimed_until <= $1
    order by remind_at limit $3 for update skip locked
)
update reminders r set job_claimed_until = $2
from claimed c where r.user_id = c.user_id and r.task_id = c.task_id and r.number = c.number
returning to_jsonb(r), r.wanted_job is not null,
          coalesce((select l.traceparent from tasks t join changes l on l.user_id = t.user_id and l.seq = t.seq
                    where t.user_id = r.user_id and t.id = r.task_id), ''))sql"};

constexpr Statement kRecordJobs{"reminder_record_jobs", R"sql(
with j as materialized (
    select r.user_id, r.task_id, r.number, j.job_at
    from unnest($1::text[], $2::bigint[], $3::int[], $4::timestamptz[]) j (user_id, task_id, number, job_at)
    join reminders r using (user_id, task_id, number)
    order by 1, 2, 3 for update of r
)
update reminders r set job_at = j.job_at, job_written_at = $5, job_claimed_until = '-infinity'
from j
where r.user_id = j.user_id and r.task_id = j.task_id and r.number = j.number)sql"};

constexpr Statement kForget{"reminder_forget", R"sql(
delete from reminders r using unnest($1::text[], $2::bigint[], $3::int[]) j (user_id, task_id, number)
where r.user_id = j.user_id and r.task_id = j.task_id and r.number = j.number
  and r.state = 'deleted' and r.job_at is null)sql"};

constexpr Statement kForgetJobs{"reminder_forget_jobs", R"sql(
with doubted as (
    select user_id, task_id, number from reminders
    where state = 'pending' and job_at is not null and job_written_at < $1 and remind_at >= $2
    order by remind_at limit $3 for update skip locked
), forgotten as (
    update reminders r set job_at = null
    from doubted d where r.user_id = d.user_id and r.task_id = d.task_id and r.number = d.number
    returning r.remind_at
)
select micros(max(remind_at)) from forgotten)sql"};

/// The keys of reminders, as array parameters.
struct Keys {
  template <typename Range, typename ToId>
  Keys(const Range& range, ToId&& id)
      : users(ArrayLiteralOf(range, [&](const auto& x) { return id(x).user.value; })),
        tasks(ArrayLiteralOf(range,
                             [&](const auto& x) { return fmt::to_string(id(x).task_id.value); })),
        numbers(
            ArrayLiteralOf(range, [&](const auto& x) { return fmt::to_string(id(x).number); })) {}

  std::string users;
  std::string tasks;
  std::string numbers;
};

/// The columns of kLoad from the second on.
absl::StatusOr<TaskReminders> Decode(const pqxx::row& row) {
  TaskReminders held;
  TODO_ASSIGN_OR_RETURN(held.task, DecodeTask(View(row[1])));
  held.task.deleted = row[2].as<bool>();
  TODO_ASSIGN_OR_RETURN(held.reminders, DecodeReminders(View(row[3])));
  held.traceparent = row[4].as<std::string>();
  return held;
}

pqxx::result Load(pqxx::transaction_base& transaction, const std::vector<TaskRef>& refs) {
  return Exec(
      transaction, kLoad, ArrayLiteralOf(refs, [](const TaskRef& ref) { return ref.user.value; }),
      ArrayLiteralOf(refs, [](const TaskRef& ref) { return fmt::to_string(ref.task_id.value); }));
}

using Refs = absl::StatusOr<std::vector<TaskRef>>;

/// Each task once, in the order in which they came.
std::vector<TaskRef> RefsOf(const pqxx::result& result) {
  std::vector<TaskRef> refs;
  std::set<TaskRef> seen;
  for (const pqxx::row& row : result) {
    TaskRef ref{.user = {row[0].as<std::string>()}, .task_id = {row[1].as<std::int64_t>()}};
    if (seen.insert(ref).second) refs.push_back(std::move(ref));
  }
  return refs;
}

class Transaction final : public ports::ReminderTransaction, public UnitOfWork {
 public:
  using UnitOfWork::UnitOfWork;

  absl::StatusOr<std::vector<std::optional<TaskReminders>>> LockAndLoad(
      const std::vector<TaskRef>& refs) override {
    using Held = std::vector<std::optional<TaskReminders>>;
    std::set<std::string> users;
    for (const TaskRef& ref : refs) users.insert(ref.user.value);
    return Guard("lock and load reminders", [&]() -> absl::StatusOr<Held> {
      Exec(work_, kLock, ArrayLiteralOf(users, [](const std::string& user) { return user; }));
      Held held(refs.size());
      for (const pqxx::row& row : Load(work_, refs)) {
        TODO_ASSIGN_OR_RETURN(held.at(row[0].as<std::size_t>() - 1), Decode(row));
      }
      return held;
    });
  }

  absl::StatusOr<std::optional<Reminder>> FirstAnswer(const ports::RequestName& request) override {
    using Answer = std::optional<Reminder>;
    return Guard("look for a request", [&]() -> absl::StatusOr<Answer> {
      const pqxx::result result =
          Exec(work_, kFirstAnswer, request.user.value, request.request_id.value(),
               ByteaLiteral(request.fingerprint));
      if (result.empty()) return Answer();
      if (!result[0][0].as<bool>()) {
        return util::WithReason(
            absl::AlreadyExistsError(
                "this request_id was used for a call with other content: use a new one for each "
                "call, the same one only to repeat it"),
            "REQUEST_ID_REUSED");
      }
      TODO_ASSIGN_OR_RETURN(Reminder answer, DecodeReminder(View(result[0][1])));
      return Answer(std::move(answer));
    });
  }

  absl::Status Remember(const ports::RequestName& request, const Reminder& answer,
                        Instant now) override {
    return Do("remember a request", [&] {
      Exec(work_, kRemember, request.user.value, request.request_id.value(),
           ByteaLiteral(request.fingerprint), Text(ReminderRow(answer)),
           domain::FormatInstant(now));
    });
  }

  absl::Status Save(const std::vector<Reminder>& reminders) override {
    if (reminders.empty()) return absl::OkStatus();
    return Do("save reminders", [&] {
      auto rows = nlohmann::json::array();
      bool any_deleted = false;
      for (const Reminder& reminder : reminders) {
        rows.push_back(ReminderRow(reminder));
        any_deleted = any_deleted || reminder.state == domain::ReminderState::kDeleted;
      }
      Exec(work_, kSave, Text(rows));
      if (!any_deleted) return;
      const Keys keys(reminders, [](const Reminder& reminder) { return reminder.id; });
      Exec(work_, kForget, keys.users, keys.tasks, keys.numbers);
    });
  }

  absl::Status Post(const std::vector<ports::OutboxMessage>& messages) override {
    if (messages.empty()) return absl::OkStatus();
    return Do("post reminders", [&] {
      const auto column = [&](auto&& text) { return ArrayLiteralOf(messages, text); };
      const pqxx::result result =
          Exec(work_, kPost, column([](const auto& message) { return message.topic; }),
               column([](const auto& message) { return message.key; }),
               column([](const auto& message) { return message.id.value(); }),
               column([](const auto& message) { return message.payload; }));
      for (const pqxx::row& row : result) shards_.insert(row[1].as<int>());
    });
  }

 private:
  static std::string Text(const nlohmann::json& json) {
    return json.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
  }
};

}  // namespace

PgReminderStore::PgReminderStore(ConnectionPool& pool, std::function<void(int shard)> on_message)
    : pool_(pool), on_message_(std::move(on_message)) {}

absl::Status PgReminderStore::Transact(
    const std::function<absl::Status(ports::ReminderTransaction&)>& work) {
  return TransactAs<Transaction>(
      pool_, "change reminders",
      [&](Transaction& transaction) -> absl::Status {
        TODO_RETURN_IF_ERROR(work(transaction));
        return TODO_FAULT_POINT("before-reminder-commit");
      },
      on_message_);
}

absl::StatusOr<TaskReminders> PgReminderStore::Get(const TaskRef& ref) {
  return Once(pool_, "get reminders",
              [&](pqxx::transaction_base& transaction) -> absl::StatusOr<TaskReminders> {
                const pqxx::result result = Load(transaction, {ref});
                if (result.empty() || result[0][2].as<bool>())
                  return ports::NoSuchTask(ref.task_id);
                return Decode(result[0]);
              });
}

absl::StatusOr<std::vector<TaskRef>> PgReminderStore::Owned(
    const std::vector<domain::TaskId>& ids) {
  return Once(pool_, "find the owners of tasks",
              [&](pqxx::transaction_base& transaction) -> absl::StatusOr<std::vector<TaskRef>> {
                const auto text = [](domain::TaskId id) { return fmt::to_string(id.value); };
                return RefsOf(Exec(transaction, kOwned, ArrayLiteralOf(ids, text)));
              });
}

absl::StatusOr<std::vector<TaskRef>> PgReminderStore::Unplanned(int limit) {
  return Once(pool_, "look for unplanned reminders",
              [&](pqxx::transaction_base& transaction) -> Refs {
                return RefsOf(Exec(transaction, kUnplanned, limit));
              });
}

absl::StatusOr<std::vector<TaskRef>> PgReminderStore::Due(Instant until, int limit) {
  return Once(pool_, "look for due reminders", [&](pqxx::transaction_base& transaction) -> Refs {
    return RefsOf(Exec(transaction, kDue, domain::FormatInstant(until), limit));
  });
}

absl::StatusOr<std::vector<JobIntent>> PgReminderStore::ClaimJobs(Instant now,
                                                                  std::chrono::milliseconds lease,
                                                                  int limit) {
  return Once(
      pool_, "claim jobs",
      [&](pqxx::transaction_base& transaction) -> absl::StatusOr<std::vector<JobIntent>> {
        std::vector<JobIntent> intents;
        for (const pqxx::row& row : Exec(transaction, kClaimJobs, domain::FormatInstant(now),
                                         domain::FormatInstant(now + lease), limit)) {
          JobIntent& intent = intents.emplace_back();
          TODO_ASSIGN_OR_RETURN(intent.reminder, DecodeReminder(View(row[0])));
          intent.wanted = row[1].as<bool>();
          intent.traceparent = row[2].as<std::string>();
        }
        std::ranges::sort(intents, {},
                          [](const JobIntent& intent) { return intent.reminder.remind_at; });
        return intents;
      });
}

absl::Status PgReminderStore::RecordJobs(const std::vector<ports::JobRecord>& records,
                                         Instant now) {
  if (records.empty()) return absl::OkStatus();
  return Once(pool_, "record jobs", [&](pqxx::transaction_base& transaction) {
    const Keys keys(records, [](const ports::JobRecord& record) { return record.id; });
    std::string times;
    for (const ports::JobRecord& record : records) {
      times += times.empty() ? "{" : ",";
      times += record.scheduled_for
                   ? fmt::format("\"{}\"", domain::FormatInstant(*record.scheduled_for))
                   : "null";
    }
    Exec(transaction, kRecordJobs, keys.users, keys.tasks, keys.numbers, times + "}",
         domain::FormatInstant(now));
    Exec(transaction, kForget, keys.users, keys.tasks, keys.numbers);
    return absl::OkStatus();
  });
}

absl::StatusOr<std::optional<Instant>> PgReminderStore::ForgetJobs(Instant written_before,
                                                                   Instant from, int limit) {
  using Next = std::optional<Instant>;
  return Once(pool_, "forget jobs",
              [&](pqxx::transaction_base& transaction) -> absl::StatusOr<Next> {
                const pqxx::result result =
                    Exec(transaction, kForgetJobs, domain::FormatInstant(written_before),
                         domain::FormatInstant(from), limit);
                if (result[0][0].is_null()) return Next();
                return Next(Instant(std::chrono::microseconds(result[0][0].as<std::int64_t>())));
              });
}

}  // namespace todo::store

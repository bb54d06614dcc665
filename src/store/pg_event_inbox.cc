#include "store/pg_event_inbox.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <utility>

#include "domain/time.h"
#include "store/retry_columns.h"
#include "store/session.h"
#include "store/task_columns.h"
#include "store/unit_of_work.h"
#include "util/status.h"

namespace todo::store {
namespace {

using domain::EventId;
using domain::TaskId;
using ports::ConsumerChange;
using ports::HeldTask;
using ports::Successor;

constexpr Statement kClaim{"inbox_claim", R"sql(
select event_id, outcome
from claim_events($1, $2::uuid[], $3::date[], $4::text[], $5::bigint[], $6::bigint[]))sql"};

constexpr Statement kEnqueue{"inbox_enqueue", "select append_retry($1::jsonb, $2::bytea)"};

constexpr Statement kBeginRetry{"inbox_begin_retry", "select begin_retry($1, $2, $3)"};

constexpr Statement kRemoveRetry{"inbox_remove_retry", "select remove_retry($1, $2, 'done', $3)"};

constexpr Statement kLock{"inbox_lock", "select lock_users($1::text[])"};

// A statement of its own, so that it sees what was committed while the lock was waited for.
constexpr Statement kLoad{"inbox_load", R"sql(
select r.ord, task_json(t), t.deleted_at is not null,
       case when n.id is not null then task_json(n) end, n.deleted_at is not null,
       coalesce(n.version = n.consumer_version, false)
from unnest($1::text[], $2::bigint[]) with ordinality r (user_id, task_id, ord)
join tasks t on t.user_id = r.user_id and t.id = r.task_id
left join tasks n on n.user_id = t.user_id and n.series_id = t.series_id and n.occurrence = t.occurrence + 1
order by r.ord)sql"};

constexpr Statement kExisting{"inbox_existing",
                              "select id from tasks where id = any ($1::bigint[])"};

constexpr Statement kFindOccurrence{"inbox_find_occurrence", R"sql(
select task_json(t), t.deleted_at is not null, coalesce(t.version = t.consumer_version, false)
from tasks t where t.user_id = $1 and t.series_id = $2 and t.occurrence = $3)sql"};

// Version 0: the producer counts no versions.
constexpr Statement kAdvanceForeignTask{"inbox_advance_foreign_task", R"sql(
insert into foreign_tasks as f (user_id, series_id, version, at) values ($1, $2, $3, $4)
on conflict (user_id, series_id) do update set version = excluded.version, at = excluded.at,
                                               keep_until = excluded.keep_until
where case when excluded.version > 0 and f.version > 0 and excluded.version <> f.version
           then excluded.version > f.version
           else excluded.at >= f.at end
returning true)sql"};

// Function calls in the order of the array: later changes see the earlier ones.
constexpr Statement kWrite{"inbox_write", R"sql(
select a.outcome, a.shard
from jsonb_array_elements($1::jsonb) with ordinality c (j, ord),
     lateral apply_change(c.j->>'user', null, null, c.j->>'kind', (c.j->>'task_id')::bigint, null, c.j->'patch',
                          (c.j->>'event_id')::uuid, (c.j->>'now')::timestamptz, c.j->>'traceparent') a
order by c.ord)sql"};

// One statement for a batch, in the order of users, so that batches never wait for each other's
// lanes in a circle.
constexpr Statement kRemind{"inbox_remind", R"sql(
select shard_of(c.j->>'user_id'), remind_user(c.j)
from (select j from jsonb_array_elements($1::jsonb) x (j) order by j->>'user_id', j->>'id') c)sql"};

constexpr Statement kEnqueueTaskWebhooks{"inbox_enqueue_task_webhooks", R"sql(
select enqueue_task_webhooks(c.j->>'user_id', (c.j->>'event_id')::uuid, c.j->>'kind', c.j->>'body',
                             (c.j->>'now')::timestamptz)
from (select j from jsonb_array_elements($1::jsonb) x (j) order by j->>'user_id', j->>'event_id') c)sql"};

std::string Dump(const Patch& rows) {
  return rows.dump(-1, ' ', false, Patch::error_handler_t::replace);
}

Patch RowOf(const ports::ReminderNotice& notice) {
  const domain::DueReminder& reminder = notice.reminder;
  const domain::Due& due = reminder.due;
  const bool is_due = due.kind != domain::DueKind::kNone;
  const std::string due_local = FormatDueLocal(due);
  return {{"user_id", notice.user.value},
          {"id", reminder.id.value()},
          {"task_id", reminder.task_id.value},
          {"title", reminder.title},
          {"remind_at", domain::FormatInstant(reminder.remind_at)},
          {"due_at", is_due ? Patch(domain::FormatInstant(due.at)) : Patch()},
          {"due_kind", is_due ? Patch(ToString(due.kind)) : Patch()},
          {"due_local", due_local.empty() ? Patch() : Patch(due_local)},
          {"time_zone", reminder.time_zone},
          {"late", reminder.late},
          {"shown", notice.in_app},
          {"at", domain::FormatInstant(notice.now)},
          {"webhook", notice.webhook},
          {"email", notice.email},
          {"push", notice.push},
          {"body", notice.webhook_body},
          {"disturb_at", domain::FormatInstant(notice.disturb_at)},
          {"grouped", notice.grouped},
          {"topic", notice.topic},
          {"update_id", notice.update_id.value()},
          {"update", notice.update}};
}

/// What kind of change it is, for the change log, and the columns it sets.
struct Write {
  domain::ChangeKind kind;
  bool creates = false;
  Patch patch = Patch::object();
};

Write WriteOf(const ConsumerChange& change) {
  Write write{domain::ChangeKind::kCreated};
  switch (change.kind) {
    case ConsumerChange::Kind::kCreateSuccessor:
      write.creates = true;
      AddFields(write.patch, change.fields);
      AddSeries(write.patch, change.series);
      break;
    case ConsumerChange::Kind::kRemoveSuccessor:
      write.kind = domain::ChangeKind::kDeleted;
      write.patch["deleted_at"] = domain::FormatInstant(change.now);
      break;
    case ConsumerChange::Kind::kReviveSuccessor:
      AddFields(write.patch, change.fields);
      AddSeries(write.patch, change.series);
      write.patch["deleted_at"] = nullptr;
      write.patch["completed"] = false;
      write.patch["completed_at"] = nullptr;
      break;
  }
  return write;
}

class Transaction final : public ports::InboxTransaction, public UnitOfWork {
 public:
  using UnitOfWork::UnitOfWork;

  /// Whether there may be deliveries among what it wrote.
  bool delivers() const { return delivers_; }

  absl::StatusOr<ports::Claimed> Claim(
      std::string_view consumer,
      const std::vector<domain::ReceivedEvent>& received_events) override {
    ports::Claimed claimed;
    std::map<EventId, const domain::ReceivedEvent*> by_id;
    for (const domain::ReceivedEvent& received : received_events) {
      const auto [first, is_new] = by_id.emplace(received.event.id, &received);
      if (!is_new && domain::AreDifferent(first->second->event, received.event))
        claimed.reused.insert(received.event.id);
    }
    const auto column = [&](const auto& text) {
      return ArrayLiteralOf(by_id, [&](const auto& entry) { return text(entry.second->event); });
    };
    return Guard("claim events", [&]() -> absl::StatusOr<ports::Claimed> {
      std::set<EventId> behind;
      const pqxx::result result = Exec(
          work_, kClaim, std::string(consumer),
          column([](const domain::EventHeader& event) { return event.id.value(); }),
          column([](const domain::EventHeader& event) { return InboxDay(event.at); }),
          column([](const domain::EventHeader& event) { return event.user.value; }),
          column(
              [](const domain::EventHeader& event) { return std::to_string(event.task_id.value); }),
          column([](const domain::EventHeader& event) { return std::to_string(event.identity); }));
      for (const pqxx::row& row : result) {
        const auto id = domain::Uuid::Parse(View(row[0]));
        if (!id) continue;
        const std::string_view outcome = View(row[1]);
        (outcome == "behind"   ? behind
         : outcome == "reused" ? claimed.reused
                               : claimed.fresh)
            .insert(EventId{*id});
      }
      for (const domain::ReceivedEvent& received :
           received_events) {  // in the order in which they came
        if (behind.erase(received.event.id) == 0) continue;
        Exec(work_, kEnqueue,
             RetryRow(consumer, received.event.id, received.event.at, received.event.user,
                      received.event.task_id, received.record)
                 .dump(),
             ByteaLiteral(received.record.bytes));
      }
      return claimed;
    });
  }

  absl::StatusOr<bool> TakeUp(const ports::RetryEntry& entry) override {
    return Guard("take up a retry", [&]() -> absl::StatusOr<bool> {
      return Exec(work_, kBeginRetry, entry.consumer, entry.event_id.value(), entry.attempts)[0][0]
          .as<bool>();
    });
  }

  absl::Status LeaveQueue(const ports::RetryEntry& entry, domain::Instant now) override {
    return Do("leave the retry queue", [&] {
      Exec(work_, kRemoveRetry, entry.consumer, entry.event_id.value(), domain::FormatInstant(now));
    });
  }

  absl::StatusOr<std::vector<std::optional<HeldTask>>> LockAndLoad(
      const std::vector<ports::TaskRef>& refs) override {
    using Held = std::vector<std::optional<HeldTask>>;
    std::set<std::string> users;
    for (const ports::TaskRef& ref : refs) users.insert(ref.user.value);
    return Guard("lock and load", [&]() -> absl::StatusOr<Held> {
      const auto same = [](const std::string& text) { return text; };
      Exec(work_, kLock, ArrayLiteralOf(users, same));
      Held held(refs.size());
      const pqxx::result result =
          Exec(work_, kLoad,
               ArrayLiteralOf(refs, [](const ports::TaskRef& ref) { return ref.user.value; }),
               ArrayLiteralOf(refs, [](const ports::TaskRef& ref) {
                 return fmt::format("{}", ref.task_id.value);
               }));
      for (const pqxx::row& row : result) {
        HeldTask task;
        TODO_ASSIGN_OR_RETURN(task.task, Decode(row[1], row[2]));
        if (!row[3].is_null()) {
          Successor successor;
          TODO_ASSIGN_OR_RETURN(successor.task, Decode(row[3], row[4]));
          successor.untouched = row[5].as<bool>();
          task.successor = std::move(successor);
        }
        held.at(row[0].as<std::size_t>() - 1) = std::move(task);
      }
      return held;
    });
  }

  absl::StatusOr<std::set<TaskId>> Existing(const std::vector<TaskId>& ids) override {
    return Guard("look up tasks", [&]() -> absl::StatusOr<std::set<TaskId>> {
      std::set<TaskId> existing;
      const auto text = [](const TaskId& id) { return fmt::format("{}", id.value); };
      for (const pqxx::row& row : Exec(work_, kExisting, ArrayLiteralOf(ids, text))) {
        existing.insert(TaskId{row[0].as<std::int64_t>()});
      }
      return existing;
    });
  }

  absl::StatusOr<std::optional<Successor>> FindOccurrence(const domain::UserId& user,
                                                          const domain::Uuid& series_id,
                                                          std::int64_t occurrence) override {
    using Found = std::optional<Successor>;
    return Guard("find an occurrence", [&]() -> absl::StatusOr<Found> {
      const pqxx::result result =
          Exec(work_, kFindOccurrence, user.value, series_id.value(), occurrence);
      if (result.empty()) return Found();
      Successor found;
      TODO_ASSIGN_OR_RETURN(found.task, Decode(result[0][0], result[0][1]));
      found.untouched = result[0][2].as<bool>();
      return Found(std::move(found));
    });
  }

  absl::StatusOr<bool> AdvanceForeignTask(const domain::UserId& user, const domain::Uuid& series_id,
                                          std::int64_t version, domain::Instant at) override {
    return Guard("note a foreign task", [&]() -> absl::StatusOr<bool> {
      return !Exec(work_, kAdvanceForeignTask, user.value, series_id.value(), version,
                   domain::FormatInstant(at))
                  .empty();
    });
  }

  absl::Status Write(const std::vector<ConsumerChange>& changes) override {
    if (changes.empty()) return absl::OkStatus();
    Patch rows = Patch::array();
    for (const ConsumerChange& change : changes) {
      store::Write write = WriteOf(change);
      rows.push_back({{"user", change.user.value},
                      {"kind", domain::ToString(write.kind)},
                      {"task_id", write.creates ? Patch() : Patch(change.task_id.value)},
                      {"patch", std::move(write.patch)},
                      {"event_id", change.event_id.value()},
                      {"now", domain::FormatInstant(change.now)},
                      {"traceparent", change.traceparent}});
    }
    const auto written = Guard("write changes", [&]() -> absl::StatusOr<bool> {
      const std::string text = rows.dump(-1, ' ', false, Patch::error_handler_t::replace);
      for (const pqxx::row& row : Exec(work_, kWrite, text)) {
        const auto outcome = View(row[0]);
        if (outcome == "changed") {
          shards_.insert(row[1].as<int>());
        } else if (outcome != "unchanged") {
          return absl::NotFoundError("store: write changes: there is no such task");
        }
      }
      return true;
    });
    return written.status();
  }

  absl::Status Remind(const std::vector<ports::ReminderNotice>& notices) override {
    Patch rows = Patch::array();
    for (const ports::ReminderNotice& notice : notices) {
      rows.push_back(RowOf(notice));
      delivers_ = delivers_ || notice.webhook || notice.email || notice.push;
    }
    return Do("write notifications", [&] {
      for (const pqxx::row& row : Exec(work_, kRemind, Dump(rows)))
        shards_.insert(row[0].as<int>());
    });
  }

  absl::Status EnqueueTaskWebhooks(const std::vector<ports::TaskWebhook>& webhooks) override {
    Patch rows = Patch::array();
    for (const ports::TaskWebhook& webhook : webhooks) {
      rows.push_back({{"user_id", webhook.user.value},
                      {"event_id", webhook.event_id.value()},
                      {"kind", webhook.kind},
                      {"body", webhook.body},
                      {"now", domain::FormatInstant(webhook.now)}});
    }
    delivers_ = delivers_ || !webhooks.empty();
    return Do("enqueue webhooks", [&] { Exec(work_, kEnqueueTaskWebhooks, Dump(rows)); });
  }

 private:
  static absl::StatusOr<domain::Task> Decode(const pqxx::field& json, const pqxx::field& deleted) {
    TODO_ASSIGN_OR_RETURN(domain::Task task, DecodeTask(View(json)));
    task.deleted = deleted.as<bool>();
    return task;
  }

  bool delivers_ = false;
};

}  // namespace

PgEventInbox::PgEventInbox(ConnectionPool& pool, std::function<void(int shard)> on_change,
                           std::function<void()> on_delivery)
    : pool_(pool), on_change_(std::move(on_change)), on_delivery_(std::move(on_delivery)) {}

absl::Status PgEventInbox::Transact(
    const std::function<absl::Status(ports::InboxTransaction&)>& work) {
  bool delivers = false;
  const absl::Status status = TransactAs<Transaction>(
      pool_, "consume events",
      [&](Transaction& transaction) -> absl::Status {
        const absl::Status done = work(transaction);
        delivers = transaction.delivers();
        return done;
      },
      on_change_);
  // When the outcome is unknown they may be there; a look in vain does no harm.
  if (delivers && (status.ok() || absl::IsUnknown(status)) && on_delivery_) on_delivery_();
  return status;
}

}  // namespace todo::store

#include "store/pg_retry_queue.h"

#include <fmt/format.h>

#include <array>
#include <utility>

#include "absl/strings/escaping.h"
#include "absl/strings/numbers.h"
#include "domain/task/task.h"
#include "store/retry_columns.h"
#include "store/session.h"
#include "util/status.h"
#include "util/utf8.h"

namespace todo::store {
namespace {

using domain::Instant;
using domain::Uuid;
using nlohmann::json;
using ports::DeadLetterFilter;
using ports::DeadLetterState;
using ports::RetryEntry;
using ports::StoredDeadLetter;

constexpr Statement kEnqueue{"retry_enqueue", "select enqueue_retry($1::jsonb, $2::bytea)"};

// At most one of each task comes by itself: the others of its queue are due at infinity.
constexpr Statement kDue{"retry_due", R"sql(
select consumer, event_id, attempts, (extract(epoch from first_failed_at) * 1000000)::bigint,
       (extract(epoch from due_at) * 1000000)::bigint, topic, partition, "offset", record_key, content_type, record
from retries where due_at <= $1 and consumer = any ($3::text[]) order by due_at limit $2)sql"};

constexpr Statement kNextDue{"retry_next_due", R"sql(
select (extract(epoch from due_at) * 1000000)::bigint
from retries where due_at < 'infinity' and consumer = any ($1::text[]) order by due_at limit 1)sql"};

constexpr Statement kReschedule{"retry_reschedule", R"sql(
update retries set attempts = attempts + $7::int, first_failed_at = coalesce(first_failed_at, $4),
                   last_failed_at = coalesce($4, last_failed_at), due_at = $5, reason = $6
where consumer = $1 and event_id = $2 and attempts = $3)sql"};

constexpr Statement kAddDeadLetter{"retry_add_dead_letter", R"sql(
select add_dead_letter($1::jsonb, $2::bytea, $3, $4, $5, $6), shard_of($7))sql"};

// Every filter is a condition that is true when the filter is not set.
constexpr char kMatches[] = R"sql(
    (cardinality($1::uuid[]) = 0 or d.id = any ($1::uuid[])) and ($2 = '' or d.state = $2)
    and ($3 = '' or d.consumer = $3) and ($4 = '' or d.topic = $4) and ($5 = '' or d.user_id = $5)
    and ($6::bigint is null or d.task_id = $6::bigint) and ($7 = ''
         or strpos(lower(d.reason collate "und-x-icu"), lower($7 collate "und-x-icu")) > 0))sql";

constexpr char kColumns[] = R"sql(
    d.id, d.consumer, d.event_id, d.has_event_id, d.user_id, d.task_id, d.attempts,
    (extract(epoch from d.first_failed_at) * 1000000)::bigint, (extract(epoch from d.last_failed_at) * 1000000)::bigint,
    d.reason, d.topic, d.partition, d."offset", d.record_key, d.content_type, d.state, d.note, d.resolved_by,
    (extract(epoch from d.resolved_at) * 1000000)::bigint)sql";

// Counted in the index alone, and up to a bound: this is asked every few seconds, most of all when
// there is a lot. The oldest is that of the lowest id, or as good as.
constexpr Statement kCountUnpublished{"ops_unpublished", R"sql(
select sum(c.n + l.n), sum(m.n), (extract(epoch from least(min(oldest_change.at), min(oldest_message.at))) * 1000000)::bigint
from relay_shards s
cross join lateral (select count(*) as n from (select from changes x where x.shard = s.shard and x.id > s.position
                                               limit 20000) x) c
cross join lateral (select count(*) as n from (select from messages x where x.shard = s.shard
                                                and x.id > s.message_position limit 20000) x) m
cross join lateral (select count(*) as n from (
    select from unnest(nullif(s.late_transactions, '')::xid8[]) t (xid) cross join lateral (
        select from changes x
        where x.shard = s.shard and (x.xid, x.id) > (t.xid, s.late_position) and (x.xid, x.id) <= (t.xid, s.position)
        limit 20000) y
    limit 20000) z) l
left join lateral (select x.at from changes x where x.shard = s.shard and x.id > s.position
                   order by x.id limit 1) oldest_change on true
left join lateral (select x.at from messages x where x.shard = s.shard and x.id > s.message_position
                   order by x.id limit 1) oldest_message on true)sql"};

constexpr Statement kCountWaiting{"ops_waiting", R"sql(
select (select count(*) from (select from retries limit 100000) x),
       (select (extract(epoch from min(due_at)) * 1000000)::bigint from retries where due_at < 'infinity'),
       (select count(*) from (select from dead_letters where state = 'open' order by first_failed_at, id
                              limit 100000) x),
       (select count(*) from (select from audit_missing where lost_at is not null limit 100000) x),
       (select count(*) from (select from audit_missing where lost_at is null limit 100000) x))sql"};

constexpr Statement kCountReminders{"ops_reminders", R"sql(
select (select count(*) from (select from reminders where state = 'pending' limit 100000) x),
       (select count(*) from (select from reminders where state = 'pending' and remind_at <= clock_timestamp()
                              limit 100000) x),
       (select count(*) from (select from reminders where unplanned_since is not null limit 100000) x),
       (select count(*) from (select from reminders where wanted_job is distinct from job_at limit 100000) x))sql"};

// A lane that is out is being served.
constexpr Statement kCountDeliveries{"ops_deliveries", R"sql(
select (select count(*) from (select from deliveries where state = 'pending' limit 100000) x),
       (select (extract(epoch from min(due_at)) * 1000000)::bigint from delivery_lanes
        where due_at > '-infinity' and due_at < 'infinity' and due_at <= clock_timestamp()
          and lease_until <= clock_timestamp()))sql"};

constexpr Statement kShards{"ops_shards", R"sql(
select shard, owner, epoch, lease_until > clock_timestamp() from relay_shards order by shard)sql"};

constexpr std::array kStates = {
    std::pair{DeadLetterState::kOpen, std::string_view("open")},
    std::pair{DeadLetterState::kReplayed, std::string_view("replayed")},
    std::pair{DeadLetterState::kDiscarded, std::string_view("discarded")}};

std::string_view NameOf(DeadLetterState state) {
  return kStates[static_cast<std::size_t>(state)].second;
}

DeadLetterState StateOf(std::string_view name) {
  for (const auto& [state, text] : kStates) {
    if (text == name) return state;
  }
  return DeadLetterState::kOpen;
}

Instant InstantOf(const pqxx::field& microseconds) {
  return Instant(std::chrono::microseconds(microseconds.as<std::int64_t>()));
}

std::string Bytes(const pqxx::field& field) { return pqxx::binarystring(field).str(); }

/// topic, partition, offset, record_key, content_type from `first` on.
domain::BusRecord RecordOf(const pqxx::row& row, pqxx::row::size_type first) {
  domain::BusRecord record;
  record.topic = row[first].as<std::string>();
  record.partition = row[first + 1].as<int>();
  record.offset = row[first + 2].as<std::int64_t>();
  record.key = row[first + 3].as<std::string>();
  record.content_type = row[first + 4].as<std::string>();
  return record;
}

StoredDeadLetter ReadDeadLetter(const pqxx::row& row) {
  StoredDeadLetter stored;
  domain::DeadLetter& letter = stored.letter;
  letter.id = Uuid::Parse(View(row[0])).value_or(Uuid());
  letter.consumer = row[1].as<std::string>();
  letter.event_id = domain::EventId{Uuid::Parse(View(row[2])).value_or(Uuid())};
  letter.has_event_id = row[3].as<bool>();
  letter.user = domain::UserId{row[4].as<std::string>()};
  letter.task_id = domain::TaskId{row[5].as<std::int64_t>()};
  letter.attempts = row[6].as<int>();
  letter.first_failed_at = InstantOf(row[7]);
  letter.last_failed_at = InstantOf(row[8]);
  letter.reason = row[9].as<std::string>();
  letter.record = RecordOf(row, 10);
  stored.state = StateOf(View(row[15]));
  stored.note = row[16].as<std::string>();
  stored.resolved_by = row[17].as<std::string>();
  if (!row[18].is_null()) stored.resolved_at = InstantOf(row[18]);
  return stored;
}

/// The parameters $1 to $7 of kMatches.
struct FilterParameters {
  std::string ids;
  std::string state;
  std::string consumer;
  std::string topic;
  std::string user;
  std::optional<std::int64_t> task_id;
  std::string reason;
};

FilterParameters ParametersOf(const DeadLetterFilter& filter) {
  FilterParameters parameters;
  parameters.ids = ArrayLiteralOf(filter.ids, [](const Uuid& id) { return id.value(); });
  if (filter.state) parameters.state = NameOf(*filter.state);
  parameters.consumer = filter.consumer;
  parameters.topic = filter.topic;
  parameters.user = filter.user;
  if (filter.task_id) parameters.task_id = filter.task_id->value;
  parameters.reason = filter.reason;
  return parameters;
}

template <typename... More>
pqxx::result ExecFiltered(pqxx::transaction_base& transaction, const std::string& name,
                          const std::string& sql, const DeadLetterFilter& filter,
                          const More&... more) {
  const FilterParameters p = ParametersOf(filter);
  return Exec(transaction, name, sql, p.ids, p.state, p.consumer, p.topic, p.user, p.task_id,
              p.reason, more...);
}

}  // namespace

std::string Storable(std::string_view text) {
  std::string clean;
  for (const char c : text) clean += c == '\0' ? std::string("\\0") : std::string(1, c);
  if (util::CountCharacters(clean)) return clean;
  return json::parse(json(clean).dump(-1, ' ', false, json::error_handler_t::replace))
      .get<std::string>();
}

nlohmann::json RetryRow(std::string_view consumer, const domain::EventId& event_id,
                        Instant event_at, const domain::UserId& user, domain::TaskId task_id,
                        const domain::BusRecord& record) {
  return {{"consumer", consumer},
          {"event_id", event_id.value()},
          {"day", InboxDay(event_at)},
          {"user_id", user.value},
          {"task_id", task_id.value},
          {"attempts", 0},
          {"due_at", "infinity"},
          {"reason", ""},
          {"topic", record.topic},
          {"partition", record.partition},
          {"offset", record.offset},
          {"record_key", Storable(record.key)},
          {"content_type", Storable(record.content_type)}};
}

PgRetryQueue::PgRetryQueue(ConnectionPool& pool, std::function<void(int shard)> on_message,
                           std::function<void(Instant due)> on_replay)
    : pool_(pool), on_message_(std::move(on_message)), on_replay_(std::move(on_replay)) {}

absl::StatusOr<bool> PgRetryQueue::Enqueue(std::string_view consumer,
                                           const domain::ReceivedEvent& received,
                                           const ports::RetrySchedule& schedule) {
  const domain::EventHeader& event = received.event;
  json row = RetryRow(consumer, event.id, event.at, event.user, event.task_id, received.record);
  row["identity"] = event.identity;
  row["due_at"] = domain::FormatInstant(schedule.due_at);
  if (schedule.failed_at) {
    row["attempts"] = schedule.attempts();
    row["first_failed_at"] = row["last_failed_at"] = domain::FormatInstant(*schedule.failed_at);
  }
  row["reason"] = Storable(schedule.reason);
  TODO_ASSIGN_OR_RETURN(ConnectionPool::Lease lease, pool_.Acquire());
  return Run(lease, "enqueue an event", [&](pqxx::connection& connection) -> absl::StatusOr<bool> {
    pqxx::nontransaction transaction(connection);
    return Exec(transaction, kEnqueue, row.dump(), ByteaLiteral(received.record.bytes))[0][0]
        .as<bool>();
  });
}

absl::StatusOr<std::vector<RetryEntry>> PgRetryQueue::Due(const std::vector<std::string>& consumers,
                                                          Instant now, int limit) {
  TODO_ASSIGN_OR_RETURN(ConnectionPool::Lease lease, pool_.Acquire());
  return Run(lease, "read retries",
             [&](pqxx::connection& connection) -> absl::StatusOr<std::vector<RetryEntry>> {
               pqxx::nontransaction transaction(connection);
               std::vector<RetryEntry> entries;
               for (const pqxx::row& row : Exec(transaction, kDue, domain::FormatInstant(now),
                                                limit, ArrayLiteral(consumers))) {
                 RetryEntry entry;
                 entry.consumer = row[0].as<std::string>();
                 entry.event_id = domain::EventId{Uuid::Parse(View(row[1])).value_or(Uuid())};
                 entry.attempts = row[2].as<int>();
                 if (!row[3].is_null()) entry.first_failed_at = InstantOf(row[3]);
                 entry.due_at = InstantOf(row[4]);
                 entry.record = RecordOf(row, 5);
                 entry.record.bytes = Bytes(row[10]);
                 entries.push_back(std::move(entry));
               }
               return entries;
             });
}

absl::StatusOr<std::optional<Instant>> PgRetryQueue::NextDue(
    const std::vector<std::string>& consumers) {
  TODO_ASSIGN_OR_RETURN(ConnectionPool::Lease lease, pool_.Acquire());
  return Run(lease, "look for retries",
             [&](pqxx::connection& connection) -> absl::StatusOr<std::optional<Instant>> {
               pqxx::nontransaction transaction(connection);
               const pqxx::result result = Exec(transaction, kNextDue, ArrayLiteral(consumers));
               return result.empty() ? std::nullopt : std::optional(InstantOf(result[0][0]));
             });
}

absl::Status PgRetryQueue::Reschedule(const RetryEntry& entry,
                                      const ports::RetrySchedule& schedule) {
  std::optional<std::string> failed_at;
  if (schedule.failed_at) failed_at = domain::FormatInstant(*schedule.failed_at);
  return Once(pool_, "reschedule a retry", [&](pqxx::transaction_base& transaction) {
    Exec(transaction, kReschedule, entry.consumer, entry.event_id.value(), entry.attempts,
         failed_at, domain::FormatInstant(schedule.due_at), Storable(schedule.reason),
         schedule.attempts());
    return absl::OkStatus();
  });
}

absl::StatusOr<bool> PgRetryQueue::AddDeadLetter(const domain::DeadLetter& letter, bool from_queue,
                                                 Instant now) {
  json row = RetryRow(letter.consumer, letter.event_id, letter.event_at, letter.user,
                      letter.task_id, letter.record);
  row["id"] = letter.id.value();
  row["identity"] = letter.identity;
  row["has_event_id"] = letter.has_event_id;
  row["attempts"] = letter.attempts;
  row["first_failed_at"] = domain::FormatInstant(letter.first_failed_at);
  row["last_failed_at"] = domain::FormatInstant(letter.last_failed_at);
  row["reason"] = Storable(letter.reason);
  std::optional<int> posted_to;
  absl::StatusOr<bool> buried = [&]() -> absl::StatusOr<bool> {
    TODO_ASSIGN_OR_RETURN(ConnectionPool::Lease lease, pool_.Acquire());
    return Run(
        lease, "add a dead letter", [&](pqxx::connection& connection) -> absl::StatusOr<bool> {
          pqxx::nontransaction transaction(connection);
          const pqxx::row result =
              Exec(transaction, kAddDeadLetter, row.dump(), ByteaLiteral(letter.record.bytes),
                   domain::DeadLetterTopic(letter.record.topic), domain::DeadLetterRecord(letter),
                   from_queue, domain::FormatInstant(now), Storable(letter.record.key))[0];
          if (result[0].as<bool>()) posted_to = result[1].as<int>();
          return posted_to.has_value();
        });
  }();
  if (posted_to && on_message_) on_message_(*posted_to);
  return buried;
}

absl::StatusOr<ports::DeadLetterPage> PgRetryQueue::List(const DeadLetterFilter& filter, int limit,
                                                         const std::string& cursor) {
  // The cursor is "<microseconds> <id>" of the last letter of the page before.
  std::int64_t before_at =
      std::chrono::duration_cast<std::chrono::microseconds>(domain::kMaxInstant.time_since_epoch())
          .count();
  std::string before_id = "ffffffff-ffff-ffff-ffff-ffffffffffff";
  if (!cursor.empty()) {
    std::string text;
    const std::size_t space =
        absl::WebSafeBase64Unescape(cursor, &text) ? text.find(' ') : std::string::npos;
    if (space == std::string::npos || !Uuid::Parse(std::string_view(text).substr(space + 1)) ||
        !absl::SimpleAtoi(text.substr(0, space), &before_at)) {
      return util::WithReason(
          absl::InvalidArgumentError("page_token is not one of ours: pass next_page_token of the "
                                     "previous page unchanged, or leave it empty"),
          "INVALID_PAGE_TOKEN");
    }
    before_id = text.substr(space + 1);
  }
  static const std::string sql = fmt::format(
      "select {} from dead_letters d where {} and (d.last_failed_at, d.id) < ('epoch'::timestamptz "
      "+ $8 * interval '1 us', $9::uuid) "
      "order by d.last_failed_at desc, d.id desc limit $10",
      kColumns, kMatches);
  TODO_ASSIGN_OR_RETURN(ConnectionPool::Lease lease, pool_.Acquire());
  return Run(lease, "list dead letters",
             [&](pqxx::connection& connection) -> absl::StatusOr<ports::DeadLetterPage> {
               pqxx::nontransaction transaction(connection);
               ports::DeadLetterPage page;
               const pqxx::result result = ExecFiltered(transaction, "dead_list", sql, filter,
                                                        before_at, before_id, limit + 1);
               for (const pqxx::row& row : result) {
                 if (page.letters.size() == static_cast<std::size_t>(limit)) {
                   const domain::DeadLetter& last = page.letters.back().letter;
                   absl::WebSafeBase64Escape(
                       fmt::format("{} {}", last.last_failed_at.time_since_epoch().count(),
                                   last.id.value()),
                       &page.next_cursor);
                   break;
                 }
                 page.letters.push_back(ReadDeadLetter(row));
               }
               return page;
             });
}

absl::StatusOr<StoredDeadLetter> PgRetryQueue::Get(const Uuid& id) {
  static const std::string sql =
      fmt::format("select {}, d.record from dead_letters d where d.id = $1", kColumns);
  TODO_ASSIGN_OR_RETURN(ConnectionPool::Lease lease, pool_.Acquire());
  return Run(lease, "get a dead letter",
             [&](pqxx::connection& connection) -> absl::StatusOr<StoredDeadLetter> {
               pqxx::nontransaction transaction(connection);
               const pqxx::result result = Exec(transaction, "dead_get", sql, id.value());
               if (result.empty())
                 return absl::NotFoundError("there is no dead letter with this id");
               StoredDeadLetter stored = ReadDeadLetter(result[0]);
               stored.letter.record.bytes = Bytes(result[0][19]);
               return stored;
             });
}

absl::StatusOr<int> PgRetryQueue::Replay(const DeadLetterFilter& filter, int limit,
                                         const std::string& by, Instant now) {
  // Oldest first: the queues keep the order in which the events failed.
  static const std::string sql = fmt::format(
      "select count(*) filter (where replay_dead_letter(x.id, $8, $9)) from (select d.id from "
      "dead_letters d "
      "where {} and d.state = 'open' order by d.first_failed_at, d.id limit $10) x",
      kMatches);
  absl::StatusOr<int> count =
      Once(pool_, "replay dead letters",
           [&](pqxx::transaction_base& transaction) -> absl::StatusOr<int> {
             return ExecFiltered(transaction, "dead_replay", sql, filter, by,
                                 domain::FormatInstant(now), limit)[0][0]
                 .as<int>();
           });
  if (count.ok() && *count > 0 && on_replay_) on_replay_(now);
  return count;
}

absl::StatusOr<int> PgRetryQueue::Discard(const DeadLetterFilter& filter, int limit,
                                          const std::string& note, const std::string& by,
                                          Instant now) {
  static const std::string sql = fmt::format(
      "with x as (select d.id from dead_letters d where {} and d.state = 'open' order by "
      "d.first_failed_at, d.id "
      "limit $11 for update) update dead_letters d set state = 'discarded', note = $8, resolved_by "
      "= $9, "
      "resolved_at = $10 from x where d.id = x.id returning 1",
      kMatches);
  TODO_ASSIGN_OR_RETURN(ConnectionPool::Lease lease, pool_.Acquire());
  return Run(lease, "discard dead letters",
             [&](pqxx::connection& connection) -> absl::StatusOr<int> {
               pqxx::nontransaction transaction(connection);
               return static_cast<int>(ExecFiltered(transaction, "dead_discard", sql, filter, note,
                                                    by, domain::FormatInstant(now), limit)
                                           .size());
             });
}

absl::StatusOr<ports::StoreStatus> PgRetryQueue::Status() {
  TODO_ASSIGN_OR_RETURN(ConnectionPool::Lease lease, pool_.Acquire());
  return Run(lease, "read the status",
             [&](pqxx::connection& connection) -> absl::StatusOr<ports::StoreStatus> {
               pqxx::nontransaction transaction(connection);
               ports::StoreStatus status;
               const pqxx::row unpublished = Exec(transaction, kCountUnpublished)[0];
               status.unpublished_changes = unpublished[0].as<std::int64_t>();
               status.unpublished_messages = unpublished[1].as<std::int64_t>();
               if (!unpublished[2].is_null()) status.oldest_unpublished = InstantOf(unpublished[2]);
               const pqxx::row waiting = Exec(transaction, kCountWaiting)[0];
               status.waiting_retries = waiting[0].as<std::int64_t>();
               if (!waiting[1].is_null()) status.next_retry = InstantOf(waiting[1]);
               status.open_dead_letters = waiting[2].as<std::int64_t>();
               status.lost_events = waiting[3].as<std::int64_t>();
               status.missing_events = waiting[4].as<std::int64_t>();
               const pqxx::row reminders = Exec(transaction, kCountReminders)[0];
               status.pending_reminders = reminders[0].as<std::int64_t>();
               status.overdue_reminders = reminders[1].as<std::int64_t>();
               status.unplanned_reminders = reminders[2].as<std::int64_t>();
               status.unwritten_jobs = reminders[3].as<std::int64_t>();
               const pqxx::row deliveries = Exec(transaction, kCountDeliveries)[0];
               status.pending_deliveries = deliveries[0].as<std::int64_t>();
               if (!deliveries[1].is_null()) status.oldest_delivery = InstantOf(deliveries[1]);
               for (const pqxx::row& row : Exec(transaction, kShards)) {
                 status.shards.push_back({.number = row[0].as<int>(),
                                          .owner = row[1].as<std::string>(),
                                          .epoch = row[2].as<std::int64_t>(),
                                          .leased = row[3].as<bool>()});
               }
               return status;
             });
}

// --- Crashes

namespace {

constexpr Statement kCountCrashes{"crash_count", "select count_crashes($1)"};

// One round trip: the table of suspects is as good as always empty.
constexpr Statement kBegin{"crash_begin", R"sql(
with begun as (
    insert into processing (instance, slot, consumer, days, events) values ($1, $2, $3, $4::date[], $5::uuid[])
    on conflict (instance, slot) do update set consumer = excluded.consumer, days = excluded.days,
                                               events = excluded.events, at = now())
select event_id, crashes from crash_counts where consumer = $3 and event_id = any ($5::uuid[]))sql"};

constexpr Statement kClear{"crash_clear", "delete from processing where instance = $1"};

}  // namespace

PgCrashLog::PgCrashLog(ConnectionPool& pool, std::string instance)
    : pool_(pool), instance_(std::move(instance)) {}

absl::StatusOr<int> PgCrashLog::CountCrashes() {
  TODO_ASSIGN_OR_RETURN(ConnectionPool::Lease lease, pool_.Acquire());
  return Run(lease, "count crashes", [&](pqxx::connection& connection) -> absl::StatusOr<int> {
    pqxx::nontransaction transaction(connection);
    return Exec(transaction, kCountCrashes, instance_)[0][0].as<int>();
  });
}

absl::StatusOr<std::map<domain::EventId, int>> PgCrashLog::Begin(
    int slot, std::string_view consumer, const std::vector<domain::EventHeader>& events) {
  using Crashes = std::map<domain::EventId, int>;
  return Once(
      pool_, "note what is processed",
      [&](pqxx::transaction_base& transaction) -> absl::StatusOr<Crashes> {
        Crashes crashes;
        for (const pqxx::row& row :
             Exec(transaction, kBegin, instance_, slot, std::string(consumer),
                  ArrayLiteralOf(
                      events, [](const domain::EventHeader& event) { return InboxDay(event.at); }),
                  ArrayLiteralOf(
                      events, [](const domain::EventHeader& event) { return event.id.value(); }))) {
          if (const auto id = Uuid::Parse(View(row[0])))
            crashes[domain::EventId{*id}] = row[1].as<int>();
        }
        return crashes;
      });
}

absl::Status PgCrashLog::Clear() {
  TODO_ASSIGN_OR_RETURN(ConnectionPool::Lease lease, pool_.Acquire());
  return Run(lease, "clear what is processed", [&](pqxx::connection& connection) {
    pqxx::nontransaction transaction(connection);
    Exec(transaction, kClear, instance_);
    return absl::OkStatus();
  });
}

}  // namespace todo::store

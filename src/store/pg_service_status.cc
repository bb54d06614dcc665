#include "store/pg_service_status.h"

#include "store/row_values.h"
#include "store/session.h"

namespace todo::store {
namespace {

// Reads the index alone, and counts up to a bound (see StoreStatus). The oldest row is that of the
// lowest id: ids and times grow together, but for transactions that overlap.
constexpr Statement kCountUnpublished{"ops_unpublished", R"sql(
select sum(c.n + l.n), sum(m.n), micros(least(min(oldest_change.at), min(oldest_message.at)))
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
       (select micros(min(due_at)) from retries where due_at < 'infinity'),
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

// A lane with a lease is being served.
constexpr Statement kCountDeliveries{"ops_deliveries", R"sql(
select (select count(*) from (select from deliveries where state = 'pending' limit 100000) x),
       (select micros(min(due_at)) from delivery_lanes
        where due_at > '-infinity' and due_at < 'infinity' and due_at <= clock_timestamp()
          and lease_until <= clock_timestamp()))sql"};

constexpr Statement kShards{"ops_shards", R"sql(
select shard, owner, epoch, lease_until > clock_timestamp() from relay_shards order by shard)sql"};

}  // namespace

absl::StatusOr<ports::StoreStatus> PgServiceStatus::Read() {
  return Once(pool_, "read the status",
              [&](pqxx::transaction_base& transaction) -> absl::StatusOr<ports::StoreStatus> {
                ports::StoreStatus status;
                const pqxx::row unpublished = Exec(transaction, kCountUnpublished)[0];
                status.unpublished_changes = unpublished[0].as<std::int64_t>();
                status.unpublished_messages = unpublished[1].as<std::int64_t>();
                status.oldest_unpublished = MaybeInstant(unpublished[2]);
                const pqxx::row waiting = Exec(transaction, kCountWaiting)[0];
                status.waiting_retries = waiting[0].as<std::int64_t>();
                status.next_retry = MaybeInstant(waiting[1]);
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
                status.oldest_delivery = MaybeInstant(deliveries[1]);
                for (const pqxx::row& row : Exec(transaction, kShards)) {
                  status.shards.push_back({.number = row[0].as<int>(),
                                           .owner = row[1].as<std::string>(),
                                           .epoch = row[2].as<std::int64_t>(),
                                           .leased = row[3].as<bool>()});
                }
                return status;
              });
}

}  // namespace todo::store

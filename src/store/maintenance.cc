#include "store/maintenance.h"

#include "store/session.h"
#include "util/status.h"

namespace todo::store {
namespace {

// Making a partition locks the whole inbox: rather not at all today than in everybody's way.
constexpr char kLockTimeout[] = "set local lock_timeout = 500";
constexpr Statement kMaintainInbox{"maintain_inbox", "call maintain_inbox($1::date, $2::int)"};

constexpr Statement kForgetRequests{"forget_requests", R"sql(
delete from requests r
using (select user_id, request_id from requests where at < $1 limit 1000) o
where r.user_id = o.user_id and r.request_id = o.request_id)sql"};

// Published is what the relay's cursor says: visible in its snapshot and not above its position.
constexpr Statement kForgetMessages{"forget_messages", R"sql(
delete from messages m
using (select x.id from messages x join relay_shards s on s.shard = x.shard
       where x.at < $1 and x.id <= s.message_position
         and pg_visible_in_snapshot(x.xid, nullif(s.snapshot, '')::pg_snapshot)
       order by x.at limit 1000) o
where m.id = o.id)sql"};

constexpr Statement kForgetDeliveries{"forget_deliveries", R"sql(
delete from deliveries d
using (select user_id, id from deliveries where finished_at < $1 limit 1000) o
where d.user_id = o.user_id and d.id = o.id)sql"};
constexpr Statement kForgetNotifications{"forget_notifications", R"sql(
delete from notifications n
using (select user_id, id from notifications where at < $1 limit 1000) o
where n.user_id = o.user_id and n.id = o.id)sql"};
constexpr Statement kForgetResolved{"forget_resolved", R"sql(
delete from dead_letters
where id in (select id from dead_letters where state <> 'open' and resolved_at < $1 limit 1000))sql"};

// The parts of the inbox that no day is dropped from.
constexpr Statement kForgetForeignDays{"forget_foreign_days", R"sql(
delete from inbox_default
where ctid = any (array(select ctid from inbox_default where received_at < $1 limit 1000)))sql"};
constexpr Statement kForgetUndated{"forget_undated", R"sql(
delete from inbox_undated
where ctid = any (array(select ctid from inbox_undated where received_at < $1 limit 1000)))sql"};
constexpr pqxx::result::size_type kPortion = 1000;
constexpr int kPortionsPerCall = 2000;

std::string Before(domain::Instant now, std::chrono::hours age) {
  return domain::FormatInstant(std::max(now - age, domain::kMinInstant));
}

/// Runs `statement`, which deletes one portion of what is older than $1, until nothing is left.
void Forget(Session& session, const Statement& statement, const std::string& before) {
  pqxx::nontransaction transaction(session.connection);
  for (int portion = 0; portion < kPortionsPerCall; ++portion) {
    session.StartWaiting();
    if (Exec(transaction, statement, before).affected_rows() < kPortion) break;
  }
}

}  // namespace

absl::Status MaintainInbox(ConnectionPool& pool, domain::Instant now,
                           const MaintenanceOptions& options) {
  TODO_ASSIGN_OR_RETURN(ConnectionPool::Lease lease, pool.Acquire());
  return Run(lease, "maintain the inbox", [&](pqxx::connection& connection) {
    {
      pqxx::work transaction(connection);
      transaction.exec(kLockTimeout);
      Exec(transaction, kMaintainInbox, domain::FormatInstant(now).substr(0, 10),
           options.keep_inbox_days);
      transaction.commit();
    }
    const std::string inbox_before = Before(now, std::chrono::hours(24) * options.keep_inbox_days);
    Forget(lease.session(), kForgetForeignDays, inbox_before);
    Forget(lease.session(), kForgetUndated, inbox_before);
    Forget(lease.session(), kForgetResolved, Before(now, options.keep_resolved));
    Forget(lease.session(), kForgetRequests, Before(now, options.keep_requests));
    Forget(lease.session(), kForgetMessages, Before(now, options.keep_messages));
    Forget(lease.session(), kForgetDeliveries, Before(now, options.keep_deliveries));
    Forget(lease.session(), kForgetNotifications, Before(now, options.keep_notifications));
    return absl::OkStatus();
  });
}

}  // namespace todo::store

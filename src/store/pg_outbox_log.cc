#include "store/pg_outbox_log.h"

#include <fmt/format.h>

#include <set>
#include <utility>

#include "store/session.h"
#include "util/status.h"

namespace todo::store {
namespace {

using ports::OutboxBatch;
using ports::OutboxShard;

constexpr Statement kRenew{"outbox_renew", R"sql(
select shard, epoch, position, message_position, snapshot, fair_share
from relay_renew($1, make_interval(secs => $2::double precision)))sql"};

// One statement, so that its own snapshot is the one that it tells, which becomes part of the next
// cursor. Late rows: drawn up to the position, invisible in the cursor's snapshot, visible now.
// Their transactions were running then: they are among xip, or at or above xmax, which is the
// newest completed one + 1. What was not visible then and has an id above the position is found as
// a new row. Everything between xmax and the next number to be given was running, so that is a
// small range; without its upper end the first read after a long pause would look at all that came
// since. What is visible has an xid below the present xmax; the condition matters only in a
// database that was restored from a dump, where the old rows' xids say nothing.
//
// "id + 0" keeps the late branches on the index by xid, whatever the statistics say: the one by id
// would read all that was ever published.
//
// {0} is the table, {1} the position's column, {2} what counts as its size, {3} its columns.
constexpr char kReadStream[] = R"sql(
select s.ord, pg_current_snapshot()::text, c.late, (c.row).id, {3}
from unnest($1::smallint[], $2::bigint[], $3::bigint[], $4::text[])
     with ordinality s (shard, position, message_position, snapshot, ord)
{4} join lateral (
    select true as late, l as row from {0} l
    where s.snapshot <> '' and l.shard = s.shard and l.id + 0 <= s.{1}
      and l.xid = any (array(select pg_snapshot_xip(nullif(s.snapshot, '')::pg_snapshot)))
    union all
    select true, l from {0} l
    where s.snapshot <> '' and l.shard = s.shard and l.id + 0 <= s.{1}
      and l.xid >= pg_snapshot_xmax(nullif(s.snapshot, '')::pg_snapshot)
      and l.xid < least(pg_snapshot_xmax(pg_current_snapshot()),
                        (pg_snapshot_xmax(nullif(s.snapshot, '')::pg_snapshot)::text::bigint + 100000)::text::xid8)
    union all
    select false, n.row from (
        select m.row, sum(m.size) over (order by m.id rows between unbounded preceding and 1 preceding)
                    as bytes_before
        from (select x as row, x.id, {2} as size from {0} x where x.shard = s.shard and x.id > s.{1} order by x.id limit $5) m) n
    where coalesce(n.bytes_before, 0) < $6::bigint
) c on true)sql";

const std::string& ReadSql() {
  static const std::string sql = fmt::format(
      "select * from ({} union all {}) both_streams order by 1, 4",
      fmt::format(
          kReadStream, "changes", "position", "octet_length(x.task_json)",
          "false as is_message, (c.row).user_id, (c.row).seq, (c.row).event_id, (c.row).kind, "
          "(c.row).task_id, (c.row).version, (c.row).task_json, "
          "(extract(epoch from (c.row).at) * 1000000)::bigint, (c.row).traceparent",
          "left"),
      fmt::format(
          kReadStream, "messages", "message_position", "octet_length(x.payload)",
          "true, (c.row).key, null, (c.row).event_id, (c.row).topic, null, null, (c.row).payload, "
          "(extract(epoch from (c.row).at) * 1000000)::bigint, null",
          "inner"));
  return sql;
}

constexpr Statement kAdvance{"outbox_advance", R"sql(
update relay_shards r set position = s.position, message_position = s.message_position, snapshot = s.snapshot
from unnest($1::smallint[], $2::bigint[], $3::bigint[], $4::bigint[], $5::text[], $6::bigint[], $7::bigint[], $8::text[])
     s (shard, epoch, position, message_position, snapshot, old_position, old_message_position, old_snapshot)
where r.shard = s.shard and r.epoch = s.epoch
  and (r.position, r.message_position, r.snapshot) in ((s.old_position, s.old_message_position, s.old_snapshot),
                                                       (s.position, s.message_position, s.snapshot))
returning r.shard)sql"};

constexpr Statement kRelease{"outbox_release", R"sql(
update relay_shards r set owner = '', lease_until = clock_timestamp()
from unnest($1::smallint[], $2::bigint[]) s (shard, epoch)
where r.shard = s.shard and r.epoch = s.epoch)sql"};

// Who holds nothing any more leaves its part to the others.
constexpr Statement kLeave{"outbox_leave", R"sql(
delete from relay_replicas where owner = $1 and not exists (select from relay_shards s where s.owner = $1))sql"};

std::string Shards(const std::vector<OutboxShard>& shards) {
  return ArrayLiteralOf(shards,
                        [](const OutboxShard& shard) { return fmt::format("{}", shard.number); });
}
std::string Epochs(const std::vector<OutboxShard>& shards) {
  return ArrayLiteralOf(shards,
                        [](const OutboxShard& shard) { return fmt::format("{}", shard.epoch); });
}
using WhichCursor = ports::OutboxCursor OutboxShard::*;
std::string Positions(const std::vector<OutboxShard>& shards,
                      WhichCursor which = &OutboxShard::cursor) {
  return ArrayLiteralOf(
      shards, [&](const OutboxShard& shard) { return fmt::format("{}", (shard.*which).position); });
}
std::string MessagePositions(const std::vector<OutboxShard>& shards,
                             WhichCursor which = &OutboxShard::cursor) {
  return ArrayLiteralOf(shards, [&](const OutboxShard& shard) {
    return fmt::format("{}", (shard.*which).message_position);
  });
}
std::string Snapshots(const std::vector<OutboxShard>& shards,
                      WhichCursor which = &OutboxShard::cursor) {
  return ArrayLiteralOf(shards, [&](const OutboxShard& shard) { return (shard.*which).snapshot; });
}

pqxx::result WriteCursors(pqxx::transaction_base& transaction,
                          const std::vector<OutboxShard>& shards) {
  constexpr WhichCursor kStored = &OutboxShard::stored;
  return Exec(transaction, kAdvance, Shards(shards), Epochs(shards), Positions(shards),
              MessagePositions(shards), Snapshots(shards), Positions(shards, kStored),
              MessagePositions(shards, kStored), Snapshots(shards, kStored));
}

absl::StatusOr<ports::OutboxMessage> DecodeMessage(const pqxx::row& row) {
  const std::optional<domain::Uuid> id = domain::Uuid::Parse(View(row[7]));
  if (!id) return absl::InternalError("store: a message's id is no UUID");
  const std::chrono::microseconds at(row[12].as<std::int64_t>());
  return ports::OutboxMessage{.topic = row[8].as<std::string>(),
                              .key = row[5].as<std::string>(),
                              .id = *id,
                              .payload = row[11].as<std::string>(),
                              .at = domain::Instant(at)};
}

}  // namespace

PgOutboxLog::PgOutboxLog(ConnectionPool& pool, OutboxLogOptions options)
    : pool_(pool), options_(options) {}

absl::StatusOr<ports::OutboxShards> PgOutboxLog::Renew(const std::string& owner,
                                                       std::chrono::milliseconds lease_time) {
  owner_ = owner;
  TODO_ASSIGN_OR_RETURN(ConnectionPool::Lease lease, pool_.Acquire());
  return Run(
      lease, "renew shards",
      [&](pqxx::connection& connection) -> absl::StatusOr<ports::OutboxShards> {
        pqxx::nontransaction transaction(connection);
        ports::OutboxShards shards;
        for (const pqxx::row& row :
             Exec(transaction, kRenew, owner, std::chrono::duration<double>(lease_time).count())) {
          shards.fair_share = row[5].as<int>();
          if (row[0].is_null()) continue;
          const ports::OutboxCursor cursor = {.position = row[2].as<std::int64_t>(),
                                              .message_position = row[3].as<std::int64_t>(),
                                              .snapshot = row[4].as<std::string>()};
          shards.owned.push_back({.number = row[0].as<int>(),
                                  .epoch = row[1].as<std::int64_t>(),
                                  .cursor = cursor,
                                  .stored = cursor});
        }
        return shards;
      });
}

absl::StatusOr<std::vector<OutboxBatch>> PgOutboxLog::Read(const std::vector<OutboxShard>& shards,
                                                           int limit) {
  std::vector<OutboxBatch> batches;
  if (shards.empty()) return batches;
  TODO_ASSIGN_OR_RETURN(ConnectionPool::Lease lease, pool_.Acquire());
  return Run(lease, "read outbox",
             [&](pqxx::connection& connection) -> absl::StatusOr<std::vector<OutboxBatch>> {
               for (const OutboxShard& shard : shards) {
                 batches.push_back(
                     {.shard = shard.number, .changes = {}, .messages = {}, .next = shard.cursor});
               }
               pqxx::nontransaction transaction(connection);
               const pqxx::result result = Exec(
                   transaction, "outbox_read", ReadSql(), Shards(shards), Positions(shards),
                   MessagePositions(shards), Snapshots(shards), limit, options_.max_batch_bytes);
               for (const pqxx::row& row : result) {
                 OutboxBatch& batch = batches.at(row[0].as<std::size_t>() - 1);
                 batch.next.snapshot = row[1].as<std::string>();
                 if (row[2].is_null()) continue;
                 const bool is_late = row[2].as<bool>();
                 const auto id = row[3].as<std::int64_t>();
                 if (row[4].as<bool>()) {
                   TODO_ASSIGN_OR_RETURN(ports::OutboxMessage message, DecodeMessage(row));
                   batch.messages.push_back(std::move(message));
                   if (!is_late) batch.next.message_position = id;
                 } else {
                   TODO_ASSIGN_OR_RETURN(domain::Change change, DecodeChange(row, 6));
                   change.user = domain::UserId{row[5].as<std::string>()};
                   batch.changes.push_back(std::move(change));
                   if (!is_late) batch.next.position = id;
                 }
               }
               return std::move(batches);
             });
}

absl::StatusOr<std::vector<int>> PgOutboxLog::Advance(const std::vector<OutboxShard>& shards) {
  if (shards.empty()) return std::vector<int>();
  TODO_ASSIGN_OR_RETURN(ConnectionPool::Lease lease, pool_.Acquire());
  return Run(lease, "advance outbox",
             [&](pqxx::connection& connection) -> absl::StatusOr<std::vector<int>> {
               pqxx::nontransaction transaction(connection);
               std::set<int> lost;
               for (const OutboxShard& shard : shards) lost.insert(shard.number);
               for (const pqxx::row& row : WriteCursors(transaction, shards)) {
                 lost.erase(row[0].as<int>());
               }
               return std::vector<int>(lost.begin(), lost.end());
             });
}

absl::Status PgOutboxLog::Release(const std::vector<OutboxShard>& shards) {
  if (shards.empty()) return absl::OkStatus();
  TODO_ASSIGN_OR_RETURN(ConnectionPool::Lease lease, pool_.Acquire());
  return Run(lease, "release shards", [&](pqxx::connection& connection) {
    pqxx::nontransaction transaction(connection);
    WriteCursors(transaction, shards);
    Exec(transaction, kRelease, Shards(shards), Epochs(shards));
    Exec(transaction, kLeave, owner_);
    return absl::OkStatus();
  });
}

}  // namespace todo::store

#include "store/pg_outbox_log.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <utility>

#include "store/session.h"
#include "util/status.h"

namespace todo::store {
namespace {

using ports::OutboxBatch;
using ports::OutboxCursor;
using ports::OutboxShard;

constexpr Statement kRenew{"outbox_renew", R"sql(
select shard, epoch, position, message_position, snapshot, late_position, late_message_position, late_snapshot,
       late_transactions, fair_share
from relay_renew($1, make_interval(secs => $2::double precision)))sql"};

// One statement, so that its own snapshot is the one that it tells, which becomes part of the next
// cursor. Late rows: drawn up to the position, invisible in the cursor's snapshot, visible now.
// late_writers_of_shards tells whose they are, by one row for each shard. Where some are left over
// from the batch before, it is theirs alone that are read: `late_snapshot` is the snapshot in which
// they were found, and what has become visible since then comes when they are through.
constexpr char kShards[] = R"sql(
with shards as materialized (
    select g.shard, g.position, g.message_position, g.late_position, g.late_message_position, g.late_transactions,
           case when g.late_transactions <> '' then g.late_transactions::xid8[] else g.late_writers end as xids, g.ord
    from rows from (
        unnest($1::smallint[], $2::bigint[], $3::bigint[], $5::bigint[], $6::bigint[], $7::text[]),
        late_writers_of_shards($1, $2, $3, array(
            select case when c.late_transactions = '' then nullif(c.snapshot, '')::pg_snapshot end
            from unnest($4::text[], $7) with ordinality c (snapshot, late_transactions, ord) order by c.ord),
            pg_current_snapshot())
    ) with ordinality g (shard, position, message_position, late_position, late_message_position, late_transactions,
                         late_writers, ord)
))sql";

// The oldest of the late rows and then of the new ones, up to the limits. One late row more than
// can be taken is counted, so that the answer tells whether some are left over.
//
// The late rows of each transaction come from the index by xid, in order and from where they were
// left; comparing pairs leaves the planner no other index.
//
// {0} is the table, {1} the position's column, {2} what counts as its size, {3} its columns.
constexpr char kReadStream[] = R"sql(
select s.ord, pg_current_snapshot()::text, s.xids::text, c.late, c.late_count, (c.row).id, {3}
from shards s
{4} join lateral (
    select m.late, m.row, m.late_count from (
        select k.late, k.row, count(*) filter (where k.late) over () as late_count,
               row_number() over (order by k.id) as number,
               sum(k.size) over (order by k.id rows between unbounded preceding and 1 preceding) as bytes_before
        from (
            (select true as late, l.row, l.id, l.size
             from unnest(s.xids) t (xid) cross join lateral (
                 select x as row, x.id, {2} as size from {0} x
                 where x.shard = s.shard
                   and (x.xid, x.id) > (t.xid, s.late_{1}) and (x.xid, x.id) <= (t.xid, s.{1})
                 order by x.xid, x.id limit $8 + 1) l
             order by l.id limit $8 + 1)
            union all
            (select false, x, x.id, {2} from {0} x
             where s.late_transactions = '' and x.shard = s.shard and x.id > s.{1}
             order by x.id limit $8)) k) m
    where m.number <= $8 and coalesce(m.bytes_before, 0) < $9::bigint
) c on true)sql";

const std::string& ReadSql() {
  static const std::string sql = fmt::format(
      "{} select * from ({} union all {}) both_streams order by 1, 6", kShards,
      fmt::format(
          kReadStream, "changes", "position", "octet_length(x.task_json)",
          "false as is_message, (c.row).user_id, (c.row).seq, (c.row).event_id, (c.row).kind, "
          "(c.row).task_id, (c.row).version, (c.row).task_json, "
          "micros((c.row).at), (c.row).traceparent, (c.row).request_id",
          "left"),
      fmt::format(
          kReadStream, "messages", "message_position", "octet_length(x.payload)",
          "true, (c.row).key, null, (c.row).event_id, (c.row).topic, null, null, (c.row).payload, "
          "micros((c.row).at), null, null",
          "inner"));
  return sql;
}

constexpr Statement kAdvance{"outbox_advance", R"sql(
update relay_shards r set position = s.position, message_position = s.message_position, snapshot = s.snapshot,
                          late_position = s.late_position, late_message_position = s.late_message_position,
                          late_snapshot = s.late_snapshot, late_transactions = s.late_transactions
from unnest($1::smallint[], $2::bigint[], $3::bigint[], $4::bigint[], $5::text[],
            $6::bigint[], $7::bigint[], $8::text[], $9::text[],
            $10::bigint[], $11::bigint[], $12::text[], $13::bigint[], $14::bigint[], $15::text[])
     s (shard, epoch, position, message_position, snapshot,
        late_position, late_message_position, late_snapshot, late_transactions,
        old_position, old_message_position, old_snapshot,
        old_late_position, old_late_message_position, old_late_snapshot)
where r.shard = s.shard and r.epoch = s.epoch
  and (r.position, r.message_position, r.snapshot, r.late_position, r.late_message_position, r.late_snapshot)
      in ((s.old_position, s.old_message_position, s.old_snapshot,
           s.old_late_position, s.old_late_message_position, s.old_late_snapshot),
          (s.position, s.message_position, s.snapshot, s.late_position, s.late_message_position, s.late_snapshot))
returning r.shard)sql"};

constexpr Statement kRelease{"outbox_release", R"sql(
update relay_shards r set owner = '', lease_until = clock_timestamp()
from unnest($1::smallint[], $2::bigint[]) s (shard, epoch)
where r.shard = s.shard and r.epoch = s.epoch)sql"};

// A replica that holds no shard any more leaves its share to the others.
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

std::string LatePositions(const std::vector<OutboxShard>& shards,
                          WhichCursor which = &OutboxShard::cursor) {
  return ArrayLiteralOf(shards, [&](const OutboxShard& shard) {
    return fmt::format("{}", (shard.*which).late.position);
  });
}
std::string LateMessagePositions(const std::vector<OutboxShard>& shards,
                                 WhichCursor which = &OutboxShard::cursor) {
  return ArrayLiteralOf(shards, [&](const OutboxShard& shard) {
    return fmt::format("{}", (shard.*which).late.message_position);
  });
}
std::string LateSnapshots(const std::vector<OutboxShard>& shards,
                          WhichCursor which = &OutboxShard::cursor) {
  return ArrayLiteralOf(shards,
                        [&](const OutboxShard& shard) { return (shard.*which).late.snapshot; });
}
std::string LateTransactions(const std::vector<OutboxShard>& shards) {
  return ArrayLiteralOf(shards,
                        [](const OutboxShard& shard) { return shard.cursor.late.transactions; });
}

/// How far one stream of a shard was read.
struct Progress {
  std::int64_t reached = 0;     // the position of the last row taken
  std::int64_t late_taken = 0;  // late rows among them
  std::int64_t late_count = 0;  // late rows that there are, or one more than fit

  bool left_over() const { return late_taken < late_count; }
};

/// Where to go on after a read from `cursor` in `snapshot` that found late rows of `transactions`.
OutboxCursor NextCursor(const OutboxCursor& cursor, const std::string& snapshot,
                        const std::string& transactions, const Progress& changes,
                        const Progress& messages) {
  // A stream without late rows that are left over is through up to its position, or has gone on.
  const auto reached = [](const Progress& stream, std::int64_t position, std::int64_t late) {
    return stream.left_over() ? stream.reached : std::max({stream.reached, position, late});
  };
  const OutboxCursor::LateRows& late = cursor.late;
  const std::string& found_in = late.snapshot.empty() ? snapshot : late.snapshot;
  const std::int64_t position = reached(changes, cursor.position, late.position);
  const std::int64_t message_position =
      reached(messages, cursor.message_position, late.message_position);
  if (!changes.left_over() && !messages.left_over()) {
    return {.position = position,
            .message_position = message_position,
            .snapshot = found_in,
            .late = {}};
  }
  OutboxCursor next = cursor;
  next.late = {.position = position,
               .message_position = message_position,
               .snapshot = found_in,
               .transactions = transactions};
  return next;
}

/// Answers the shards that are still ours.
pqxx::result WriteCursors(pqxx::transaction_base& transaction,
                          const std::vector<OutboxShard>& shards) {
  constexpr WhichCursor kStored = &OutboxShard::stored;
  return Exec(transaction, kAdvance, Shards(shards), Epochs(shards), Positions(shards),
              MessagePositions(shards), Snapshots(shards), LatePositions(shards),
              LateMessagePositions(shards), LateSnapshots(shards), LateTransactions(shards),
              Positions(shards, kStored), MessagePositions(shards, kStored),
              Snapshots(shards, kStored), LatePositions(shards, kStored),
              LateMessagePositions(shards, kStored), LateSnapshots(shards, kStored));
}

absl::StatusOr<ports::OutboxMessage> DecodeMessage(const pqxx::row& row) {
  const std::optional<domain::Uuid> id = domain::Uuid::Parse(View(row[9]));
  if (!id) return absl::InternalError("store: a message's id is no UUID");
  const std::chrono::microseconds at(row[14].as<std::int64_t>());
  return ports::OutboxMessage{.topic = row[10].as<std::string>(),
                              .key = row[7].as<std::string>(),
                              .id = *id,
                              .payload = row[13].as<std::string>(),
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
      [&](pqxx::connection_base& connection) -> absl::StatusOr<ports::OutboxShards> {
        pqxx::nontransaction transaction(connection);
        ports::OutboxShards shards;
        for (const pqxx::row& row :
             Exec(transaction, kRenew, owner, std::chrono::duration<double>(lease_time).count())) {
          shards.fair_share = row[9].as<int>();
          if (row[0].is_null()) continue;
          const ports::OutboxCursor cursor = {
              .position = row[2].as<std::int64_t>(),
              .message_position = row[3].as<std::int64_t>(),
              .snapshot = row[4].as<std::string>(),
              .late = {.position = row[5].as<std::int64_t>(),
                       .message_position = row[6].as<std::int64_t>(),
                       .snapshot = row[7].as<std::string>(),
                       .transactions = row[8].as<std::string>()}};
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
             [&](pqxx::connection_base& connection) -> absl::StatusOr<std::vector<OutboxBatch>> {
               for (const OutboxShard& shard : shards) {
                 batches.push_back(
                     {.shard = shard.number, .changes = {}, .messages = {}, .next = shard.cursor});
               }
               struct Reading {
                 std::string snapshot;
                 std::string transactions;
                 Progress changes;
                 Progress messages;
               };
               std::vector<Reading> readings(shards.size());
               pqxx::nontransaction transaction(connection);
               const pqxx::result result =
                   Exec(transaction, "outbox_read", ReadSql(), Shards(shards), Positions(shards),
                        MessagePositions(shards), Snapshots(shards), LatePositions(shards),
                        LateMessagePositions(shards), LateTransactions(shards), limit,
                        options_.max_batch_bytes);
               for (const pqxx::row& row : result) {
                 const std::size_t index = row[0].as<std::size_t>() - 1;
                 OutboxBatch& batch = batches.at(index);
                 Reading& reading = readings.at(index);
                 reading.snapshot = row[1].as<std::string>();
                 reading.transactions = row[2].as<std::string>();
                 if (row[3].is_null()) continue;
                 const bool is_message = row[6].as<bool>();
                 Progress& progress = is_message ? reading.messages : reading.changes;
                 progress.reached = row[5].as<std::int64_t>();
                 progress.late_taken += row[3].as<bool>() ? 1 : 0;
                 progress.late_count = row[4].as<std::int64_t>();
                 if (is_message) {
                   TODO_ASSIGN_OR_RETURN(ports::OutboxMessage message, DecodeMessage(row));
                   batch.messages.push_back(std::move(message));
                 } else {
                   TODO_ASSIGN_OR_RETURN(domain::Change change, DecodeChange(row, 8));
                   change.user = domain::UserId{row[7].as<std::string>()};
                   batch.changes.push_back(std::move(change));
                 }
               }
               for (std::size_t i = 0; i < batches.size(); ++i) {
                 const Reading& reading = readings[i];
                 batches[i].next =
                     NextCursor(shards[i].cursor, reading.snapshot, reading.transactions,
                                reading.changes, reading.messages);
               }
               return std::move(batches);
             });
}

absl::StatusOr<std::vector<int>> PgOutboxLog::Advance(const std::vector<OutboxShard>& shards) {
  if (shards.empty()) return std::vector<int>();
  TODO_ASSIGN_OR_RETURN(ConnectionPool::Lease lease, pool_.Acquire());
  return Run(lease, "advance outbox",
             [&](pqxx::connection_base& connection) -> absl::StatusOr<std::vector<int>> {
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
  return Run(lease, "release shards", [&](pqxx::connection_base& connection) {
    pqxx::nontransaction transaction(connection);
    WriteCursors(transaction, shards);
    Exec(transaction, kRelease, Shards(shards), Epochs(shards));
    Exec(transaction, kLeave, owner_);
    return absl::OkStatus();
  });
}

}  // namespace todo::store

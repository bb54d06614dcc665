#include "store/pg_audit_log.h"

#include <fmt/format.h>

#include <set>
#include <utility>

#include "domain/time.h"
#include "store/row_values.h"
#include "store/session.h"
#include "util/status.h"

namespace todo::store {
namespace {

using domain::FormatInstant;
using domain::Instant;
using ports::MissingEvent;
using ports::Repetition;

constexpr Statement kEnroll{"audit_enroll", "select audit_enroll($1::text[])"};

constexpr Statement kTakeTurn{
    "audit_take_turn", "select audit_take_turn($1, make_interval(secs => $2::double precision))"};

// The oldest of each shard that is above its cursor, in the order of the ids. Late rows that are
// left over were committed long ago, or as good as.
constexpr Statement kOutboxFlows{"audit_outbox_flows", R"sql(
select not exists (
    select from relay_shards s where s.late_snapshot <> ''
    union all
    select from relay_shards s,
        lateral (select x.at from changes x where x.shard = s.shard and x.id > s.position
                 order by x.id limit 1) c
    where c.at < $1::timestamptz
    union all
    select from relay_shards s,
        lateral (select x.at from messages x where x.shard = s.shard and x.id > s.message_position
                 order by x.id limit 1) m
    where m.at < $1::timestamptz))sql"};

constexpr Statement kLook{"audit_look", R"sql(
select more, missing, micros(late_take)
from audit_look($1, $2::timestamptz, $3::timestamptz, $4::timestamptz, $5::timestamptz, $6, $7))sql"};

constexpr Statement kDue{"audit_due", R"sql(
select change_id, repeats, (change).user_id, (change).seq, (change).event_id, (change).kind, (change).task_id,
       (change).version, (change).task_json, micros((change).at), (change).traceparent,
       (change).request_id
from audit_due($1, $2::timestamptz, $3))sql"};

constexpr Statement kPassedOver{"audit_passed_over", R"sql(
select change_id, repeats, (change).user_id, (change).seq, (change).event_id, (change).kind, (change).task_id,
       (change).version, (change).task_json, micros((change).at), (change).traceparent,
       (change).request_id
from audit_passed_over($1, $2))sql"};

constexpr Statement kRepeat{"audit_repeat", R"sql(
select audit_repeat($1, $2::bigint[], $3::int[], $4::timestamptz[], $5, $6::text[]))sql"};

constexpr Statement kGiveUp{"audit_give_up", R"sql(
update audit_missing set lost_at = $3::timestamptz
where consumer = $1 and id = any ($2::bigint[]) and lost_at is null)sql"};

absl::StatusOr<std::vector<MissingEvent>> Decode(const pqxx::result& result) {
  std::vector<MissingEvent> events;
  for (const pqxx::row& row : result) {
    MissingEvent event;
    event.change_id = row[0].as<std::int64_t>();
    event.repeats = row[1].as<int>();
    TODO_ASSIGN_OR_RETURN(event.change, DecodeChange(row, 3));
    event.change.user = domain::UserId{row[2].as<std::string>()};
    events.push_back(std::move(event));
  }
  return events;
}

}  // namespace

PgAuditLog::PgAuditLog(ConnectionPool& pool, std::function<void(int shard)> on_message,
                       AuditLogOptions options)
    : pool_(pool), on_message_(std::move(on_message)), options_(options) {}

absl::Status PgAuditLog::Enroll(const std::vector<std::string>& consumers) {
  TODO_ASSIGN_OR_RETURN(ConnectionPool::Lease lease, pool_.Acquire());
  return Run(lease, "enroll for the audit", [&](pqxx::connection_base& connection) {
    pqxx::nontransaction transaction(connection);
    Exec(transaction, kEnroll, ArrayLiteral(consumers));
    return absl::OkStatus();
  });
}

absl::StatusOr<bool> PgAuditLog::TakeTurn(const std::string& owner,
                                          std::chrono::milliseconds lease_time) {
  TODO_ASSIGN_OR_RETURN(ConnectionPool::Lease lease, pool_.Acquire());
  return Run(lease, "take the audit's turn",
             [&](pqxx::connection_base& connection) -> absl::StatusOr<bool> {
               pqxx::nontransaction transaction(connection);
               const double seconds = std::chrono::duration<double>(lease_time).count();
               return Exec(transaction, kTakeTurn, owner, seconds)[0][0].as<bool>();
             });
}

absl::StatusOr<bool> PgAuditLog::OutboxFlows(Instant before) {
  TODO_ASSIGN_OR_RETURN(ConnectionPool::Lease lease, pool_.Acquire());
  return Run(lease, "look at the outbox",
             [&](pqxx::connection_base& connection) -> absl::StatusOr<bool> {
               pqxx::nontransaction transaction(connection);
               return Exec(transaction, kOutboxFlows, FormatInstant(before))[0][0].as<bool>();
             });
}

absl::StatusOr<ports::AuditFindings> PgAuditLog::Look(std::string_view consumer,
                                                      const ports::AuditScope& scope) {
  TODO_ASSIGN_OR_RETURN(ConnectionPool::Lease lease, pool_.Acquire());
  return Run(lease, "audit",
             [&](pqxx::connection_base& connection) -> absl::StatusOr<ports::AuditFindings> {
               pqxx::nontransaction transaction(connection);
               const pqxx::row row =
                   Exec(transaction, kLook, std::string(consumer), FormatInstant(scope.now),
                        FormatInstant(scope.overdue_before), FormatInstant(scope.oldest),
                        FormatInstant(scope.due_at), options_.max_changes, options_.max_missing)[0];
               ports::AuditFindings findings{
                   .more = row[0].as<bool>(), .missing = row[1].as<int>(), .late_take = {}};
               if (!row[2].is_null()) findings.late_take = InstantOf(row[2]);
               return findings;
             });
}

absl::StatusOr<std::vector<MissingEvent>> PgAuditLog::Due(std::string_view consumer, Instant now,
                                                          int limit) {
  TODO_ASSIGN_OR_RETURN(ConnectionPool::Lease lease, pool_.Acquire());
  return Run(lease, "read missing events", [&](pqxx::connection_base& connection) {
    pqxx::nontransaction transaction(connection);
    return Decode(Exec(transaction, kDue, std::string(consumer), FormatInstant(now), limit));
  });
}

absl::StatusOr<std::vector<MissingEvent>> PgAuditLog::PassedOver(std::string_view consumer,
                                                                 int limit) {
  TODO_ASSIGN_OR_RETURN(ConnectionPool::Lease lease, pool_.Acquire());
  return Run(lease, "read events passed over", [&](pqxx::connection_base& connection) {
    pqxx::nontransaction transaction(connection);
    return Decode(Exec(transaction, kPassedOver, std::string(consumer), limit));
  });
}

absl::Status PgAuditLog::Repeat(std::string_view consumer, const std::string& topic,
                                const std::vector<Repetition>& repetitions) {
  const auto column = [&](const auto& text) { return ArrayLiteralOf(repetitions, text); };
  std::set<int> shards;
  {
    TODO_ASSIGN_OR_RETURN(ConnectionPool::Lease lease, pool_.Acquire());
    const absl::Status status = Run(lease, "publish again", [&](pqxx::connection_base& connection) {
      pqxx::nontransaction transaction(connection);
      for (const pqxx::row& row :
           Exec(transaction, kRepeat, std::string(consumer),
                column([](const Repetition& r) { return fmt::format("{}", r.change_id); }),
                column([](const Repetition& r) { return fmt::format("{}", r.repeats); }),
                column([](const Repetition& r) { return FormatInstant(r.due_at); }), topic,
                column([](const Repetition& r) { return r.record; }))) {
        shards.insert(row[0].as<int>());
      }
      return absl::OkStatus();
    });
    if (!status.ok()) return status;
  }
  if (on_message_) {
    for (const int shard : shards) on_message_(shard);
  }
  return absl::OkStatus();
}

absl::Status PgAuditLog::GiveUp(std::string_view consumer,
                                const std::vector<std::int64_t>& change_ids, Instant now) {
  TODO_ASSIGN_OR_RETURN(ConnectionPool::Lease lease, pool_.Acquire());
  return Run(lease, "give events up", [&](pqxx::connection_base& connection) {
    pqxx::nontransaction transaction(connection);
    Exec(transaction, kGiveUp, std::string(consumer),
         ArrayLiteralOf(change_ids, [](std::int64_t id) { return fmt::format("{}", id); }),
         FormatInstant(now));
    return absl::OkStatus();
  });
}

}  // namespace todo::store

#include "store/pg_delivery_store.h"

#include <nlohmann/json.hpp>
#include <utility>

#include "domain/notification/schedule.h"
#include "store/reminder_columns.h"
#include "store/retry_columns.h"
#include "store/row_values.h"
#include "store/session.h"
#include "util/require.h"
#include "util/status.h"

namespace todo::store {
namespace {

using domain::Channel;
using domain::Instant;
using nlohmann::json;
using ports::DeliveryLane;
using ports::DeliveryState;
using ports::LeasedLane;

constexpr int kMaxGroup = 100;

constexpr Statement kLease{"delivery_lease", R"sql(
select user_id, channel, target, epoch from lease_lane($1, $2::text[], $3, $4))sql"};

// Few lanes are leased; of the others only the first counts. -infinity: the lane is removed.
constexpr Statement kNextTurn{"delivery_next_turn", R"sql(
select micros(greatest(n.at, 'epoch'::timestamptz))
from (select least((select min(greatest(l.due_at, l.lease_until)) from delivery_lanes l
                    where l.lease_until > '-infinity' and l.pace = $1
                      and l.channel = any ($2::text[]) and l.due_at < 'infinity'),
                   (select l.due_at from delivery_lanes l
                    where l.lease_until = '-infinity' and l.pace = $1
                      and l.channel = any ($2::text[]) and l.due_at < 'infinity'
                    order by l.due_at limit 1)) as at) n
where n.at is not null)sql"};

// Mails and pushes about tasks that are completed or deleted by now. Foreign tasks have no row.
constexpr Statement kDropDone{"delivery_drop_done", R"sql(
update deliveries d
set state = 'failed', finished_at = $4, attempts = d.attempts || jsonb_build_object(
    'at', rfc3339($4::timestamptz), 'outcome', 'dropped', 'detail', 'its task is completed or deleted by now')
where d.user_id = $1 and d.id in (
    select x.id from deliveries x
    join notifications n on n.user_id = x.user_id and n.id = x.event_id
    join tasks t on t.user_id = n.user_id and t.id = n.task_id
    where x.user_id = $1 and x.channel = $2 and x.target = $3 and x.state = 'pending' and x.due_at <= $5
      and (t.completed or t.deleted_at is not null)
    order by x.due_at, x.id limit 1000))sql"};

constexpr Statement kEndpoint{"delivery_endpoint", R"sql(
select url, secret_version, case when previous_until > $3 then previous_count else 0 end, disabled_reason
from webhook_endpoints where user_id = $1 and id = $2)sql"};
constexpr Statement kSubscription{"delivery_subscription", R"sql(
select endpoint, p256dh, auth from push_subscriptions where user_id = $1 and id = $2)sql"};
constexpr Statement kAddress{"delivery_address",
                             "select address from mail_addresses where user_id = $1"};

// The first due delivery. When it may be grouped, the other groupable deliveries go with it, if
// they are due or only wait for such a group, until $7 at the latest.
constexpr Statement kDue{"delivery_due", R"sql(
with first as (
    select grouped from deliveries
    where user_id = $1 and channel = $2 and target = $3 and state = 'pending' and due_at <= $4 and queued_at >= $6
    order by due_at, id limit 1)
select d.id, d.failures, d.body, d.event_id, n.task_id, n.title,
       micros(n.remind_at), micros(n.due_at),
       n.time_zone, n.late, coalesce(n.due_kind, ''), coalesce(local_time(n.due_local), ''), d.traceparent
from first f
join deliveries d on d.user_id = $1 and d.channel = $2 and d.target = $3 and d.state = 'pending'
                 and (d.due_at <= $4 or d.failures = 0 and d.due_at <= $7) and d.queued_at >= $6
                 and d.grouped = f.grouped
left join notifications n on n.user_id = d.user_id and n.id = d.event_id
order by d.due_at, d.id
limit (select case when grouped then $5::int else 1 end from first))sql"};

constexpr Statement kExpire{"delivery_expire", "select expire_lane($1, $2, $3, $4, $5)"};
constexpr Statement kFinish{"delivery_finish",
                            "select finish_attempt($1, $2, $3, $4, $5::jsonb, $6, $7, $8)"};
constexpr Statement kStop{"delivery_stop", "select stop_lane($1, $2, $3, $4, $5)"};
constexpr Statement kRemoveLane{"delivery_remove_lane", "select remove_lane($1, $2, $3, $4)"};
constexpr Statement kDisable{"delivery_disable", R"sql(
update webhook_endpoints set disabled_reason = $3 where user_id = $1 and id = $2 and url = $4)sql"};
constexpr Statement kUnsubscribe{"delivery_unsubscribe",
                                 "delete from push_subscriptions where user_id = $1 and id = $2"};
constexpr Statement kForgetAddress{
    "delivery_forget_address", "delete from mail_addresses where user_id = $1 and address = $2"};

std::string NameOf(Channel channel) { return std::string(ToString(channel)); }

std::string NamesOf(const std::vector<Channel>& channels) {
  return ArrayLiteralOf(channels, [](Channel channel) { return NameOf(channel); });
}

std::string NameOf(ports::Pace pace) {
  switch (pace) {
    case ports::Pace::kQuick: return "quick";
    case ports::Pace::kNew: return "new";
    case ports::Pace::kSlow: break;
  }
  return "slow";
}

std::string_view NameOf(DeliveryState state) {
  switch (state) {
    case DeliveryState::kPending: return "pending";
    case DeliveryState::kDelivered: return "delivered";
    case DeliveryState::kFailed: break;
  }
  return "failed";
}

ports::QueuedDelivery QueuedOf(const pqxx::row& row) {
  ports::QueuedDelivery delivery;
  delivery.id = UuidOf(row[0]);
  delivery.failures = row[1].as<int>();
  delivery.body = row[2].as<std::string>();
  delivery.traceparent = row[12].as<std::string>();
  if (row[4].is_null()) return delivery;  // of a task event, or its notification was deleted
  domain::DueReminder& reminder = delivery.reminder.emplace();
  reminder.id = domain::EventId{UuidOf(row[3])};
  reminder.task_id = domain::TaskId{row[4].as<std::int64_t>()};
  reminder.title = row[5].as<std::string>();
  reminder.remind_at = InstantOf(row[6]);
  reminder.due = DecodeDue(View(row[10]), View(row[11]),
                           row[7].is_null() ? std::nullopt : std::optional(InstantOf(row[7])));
  reminder.time_zone = row[8].as<std::string>();
  reminder.late = row[9].as<bool>();
  return delivery;
}

enum class EndpointState { kThere, kDisabled, kMissing };

/// Fills in the endpoint of the lane.
EndpointState LoadEndpoint(pqxx::transaction_base& transaction, LeasedLane& leased, Instant now) {
  const DeliveryLane& lane = leased.lane;
  if (lane.channel == Channel::kEmail) {
    const pqxx::result found = Exec(transaction, kAddress, lane.user.value);
    if (found.empty()) return EndpointState::kMissing;
    leased.address = found[0][0].as<std::string>();
    return EndpointState::kThere;
  }
  if (lane.channel == Channel::kPush) {
    const pqxx::result found =
        Exec(transaction, kSubscription, lane.user.value, lane.endpoint.value());
    if (found.empty()) return EndpointState::kMissing;
    leased.address = found[0][0].as<std::string>();
    leased.p256dh = pqxx::binarystring(found[0][1]).str();
    leased.auth = pqxx::binarystring(found[0][2]).str();
    return EndpointState::kThere;
  }
  const pqxx::result found = Exec(transaction, kEndpoint, lane.user.value, lane.endpoint.value(),
                                  domain::FormatInstant(now));
  if (found.empty()) return EndpointState::kMissing;
  leased.address = found[0][0].as<std::string>();
  leased.secret_version = found[0][1].as<int>();
  leased.previous_secrets = found[0][2].as<int>();
  return View(found[0][3]).empty() ? EndpointState::kThere : EndpointState::kDisabled;
}

}  // namespace

absl::StatusOr<std::optional<LeasedLane>> PgDeliveryStore::Lease(
    ports::Pace pace, const std::vector<Channel>& channels, Instant now, Instant until) {
  using Leased = std::optional<LeasedLane>;
  TODO_ASSIGN_OR_RETURN(ConnectionPool::Lease lease, pool_.Acquire());
  return Run(
      lease, "lease a delivery", [&](pqxx::connection_base& connection) -> absl::StatusOr<Leased> {
        // No common transaction: when a statement behind the first one fails, its lane stays leased
        // until the lease ends, and other lanes have their turn.
        pqxx::nontransaction transaction(connection);
        for (;;) {
          lease.session().StartWaiting();
          const std::string at = domain::FormatInstant(now);
          const pqxx::result found = Exec(transaction, kLease, NameOf(pace), NamesOf(channels), at,
                                          domain::FormatInstant(until));
          if (found.empty()) return Leased();
          LeasedLane leased;
          DeliveryLane& lane = leased.lane;
          lane.user = domain::UserId{found[0][0].as<std::string>()};
          lane.channel = domain::ParseChannel(View(found[0][1])).value_or(Channel::kWebhook);
          lane.endpoint = UuidOf(found[0][2]);
          lane.epoch = found[0][3].as<std::int64_t>();
          const std::string channel = NameOf(lane.channel);
          const std::string endpoint = lane.endpoint.value();

          lease.session().StartWaiting();
          const EndpointState state = LoadEndpoint(transaction, leased, now);
          lease.session().StartWaiting();
          if (state == EndpointState::kMissing) {
            Exec(transaction, kRemoveLane, lane.user.value, channel, endpoint, at);
            continue;
          }
          if (state == EndpointState::kDisabled) {
            Exec(transaction, kStop, lane.user.value, channel, endpoint, "the endpoint is disabled",
                 at);
            continue;
          }
          const std::string oldest = domain::FormatInstant(now - domain::kMaxDeliveryAge);
          const std::string soon = domain::FormatInstant(now + domain::kGroupingTime);
          if (lane.channel != Channel::kWebhook) {
            Exec(transaction, kDropDone, lane.user.value, channel, endpoint, at, soon);
            lease.session().StartWaiting();
          }
          const pqxx::result due = Exec(transaction, kDue, lane.user.value, channel, endpoint, at,
                                        kMaxGroup, oldest, soon);
          if (!due.empty()) {
            for (const pqxx::row& row : due) leased.deliveries.push_back(QueuedOf(row));
            return Leased(std::move(leased));
          }
          lease.session().StartWaiting();
          Exec(transaction, kExpire, lane.user.value, channel, endpoint, oldest, at);
        }
      });
}

absl::StatusOr<std::optional<Instant>> PgDeliveryStore::NextTurn(
    ports::Pace pace, const std::vector<Channel>& channels) {
  using Turn = std::optional<Instant>;
  return Once(pool_, "look for the next delivery",
              [&](pqxx::transaction_base& transaction) -> absl::StatusOr<Turn> {
                const pqxx::result found =
                    Exec(transaction, kNextTurn, NameOf(pace), NamesOf(channels));
                return found.empty() ? Turn() : Turn(InstantOf(found[0][0]));
              });
}

absl::StatusOr<bool> PgDeliveryStore::Finish(const DeliveryLane& lane,
                                             const ports::DeliveryAttempt& attempt,
                                             ports::Pace pace) {
  TODO_REQUIRE(pace != ports::Pace::kNew);
  const json logged = {{"at", domain::FormatInstant(attempt.at)},
                       {"took_ms", attempt.took.count()},
                       {"outcome", attempt.outcome},
                       {"status", attempt.status_code},
                       {"detail", Storable(attempt.detail)}};
  json results = json::array();
  for (const ports::DeliveryResult& result : attempt.results) {
    json row = {{"id", result.id.value()}, {"state", NameOf(result.state)}, {"attempt", logged}};
    if (result.state == DeliveryState::kPending)
      row["due_at"] = domain::FormatInstant(result.due_at);
    results.push_back(std::move(row));
  }
  std::optional<std::string> paused_until;
  if (attempt.paused_until) paused_until = domain::FormatInstant(*attempt.paused_until);
  TODO_ASSIGN_OR_RETURN(ConnectionPool::Lease lease, pool_.Acquire());
  return Run(lease, "finish a delivery",
             [&](pqxx::connection_base& connection) -> absl::StatusOr<bool> {
               pqxx::nontransaction transaction(connection);
               return Exec(transaction, kFinish, lane.user.value, NameOf(lane.channel),
                           lane.endpoint.value(), lane.epoch, results.dump(), NameOf(pace),
                           domain::FormatInstant(attempt.at + attempt.took), paused_until)[0][0]
                   .as<bool>();
             });
}

absl::Status PgDeliveryStore::StopEndpoint(const LeasedLane& leased, const std::string& reason,
                                           Instant now) {
  const DeliveryLane& lane = leased.lane;
  TODO_ASSIGN_OR_RETURN(ConnectionPool::Lease lease, pool_.Acquire());
  return Run(lease, "stop an endpoint", [&](pqxx::connection_base& connection) -> absl::Status {
    // The endpoint first and by itself: nothing more is sent there, even if the next statement
    // fails.
    pqxx::nontransaction transaction(connection);
    const std::string endpoint = lane.endpoint.value();
    const auto stopped = [&] {
      switch (lane.channel) {
        case Channel::kWebhook:
          return Exec(transaction, kDisable, lane.user.value, endpoint, Storable(reason),
                      leased.address);
        case Channel::kPush: return Exec(transaction, kUnsubscribe, lane.user.value, endpoint);
        case Channel::kEmail: break;
      }
      return Exec(transaction, kForgetAddress, lane.user.value, leased.address);
    }();
    if (stopped.affected_rows() == 0) return absl::OkStatus();
    lease.session().StartWaiting();
    Exec(transaction, kStop, lane.user.value, NameOf(lane.channel), endpoint, Storable(reason),
         domain::FormatInstant(now));
    return absl::OkStatus();
  });
}

}  // namespace todo::store

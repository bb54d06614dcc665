// The delivery log of webhook endpoints, a part of PgNotificationStore.

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "store/notification_rows.h"
#include "store/pg_notification_store.h"
#include "store/row_values.h"
#include "store/session.h"
#include "store/time_cursor.h"
#include "util/status.h"

namespace todo::store {
namespace {

using domain::Instant;
using domain::UserId;
using domain::Uuid;
using nlohmann::json;
using ports::DeliveryState;
using ports::LoggedDelivery;

constexpr char kDeliveryColumns[] = R"sql(
    id, event_id, kind, state, micros(created_at),
    case when state = 'pending' then micros(due_at) end, attempts)sql";
constexpr Statement kEndpointOfDelivery{"delivery_target", R"sql(
select e.id, e.host, e.disabled_reason
from deliveries d join webhook_endpoints e on e.user_id = d.user_id and e.id = d.target
where d.user_id = $1 and d.id = $2 and d.channel = 'webhook')sql"};
constexpr Statement kQueueLane{"delivery_queue_lane", R"sql(
insert into delivery_lanes as l (user_id, channel, target, host, pace, due_at)
values ($1, 'webhook', $2, $3, 'new', $4)
on conflict (user_id, channel, target) do update
    set due_at = least(l.due_at, greatest(excluded.due_at, l.paused_until)))sql"};
// The log keeps the last 20 attempts; the new schedule adds nine at most.
constexpr Statement kRedeliver{"delivery_again", R"sql(
update deliveries d
set state = 'pending', failures = 0, due_at = $3, queued_at = $3, finished_at = null,
    attempts = (select coalesce(jsonb_agg(a.attempt order by a.n), '[]')
                from jsonb_array_elements(d.attempts) with ordinality a (attempt, n)
                where a.n > jsonb_array_length(d.attempts) - 20)
where d.user_id = $1 and d.id = $2 and d.state <> 'pending')sql"};

LoggedDelivery DeliveryOf(const pqxx::row& row) {
  LoggedDelivery delivery;
  delivery.id = UuidOf(row[0]);
  delivery.event_id = domain::EventId{UuidOf(row[1])};
  delivery.kind = row[2].as<std::string>();
  delivery.state = View(row[3]) == "pending"     ? DeliveryState::kPending
                   : View(row[3]) == "delivered" ? DeliveryState::kDelivered
                                                 : DeliveryState::kFailed;
  delivery.created_at = InstantOf(row[4]);
  delivery.next_attempt_at = MaybeInstant(row[5]);
  for (const json& attempt : json::parse(View(row[6]))) {
    delivery.attempts.push_back(
        {.at = domain::ParseInstant(attempt.value("at", "")).value_or(Instant()),
         .outcome = attempt.value("outcome", ""),
         .status_code = attempt.value("status", 0),
         .detail = attempt.value("detail", ""),
         .took = std::chrono::milliseconds(attempt.value("took_ms", std::int64_t{0}))});
  }
  return delivery;
}

}  // namespace

absl::StatusOr<ports::DeliveryPage> PgNotificationStore::ListDeliveries(const UserId& user,
                                                                        const Uuid& endpoint,
                                                                        int limit,
                                                                        const std::string& cursor) {
  TODO_ASSIGN_OR_RETURN(const TimeCursor position, DecodeTimeCursor(cursor));
  static const std::string sql = fmt::format(
      "select {} from deliveries where user_id = $1 and target = $2 and channel = 'webhook' and "
      "(created_at, id) < ('epoch'::timestamptz + $3::bigint * interval '1 us', $4::uuid) "
      "order by created_at desc, id desc limit $5",
      kDeliveryColumns);
  return Once(pool_, "list deliveries",
              [&](pqxx::transaction_base& transaction) -> absl::StatusOr<ports::DeliveryPage> {
                TODO_RETURN_IF_ERROR(ReadEndpoint(transaction, user, endpoint).status());
                ports::DeliveryPage page;
                for (const pqxx::row& row :
                     Exec(transaction, "delivery_log", sql, user.value, endpoint.value(),
                          position.at.time_since_epoch().count(), position.id.value(), limit + 1)) {
                  if (page.deliveries.size() == static_cast<std::size_t>(limit)) {
                    const LoggedDelivery& last = page.deliveries.back();
                    page.next_cursor = EncodeTimeCursor({last.created_at, last.id});
                    break;
                  }
                  page.deliveries.push_back(DeliveryOf(row));
                }
                return page;
              });
}

absl::StatusOr<LoggedDelivery> PgNotificationStore::Redeliver(const UserId& user,
                                                              const Uuid& delivery, Instant now) {
  static const std::string sql = fmt::format(
      "select {} from deliveries where user_id = $1 and id = $2 and channel = 'webhook'",
      kDeliveryColumns);
  auto result = Transact(
      pool_, "redeliver",
      [&](pqxx::transaction_base& transaction) -> absl::StatusOr<LoggedDelivery> {
        const std::string at = domain::FormatInstant(now);
        const pqxx::result endpoint =
            Exec(transaction, kEndpointOfDelivery, user.value, delivery.value());
        if (endpoint.empty()) return NoSuch("webhook delivery");
        if (!View(endpoint[0][2]).empty()) {
          return util::WithReason(
              absl::FailedPreconditionError("the delivery's endpoint is disabled: enable it with "
                                            "UpdateWebhookEndpoint first"),
              "ENDPOINT_DISABLED");
        }
        // The lane is locked before its deliveries, in this order everywhere.
        Exec(transaction, kQueueLane, user.value, endpoint[0][0].as<std::string>(),
             endpoint[0][1].as<std::string>(), at);
        if (Exec(transaction, kRedeliver, user.value, delivery.value(), at).affected_rows() == 0) {
          return util::WithReason(
              absl::FailedPreconditionError("the delivery is still on its schedule: it will be "
                                            "tried at its next_attempt_at"),
              "DELIVERY_PENDING");
        }
        const pqxx::result found =
            Exec(transaction, "delivery_get", sql, user.value, delivery.value());
        if (found.empty()) return NoSuch("webhook delivery");
        return DeliveryOf(found[0]);
      });
  TellOf(result.status());
  return result;
}

}  // namespace todo::store

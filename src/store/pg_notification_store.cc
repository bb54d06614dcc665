#include "store/pg_notification_store.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <utility>

#include "absl/strings/escaping.h"
#include "absl/strings/numbers.h"
#include "store/reminder_columns.h"
#include "store/session.h"
#include "util/status.h"

namespace todo::store {
namespace {

using domain::Instant;
using domain::UserId;
using domain::Uuid;
using nlohmann::json;
using ports::DeliveryState;
using ports::LoggedDelivery;
using ports::PushSubscription;
using ports::WebhookEndpoint;

const std::optional<std::string> kAll;
constexpr char kNobody[] = "00000000-0000-0000-0000-000000000000";

constexpr Statement kList{"notification_list", R"sql(
select id, task_id, title, (extract(epoch from remind_at) * 1000000)::bigint,
       (extract(epoch from due_at) * 1000000)::bigint, time_zone, late, (extract(epoch from at) * 1000000)::bigint,
       (extract(epoch from read_at) * 1000000)::bigint, coalesce(due_kind, ''), coalesce(local_time(due_local), '')
from notifications
where user_id = $1 and shown and (not $2 or read_at is null)
  and (at, id) < ('epoch'::timestamptz + $3::bigint * interval '1 us', $4::uuid)
order by at desc, id desc limit $5)sql"};

constexpr Statement kCountUnread{"notification_unread", R"sql(
select count(*) from notifications where user_id = $1 and shown and read_at is null)sql"};

constexpr Statement kMarkRead{"notification_mark_read", R"sql(
update notifications set read_at = $3
where user_id = $1 and shown and read_at is null and ($2::uuid[] is null or id = any ($2::uuid[])))sql"};

// The user's lock makes counting and adding one step.
constexpr Statement kLockUser{"notification_lock_user", "select lock_users(array[$1::text])"};
constexpr Statement kCountEndpoints{
    "endpoint_count", "select count(*) from webhook_endpoints where user_id = $1 and id <> $2"};
constexpr Statement kAddEndpoint{"endpoint_add", R"sql(
insert into webhook_endpoints (user_id, id, url, host, reminders, task_events, fingerprint, created_at)
values ($1, $2, $3, $4, $5, $6, $7, $8) on conflict do nothing)sql"};
// Like every call: the first answer stands. All that is to be kept of it is when it was, for the
// content of the call is the same.
constexpr Statement kFirstCreation{"endpoint_first_creation", R"sql(
select fingerprint = $3, (extract(epoch from at) * 1000000)::bigint from requests
where user_id = $1 and request_id = $2)sql"};
constexpr Statement kRememberCreation{"endpoint_remember_creation", R"sql(
insert into requests (user_id, request_id, fingerprint, at) values ($1, $2, $3, $4))sql"};
constexpr Statement kEndpointFingerprint{"endpoint_fingerprint", R"sql(
select fingerprint = $3 from webhook_endpoints where user_id = $1 and id = $2)sql"};
// Of all ids, or of one.
constexpr Statement kReadEndpoints{"endpoint_read", R"sql(
select id, url, host, reminders, task_events, secret_version,
       case when previous_until > '-infinity' then (extract(epoch from previous_until) * 1000000)::bigint end,
       disabled_reason, (extract(epoch from created_at) * 1000000)::bigint, previous_count
from webhook_endpoints where user_id = $1 and ($2::uuid is null or id = $2::uuid) order by created_at, id)sql"};
constexpr Statement kUpdateEndpoint{"endpoint_update", R"sql(
update webhook_endpoints
set url = coalesce($3, url), host = case when $3::text is null then host else $4 end,
    reminders = coalesce($5, reminders), task_events = coalesce($6, task_events),
    disabled_reason = coalesce($7, disabled_reason)
where user_id = $1 and id = $2)sql"};
// Another URL is another target: nobody knows yet how quickly it answers, and it has asked for no
// pause.
constexpr Statement kMoveLane{"endpoint_move_lane", R"sql(
update delivery_lanes l
set host = $3, pace = 'new', paused_until = '-infinity',
    due_at = coalesce((select min(d.due_at) from deliveries d
                       where d.user_id = $1 and d.channel = 'webhook' and d.target = $2 and d.state = 'pending'),
                      'infinity')
where l.user_id = $1 and l.channel = 'webhook' and l.target = $2)sql"};
constexpr Statement kRemoveEndpoint{"endpoint_remove",
                                    "delete from webhook_endpoints where user_id = $1 and id = $2"};
constexpr Statement kRemoveLane{"notification_remove_lane", "select remove_lane($1, $2, $3)"};
constexpr Statement kRotate{"endpoint_rotate", R"sql(
update webhook_endpoints
set secret_version = secret_version + 1, previous_until = $4,
    previous_count = case when previous_until > $5 then least(previous_count + 1, $6) else 1 end,
    rotation_ids = (rotation_ids || $3::uuid)[greatest(cardinality(rotation_ids) - 98, 1):]
where user_id = $1 and id = $2 and not $3::uuid = any (rotation_ids))sql"};
constexpr Statement kWantTaskEvents{"endpoint_want_task_events", R"sql(
select distinct user_id from webhook_endpoints
where user_id = any ($1::text[]) and task_events and disabled_reason = '')sql"};

constexpr char kDeliveryColumns[] = R"sql(
    id, event_id, kind, state, (extract(epoch from created_at) * 1000000)::bigint,
    case when state = 'pending' then (extract(epoch from due_at) * 1000000)::bigint end, attempts)sql";
constexpr Statement kTargetOfDelivery{"delivery_target", R"sql(
select e.id, e.host, e.disabled_reason
from deliveries d join webhook_endpoints e on e.user_id = d.user_id and e.id = d.target
where d.user_id = $1 and d.id = $2 and d.channel = 'webhook')sql"};
constexpr Statement kQueueLane{"delivery_queue_lane", R"sql(
insert into delivery_lanes as l (user_id, channel, target, host, pace, due_at)
values ($1, 'webhook', $2, $3, 'new', $4)
on conflict (user_id, channel, target) do update
    set due_at = least(l.due_at, greatest(excluded.due_at, l.paused_until)))sql"};
// The log keeps the last attempts; this schedule adds nine at most.
constexpr Statement kRedeliver{"delivery_again", R"sql(
update deliveries d
set state = 'pending', failures = 0, due_at = $3, queued_at = $3, finished_at = null,
    attempts = (select coalesce(jsonb_agg(a.attempt order by a.n), '[]')
                from jsonb_array_elements(d.attempts) with ordinality a (attempt, n)
                where a.n > jsonb_array_length(d.attempts) - 20)
where d.user_id = $1 and d.id = $2 and d.state <> 'pending')sql"};

constexpr Statement kCountSubscriptions{
    "subscription_count",
    "select count(*) from push_subscriptions where user_id = $1 and endpoint <> $2"};
constexpr Statement kAddSubscription{"subscription_add", R"sql(
insert into push_subscriptions (user_id, id, endpoint, host, p256dh, auth, created_at)
values ($1, $2, $3, $4, $5, $6, $7)
on conflict (user_id, endpoint) do update set p256dh = excluded.p256dh, auth = excluded.auth)sql"};
// A browser that has changed its user: knowing the keys proves that it is the same one.
constexpr Statement kTakeSubscription{"subscription_take", R"sql(
delete from push_subscriptions where endpoint = $2 and user_id <> $1 and p256dh = $3 and auth = $4)sql"};
// Of all endpoints, or of one.
constexpr Statement kReadSubscriptions{"subscription_read", R"sql(
select id, endpoint, host, p256dh, auth, (extract(epoch from created_at) * 1000000)::bigint
from push_subscriptions where user_id = $1 and ($2::text is null or endpoint = $2::text) order by created_at, id)sql"};
constexpr Statement kRemoveSubscription{
    "subscription_remove", "delete from push_subscriptions where user_id = $1 and id = $2"};

constexpr Statement kMailAddress{"mail_address",
                                 "select address from mail_addresses where user_id = $1"};
constexpr Statement kSetMailAddress{"mail_set", R"sql(
insert into mail_addresses (user_id, address) values ($1, $2)
on conflict (user_id) do update set address = excluded.address)sql"};
constexpr Statement kClearMailAddress{"mail_clear",
                                      "delete from mail_addresses where user_id = $1"};

Instant InstantOf(const pqxx::field& microseconds) {
  return Instant(std::chrono::microseconds(microseconds.as<std::int64_t>()));
}
std::optional<Instant> MaybeInstant(const pqxx::field& microseconds) {
  return microseconds.is_null() ? std::nullopt : std::optional(InstantOf(microseconds));
}
Uuid UuidOf(const pqxx::field& field) { return Uuid::Parse(View(field)).value_or(Uuid()); }

absl::Status NoSuch(std::string_view what) {
  return util::WithReason(util::MakeStatus(absl::StatusCode::kNotFound,
                                           fmt::format("there is no such {} of yours", what)),
                          "NOT_FOUND");
}
absl::Status RequestReused() {
  return util::WithReason(
      absl::AlreadyExistsError("this request_id was used for a call with other content: use a new "
                               "one for each call, the same one only to repeat it"),
      "REQUEST_ID_REUSED");
}
absl::Status TooMany(std::string_view what, int limit) {
  return util::WithReason(
      util::MakeStatus(absl::StatusCode::kResourceExhausted,
                       fmt::format("there are {} {} already, which is the limit: remove one first",
                                   limit, what)),
      "LIMIT_REACHED");
}

/// Behind what a page ends: "<microseconds> <id>".
struct Position {
  std::int64_t at = 0;
  std::string id;
};
std::string EncodePosition(Instant at, const Uuid& id) {
  std::string cursor;
  absl::WebSafeBase64Escape(fmt::format("{} {}", at.time_since_epoch().count(), id.value()),
                            &cursor);
  return cursor;
}
absl::StatusOr<Position> DecodePosition(const std::string& cursor) {
  if (cursor.empty()) {
    return Position{domain::kMaxInstant.time_since_epoch().count(),
                    "ffffffff-ffff-ffff-ffff-ffffffffffff"};
  }
  std::string text;
  Position position;
  const bool decoded = cursor.size() < 200 && absl::WebSafeBase64Unescape(cursor, &text);
  const std::size_t space = decoded ? text.find(' ') : std::string::npos;
  if (space == std::string::npos || !Uuid::Parse(std::string_view(text).substr(space + 1)) ||
      !absl::SimpleAtoi(text.substr(0, space), &position.at) || position.at < 0 ||
      position.at > domain::kMaxInstant.time_since_epoch().count()) {
    return util::WithReason(
        absl::InvalidArgumentError("page_token is not one of ours: pass next_page_token of the "
                                   "previous page unchanged, or leave it empty"),
        "INVALID_PAGE_TOKEN");
  }
  position.id = text.substr(space + 1);
  return position;
}

WebhookEndpoint EndpointOf(const pqxx::row& row) {
  return {.id = UuidOf(row[0]),
          .url = row[1].as<std::string>(),
          .host = row[2].as<std::string>(),
          .reminders = row[3].as<bool>(),
          .task_events = row[4].as<bool>(),
          .secret_version = row[5].as<int>(),
          .previous_count = row[9].as<int>(),
          .previous_until = MaybeInstant(row[6]),
          .disabled_reason = row[7].as<std::string>(),
          .created_at = InstantOf(row[8])};
}

PushSubscription SubscriptionOf(const pqxx::row& row) {
  return {.id = UuidOf(row[0]),
          .endpoint = row[1].as<std::string>(),
          .host = row[2].as<std::string>(),
          .p256dh = pqxx::binarystring(row[3]).str(),
          .auth = pqxx::binarystring(row[4]).str(),
          .created_at = InstantOf(row[5])};
}

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

absl::StatusOr<WebhookEndpoint> ReadEndpoint(pqxx::transaction_base& transaction,
                                             const UserId& user, const Uuid& id) {
  const pqxx::result found = Exec(transaction, kReadEndpoints, user.value, id.value());
  if (found.empty()) return NoSuch("webhook endpoint");
  return EndpointOf(found[0]);
}

/// What PgNotificationStore::FindAdded answers.
absl::StatusOr<std::optional<WebhookEndpoint>> FindAddedIn(
    pqxx::transaction_base& transaction, const UserId& user, const WebhookEndpoint& endpoint,
    const std::string& fingerprint, const std::optional<domain::RequestId>& request_id) {
  const std::string content = ByteaLiteral(fingerprint);
  if (request_id) {
    const pqxx::result first =
        Exec(transaction, kFirstCreation, user.value, request_id->value(), content);
    if (!first.empty()) {
      if (!first[0][0].as<bool>()) return RequestReused();
      WebhookEndpoint answer = endpoint;
      answer.created_at = InstantOf(first[0][1]);
      return answer;
    }
  }
  const pqxx::result known =
      Exec(transaction, kEndpointFingerprint, user.value, endpoint.id.value(), content);
  if (known.empty()) return std::nullopt;
  if (!known[0][0].as<bool>()) return RequestReused();
  return ReadEndpoint(transaction, user, endpoint.id);
}

}  // namespace

template <typename Work>
auto PgNotificationStore::TransactAndTell(std::string_view attempted, const Work& work) {
  auto result = Transact(pool_, attempted, work);
  // When the outcome is unknown there may be something to do; a look in vain does no harm.
  if ((result.ok() || absl::IsUnknown(result.status())) && on_delivery_) on_delivery_();
  return result;
}

absl::StatusOr<ports::NotificationPage> PgNotificationStore::List(const UserId& user,
                                                                  bool unread_only, int limit,
                                                                  const std::string& cursor) {
  TODO_ASSIGN_OR_RETURN(const Position position, DecodePosition(cursor));
  return Once(pool_, "list notifications",
              [&](pqxx::transaction_base& transaction) -> absl::StatusOr<ports::NotificationPage> {
                ports::NotificationPage page;
                page.unread_count =
                    Exec(transaction, kCountUnread, user.value)[0][0].as<std::int64_t>();
                for (const pqxx::row& row : Exec(transaction, kList, user.value, unread_only,
                                                 position.at, position.id, limit + 1)) {
                  if (page.notifications.size() == static_cast<std::size_t>(limit)) {
                    const ports::Notification& last = page.notifications.back();
                    page.next_cursor = EncodePosition(last.at, last.reminder.id.uuid);
                    break;
                  }
                  ports::Notification& notification = page.notifications.emplace_back();
                  notification.reminder = {
                      .id = domain::EventId{UuidOf(row[0])},
                      .task_id = domain::TaskId{row[1].as<std::int64_t>()},
                      .title = row[2].as<std::string>(),
                      .remind_at = InstantOf(row[3]),
                      .due = DecodeDue(View(row[9]), View(row[10]), MaybeInstant(row[4])),
                      .time_zone = row[5].as<std::string>(),
                      .late = row[6].as<bool>()};
                  notification.at = InstantOf(row[7]);
                  notification.read_at = MaybeInstant(row[8]);
                }
                return page;
              });
}

absl::StatusOr<int> PgNotificationStore::MarkRead(const UserId& user,
                                                  const std::optional<std::vector<Uuid>>& ids,
                                                  Instant now) {
  std::optional<std::string> wanted;
  if (ids) wanted = ArrayLiteralOf(*ids, [](const Uuid& id) { return id.value(); });
  return Once(pool_, "mark notifications read",
              [&](pqxx::transaction_base& transaction) -> absl::StatusOr<int> {
                return static_cast<int>(
                    Exec(transaction, kMarkRead, user.value, wanted, domain::FormatInstant(now))
                        .affected_rows());
              });
}

absl::StatusOr<std::optional<WebhookEndpoint>> PgNotificationStore::FindAdded(
    const UserId& user, const WebhookEndpoint& endpoint, const std::string& fingerprint,
    const std::optional<domain::RequestId>& request_id) {
  return Once(pool_, "find an added webhook endpoint", [&](pqxx::transaction_base& transaction) {
    return FindAddedIn(transaction, user, endpoint, fingerprint, request_id);
  });
}

absl::StatusOr<WebhookEndpoint> PgNotificationStore::AddEndpoint(
    const UserId& user, const WebhookEndpoint& endpoint, const std::string& fingerprint,
    const std::optional<domain::RequestId>& request_id) {
  return Transact(
      pool_, "add a webhook endpoint",
      [&](pqxx::transaction_base& transaction) -> absl::StatusOr<WebhookEndpoint> {
        Exec(transaction, kLockUser, user.value);
        TODO_ASSIGN_OR_RETURN(std::optional<WebhookEndpoint> added,
                              FindAddedIn(transaction, user, endpoint, fingerprint, request_id));
        if (added) return *std::move(added);
        const std::string id = endpoint.id.value();
        if (Exec(transaction, kCountEndpoints, user.value, id)[0][0].as<int>() >=
            domain::kMaxWebhookEndpoints) {
          return TooMany("webhook endpoints", domain::kMaxWebhookEndpoints);
        }
        const std::string content = ByteaLiteral(fingerprint);
        const std::string now = domain::FormatInstant(endpoint.created_at);
        Exec(transaction, kAddEndpoint, user.value, id, endpoint.url, endpoint.host,
             endpoint.reminders, endpoint.task_events, content, now);
        if (request_id)
          Exec(transaction, kRememberCreation, user.value, request_id->value(), content, now);
        return ReadEndpoint(transaction, user, endpoint.id);
      });
}

absl::StatusOr<std::vector<WebhookEndpoint>> PgNotificationStore::ListEndpoints(
    const UserId& user) {
  using Endpoints = std::vector<WebhookEndpoint>;
  return Once(pool_, "list webhook endpoints",
              [&](pqxx::transaction_base& transaction) -> absl::StatusOr<Endpoints> {
                Endpoints endpoints;
                for (const pqxx::row& row : Exec(transaction, kReadEndpoints, user.value, kAll))
                  endpoints.push_back(EndpointOf(row));
                return endpoints;
              });
}

absl::StatusOr<WebhookEndpoint> PgNotificationStore::GetEndpoint(const UserId& user,
                                                                 const Uuid& id) {
  return Once(pool_, "get a webhook endpoint", [&](pqxx::transaction_base& transaction) {
    return ReadEndpoint(transaction, user, id);
  });
}

absl::StatusOr<WebhookEndpoint> PgNotificationStore::UpdateEndpoint(
    const UserId& user, const Uuid& id, const ports::WebhookPatch& patch) {
  return TransactAndTell(
      "update a webhook endpoint",
      [&](pqxx::transaction_base& transaction) -> absl::StatusOr<WebhookEndpoint> {
        TODO_ASSIGN_OR_RETURN(const WebhookEndpoint before, ReadEndpoint(transaction, user, id));
        Exec(transaction, kUpdateEndpoint, user.value, id.value(), patch.url, patch.host,
             patch.reminders, patch.task_events, patch.disabled_reason);
        if (patch.url && *patch.url != before.url)
          Exec(transaction, kMoveLane, user.value, id.value(), patch.host);
        return ReadEndpoint(transaction, user, id);
      });
}

absl::Status PgNotificationStore::RemoveEndpoint(const UserId& user, const Uuid& id) {
  return Transact(
      pool_, "remove a webhook endpoint", [&](pqxx::transaction_base& transaction) -> absl::Status {
        if (Exec(transaction, kRemoveEndpoint, user.value, id.value()).affected_rows() == 0)
          return NoSuch("webhook endpoint");
        Exec(transaction, kRemoveLane, user.value, "webhook", id.value());
        return absl::OkStatus();
      });
}

absl::StatusOr<WebhookEndpoint> PgNotificationStore::RotateSecret(
    const UserId& user, const Uuid& id, const ports::SecretRotation& rotation) {
  return Transact(pool_, "rotate a webhook secret",
                  [&](pqxx::transaction_base& transaction) -> absl::StatusOr<WebhookEndpoint> {
                    Exec(transaction, kRotate, user.value, id.value(), rotation.id.value(),
                         domain::FormatInstant(rotation.previous_until),
                         domain::FormatInstant(rotation.now), domain::kMaxPreviousSecrets);
                    return ReadEndpoint(transaction, user, id);
                  });
}

absl::StatusOr<std::set<UserId>> PgNotificationStore::WantTaskEvents(
    const std::set<UserId>& users) {
  using Users = std::set<UserId>;
  return Once(
      pool_, "look for webhooks",
      [&](pqxx::transaction_base& transaction) -> absl::StatusOr<Users> {
        Users found;
        const auto name = [](const UserId& user) { return user.value; };
        for (const pqxx::row& row : Exec(transaction, kWantTaskEvents, ArrayLiteralOf(users, name)))
          found.insert(UserId{row[0].as<std::string>()});
        return found;
      });
}

absl::StatusOr<ports::DeliveryPage> PgNotificationStore::ListDeliveries(const UserId& user,
                                                                        const Uuid& endpoint,
                                                                        int limit,
                                                                        const std::string& cursor) {
  TODO_ASSIGN_OR_RETURN(const Position position, DecodePosition(cursor));
  static const std::string sql = fmt::format(
      "select {} from deliveries where user_id = $1 and target = $2 and channel = 'webhook' and "
      "(created_at, id) < ('epoch'::timestamptz + $3::bigint * interval '1 us', $4::uuid) "
      "order by created_at desc, id desc limit $5",
      kDeliveryColumns);
  return Once(
      pool_, "list deliveries",
      [&](pqxx::transaction_base& transaction) -> absl::StatusOr<ports::DeliveryPage> {
        TODO_RETURN_IF_ERROR(ReadEndpoint(transaction, user, endpoint).status());
        ports::DeliveryPage page;
        for (const pqxx::row& row : Exec(transaction, "delivery_log", sql, user.value,
                                         endpoint.value(), position.at, position.id, limit + 1)) {
          if (page.deliveries.size() == static_cast<std::size_t>(limit)) {
            const LoggedDelivery& last = page.deliveries.back();
            page.next_cursor = EncodePosition(last.created_at, last.id);
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
  return TransactAndTell(
      "redeliver", [&](pqxx::transaction_base& transaction) -> absl::StatusOr<LoggedDelivery> {
        const std::string at = domain::FormatInstant(now);
        const pqxx::result target =
            Exec(transaction, kTargetOfDelivery, user.value, delivery.value());
        if (target.empty()) return NoSuch("webhook delivery");
        if (!View(target[0][2]).empty()) {
          return util::WithReason(
              absl::FailedPreconditionError("the delivery's endpoint is disabled: enable it with "
                                            "UpdateWebhookEndpoint first"),
              "ENDPOINT_DISABLED");
        }
        // The lane first, as all do who change its deliveries.
        Exec(transaction, kQueueLane, user.value, target[0][0].as<std::string>(),
             target[0][1].as<std::string>(), at);
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
}

absl::StatusOr<PushSubscription> PgNotificationStore::AddSubscription(
    const UserId& user, const PushSubscription& added) {
  return Transact(
      pool_, "add a push subscription",
      [&](pqxx::transaction_base& transaction) -> absl::StatusOr<PushSubscription> {
        Exec(transaction, kLockUser, user.value);
        if (Exec(transaction, kCountSubscriptions, user.value, added.endpoint)[0][0].as<int>() >=
            domain::kMaxPushSubscriptions) {
          return TooMany("push subscriptions", domain::kMaxPushSubscriptions);
        }
        Exec(transaction, kTakeSubscription, user.value, added.endpoint, ByteaLiteral(added.p256dh),
             ByteaLiteral(added.auth));
        Exec(transaction, kAddSubscription, user.value, added.id.value(), added.endpoint,
             added.host, ByteaLiteral(added.p256dh), ByteaLiteral(added.auth),
             domain::FormatInstant(added.created_at));
        return SubscriptionOf(Exec(transaction, kReadSubscriptions, user.value, added.endpoint)[0]);
      });
}

absl::StatusOr<std::vector<PushSubscription>> PgNotificationStore::ListSubscriptions(
    const UserId& user) {
  using Subscriptions = std::vector<PushSubscription>;
  return Once(pool_, "list push subscriptions",
              [&](pqxx::transaction_base& transaction) -> absl::StatusOr<Subscriptions> {
                Subscriptions subscriptions;
                for (const pqxx::row& row : Exec(transaction, kReadSubscriptions, user.value, kAll))
                  subscriptions.push_back(SubscriptionOf(row));
                return subscriptions;
              });
}

absl::Status PgNotificationStore::RemoveSubscription(const UserId& user, const Uuid& id) {
  return Transact(
      pool_, "remove a push subscription",
      [&](pqxx::transaction_base& transaction) -> absl::Status {
        if (Exec(transaction, kRemoveSubscription, user.value, id.value()).affected_rows() == 0)
          return NoSuch("push subscription");
        Exec(transaction, kRemoveLane, user.value, "push", id.value());
        return absl::OkStatus();
      });
}

absl::StatusOr<std::string> PgNotificationStore::MailAddress(const UserId& user) {
  return Once(pool_, "get a mail address",
              [&](pqxx::transaction_base& transaction) -> absl::StatusOr<std::string> {
                const pqxx::result found = Exec(transaction, kMailAddress, user.value);
                return found.empty() ? std::string() : found[0][0].as<std::string>();
              });
}

absl::Status PgNotificationStore::SetMailAddress(const UserId& user, const std::string& address) {
  return Transact(pool_, "set a mail address",
                  [&](pqxx::transaction_base& transaction) -> absl::Status {
                    if (address.empty()) {
                      Exec(transaction, kClearMailAddress, user.value);
                      Exec(transaction, kRemoveLane, user.value, "email", kNobody);
                    } else {
                      Exec(transaction, kSetMailAddress, user.value, address);
                    }
                    return absl::OkStatus();
                  });
}

}  // namespace todo::store

// The webhook endpoints of PgNotificationStore.

#include "store/notification_rows.h"
#include "store/pg_notification_store.h"
#include "store/row_values.h"
#include "store/session.h"
#include "util/status.h"

namespace todo::store {
namespace {

using domain::Instant;
using domain::UserId;
using domain::Uuid;
using ports::WebhookEndpoint;

constexpr Statement kCountEndpoints{
    "endpoint_count", "select count(*) from webhook_endpoints where user_id = $1 and id <> $2"};
constexpr Statement kAddEndpoint{"endpoint_add", R"sql(
insert into webhook_endpoints (user_id, id, url, host, reminders, task_events, fingerprint, created_at)
values ($1, $2, $3, $4, $5, $6, $7, $8) on conflict do nothing)sql"};
// A repeated request gets the first answer. Only its time is kept: the content of the call is the
// same.
constexpr Statement kFirstCreation{"endpoint_first_creation", R"sql(
select fingerprint = $3, micros(at) from requests
where user_id = $1 and request_id = $2)sql"};
constexpr Statement kRememberCreation{"endpoint_remember_creation", R"sql(
insert into requests (user_id, request_id, fingerprint, at) values ($1, $2, $3, $4))sql"};
constexpr Statement kEndpointFingerprint{"endpoint_fingerprint", R"sql(
select fingerprint = $3 from webhook_endpoints where user_id = $1 and id = $2)sql"};
constexpr Statement kUpdateEndpoint{"endpoint_update", R"sql(
update webhook_endpoints
set url = coalesce($3, url), host = case when $3::text is null then host else $4 end,
    reminders = coalesce($5, reminders), task_events = coalesce($6, task_events),
    disabled_reason = coalesce($7, disabled_reason)
where user_id = $1 and id = $2)sql"};
// Behind another URL is another server: its pace is not known yet, and it has asked for no pause.
constexpr Statement kMoveLane{"endpoint_move_lane", R"sql(
update delivery_lanes l
set host = $3, pace = 'new', paused_until = '-infinity',
    due_at = coalesce((select min(d.due_at) from deliveries d
                       where d.user_id = $1 and d.channel = 'webhook' and d.target = $2 and d.state = 'pending'),
                      'infinity')
where l.user_id = $1 and l.channel = 'webhook' and l.target = $2)sql"};
constexpr Statement kRemoveEndpoint{"endpoint_remove",
                                    "delete from webhook_endpoints where user_id = $1 and id = $2"};
constexpr Statement kRotate{"endpoint_rotate", R"sql(
update webhook_endpoints
set secret_version = secret_version + 1, previous_until = $4,
    previous_count = case when previous_until > $5 then least(previous_count + 1, $6) else 1 end,
    rotation_ids = (rotation_ids || $3::uuid)[greatest(cardinality(rotation_ids) - 98, 1):]
where user_id = $1 and id = $2 and not $3::uuid = any (rotation_ids))sql"};
constexpr Statement kWantTaskEvents{"endpoint_want_task_events", R"sql(
select distinct user_id from webhook_endpoints
where user_id = any ($1::text[]) and task_events and disabled_reason = '')sql"};

absl::Status RequestReused() {
  return util::WithReason(
      absl::AlreadyExistsError("this request_id was used for a call with other content: use a new "
                               "one for each call, the same one only to repeat it"),
      "REQUEST_ID_REUSED");
}
/// The answer of PgNotificationStore::FindAdded.
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
        LockUser(transaction, user);
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
                return ReadEndpoints(transaction, user);
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
  auto result = Transact(
      pool_, "update a webhook endpoint",
      [&](pqxx::transaction_base& transaction) -> absl::StatusOr<WebhookEndpoint> {
        TODO_ASSIGN_OR_RETURN(const WebhookEndpoint before, ReadEndpoint(transaction, user, id));
        Exec(transaction, kUpdateEndpoint, user.value, id.value(), patch.url, patch.host,
             patch.reminders, patch.task_events, patch.disabled_reason);
        if (patch.url && *patch.url != before.url)
          Exec(transaction, kMoveLane, user.value, id.value(), patch.host);
        return ReadEndpoint(transaction, user, id);
      });
  TellOf(result.status());
  return result;
}

absl::Status PgNotificationStore::RemoveEndpoint(const UserId& user, const Uuid& id) {
  return Transact(
      pool_, "remove a webhook endpoint", [&](pqxx::transaction_base& transaction) -> absl::Status {
        if (Exec(transaction, kRemoveEndpoint, user.value, id.value()).affected_rows() == 0)
          return NoSuch("webhook endpoint");
        RemoveLane(transaction, user, "webhook", id.value());
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

}  // namespace todo::store

// The push subscriptions and e-mail addresses of PgNotificationStore.

#include "store/notification_rows.h"
#include "store/pg_notification_store.h"
#include "store/row_values.h"
#include "store/session.h"
#include "util/status.h"

namespace todo::store {
namespace {

using domain::UserId;
using domain::Uuid;
using ports::PushSubscription;

const std::optional<std::string> kAll;
constexpr char kNoEndpoint[] = "00000000-0000-0000-0000-000000000000";  // of e-mail

constexpr Statement kCountSubscriptions{
    "subscription_count",
    "select count(*) from push_subscriptions where user_id = $1 and endpoint <> $2"};
constexpr Statement kAddSubscription{"subscription_add", R"sql(
insert into push_subscriptions (user_id, id, endpoint, host, p256dh, auth, created_at)
values ($1, $2, $3, $4, $5, $6, $7)
on conflict (user_id, endpoint) do update set p256dh = excluded.p256dh, auth = excluded.auth)sql"};
// When a browser signs in as another user, the subscription moves: the same keys prove that it is
// the same browser.
constexpr Statement kTakeSubscription{"subscription_take", R"sql(
delete from push_subscriptions where endpoint = $2 and user_id <> $1 and p256dh = $3 and auth = $4)sql"};
// Of the user, or the one with this endpoint.
constexpr Statement kReadSubscriptions{"subscription_read", R"sql(
select id, endpoint, host, p256dh, auth, micros(created_at)
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

PushSubscription SubscriptionOf(const pqxx::row& row) {
  return {.id = UuidOf(row[0]),
          .endpoint = row[1].as<std::string>(),
          .host = row[2].as<std::string>(),
          .p256dh = pqxx::binarystring(row[3]).str(),
          .auth = pqxx::binarystring(row[4]).str(),
          .created_at = InstantOf(row[5])};
}

}  // namespace

absl::StatusOr<PushSubscription> PgNotificationStore::AddSubscription(
    const UserId& user, const PushSubscription& added) {
  return Transact(
      pool_, "add a push subscription",
      [&](pqxx::transaction_base& transaction) -> absl::StatusOr<PushSubscription> {
        LockUser(transaction, user);
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
        RemoveLane(transaction, user, "push", id.value());
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
                      RemoveLane(transaction, user, "email", kNoEndpoint);
                    } else {
                      Exec(transaction, kSetMailAddress, user.value, address);
                    }
                    return absl::OkStatus();
                  });
}

}  // namespace todo::store

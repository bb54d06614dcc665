#include "store/notification_rows.h"

#include <fmt/format.h>

#include <string>

#include "store/row_values.h"
#include "util/status.h"

namespace todo::store {
namespace {

using domain::UserId;
using domain::Uuid;
using ports::WebhookEndpoint;

constexpr Statement kLockUser{"notification_lock_user", "select lock_users(array[$1::text])"};
// Of the user, or the one with this id.
constexpr Statement kReadEndpoints{"endpoint_read", R"sql(
select id, url, host, reminders, task_events, secret_version,
       case when previous_until > '-infinity' then micros(previous_until) end,
       disabled_reason, micros(created_at), previous_count
from webhook_endpoints where user_id = $1 and ($2::uuid is null or id = $2::uuid) order by created_at, id)sql"};
constexpr Statement kRemoveLane{"notification_remove_lane", "select remove_lane($1, $2, $3)"};

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

}  // namespace

absl::Status NoSuch(std::string_view what) {
  return util::WithReason(util::MakeStatus(absl::StatusCode::kNotFound,
                                           fmt::format("there is no such {} of yours", what)),
                          "NOT_FOUND");
}

absl::Status TooMany(std::string_view what, int limit) {
  return util::WithReason(
      util::MakeStatus(absl::StatusCode::kResourceExhausted,
                       fmt::format("there are {} {} already, which is the limit: remove one first",
                                   limit, what)),
      "LIMIT_REACHED");
}

void LockUser(pqxx::transaction_base& transaction, const UserId& user) {
  Exec(transaction, kLockUser, user.value);
}

void RemoveLane(pqxx::transaction_base& transaction, const UserId& user, std::string_view channel,
                const std::string& endpoint) {
  Exec(transaction, kRemoveLane, user.value, std::string(channel), endpoint);
}

std::vector<WebhookEndpoint> ReadEndpoints(pqxx::transaction_base& transaction,
                                           const UserId& user) {
  const std::optional<std::string> all;
  std::vector<WebhookEndpoint> endpoints;
  for (const pqxx::row& row : Exec(transaction, kReadEndpoints, user.value, all))
    endpoints.push_back(EndpointOf(row));
  return endpoints;
}

absl::StatusOr<WebhookEndpoint> ReadEndpoint(pqxx::transaction_base& transaction,
                                             const UserId& user, const Uuid& id) {
  const pqxx::result found = Exec(transaction, kReadEndpoints, user.value, id.value());
  if (found.empty()) return NoSuch("webhook endpoint");
  return EndpointOf(found[0]);
}

}  // namespace todo::store

#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "ports/notification_store.h"
#include "store/session.h"

// Inside the room only: parts that the files of PgNotificationStore share. All but the two statuses
// block on the database and throw as it does.

namespace todo::store {

/// kNotFound: the user has no such thing.
absl::Status NoSuch(std::string_view what);
/// kResourceExhausted: the user has `limit` things already.
absl::Status TooMany(std::string_view what, int limit);

/// Holds the user's lock until the transaction ends. It makes counting and adding one step.
void LockUser(pqxx::transaction_base& transaction, const domain::UserId& user);
/// Removes the lane of an endpoint that was removed, with its deliveries.
void RemoveLane(pqxx::transaction_base& transaction, const domain::UserId& user,
                std::string_view channel, const std::string& endpoint);

std::vector<ports::WebhookEndpoint> ReadEndpoints(pqxx::transaction_base& transaction,
                                                  const domain::UserId& user);
/// kNotFound: the user has no such endpoint.
absl::StatusOr<ports::WebhookEndpoint> ReadEndpoint(pqxx::transaction_base& transaction,
                                                    const domain::UserId& user,
                                                    const domain::Uuid& id);

}  // namespace todo::store

#include "store/pg_preferred_zones.h"

#include "store/session.h"

namespace todo::store {
namespace {

constexpr Statement kZoneOf{"preferred_zone",
                            "select time_zone from preferred_zones where user_id = $1"};

constexpr Statement kKeep{"preferred_zone_keep", R"sql(
insert into preferred_zones as z (user_id, time_zone, changed_at) values ($1, $2, $3)
on conflict (user_id) do update set time_zone = excluded.time_zone, changed_at = excluded.changed_at
where z.changed_at < excluded.changed_at)sql"};

}  // namespace

absl::StatusOr<std::string> PgPreferredZones::ZoneOf(const domain::UserId& user) {
  return Read(pool_, "find a user's zone",
              [&](pqxx::transaction_base& transaction) -> absl::StatusOr<std::string> {
                const pqxx::result result = Exec(transaction, kZoneOf, user.value);
                return result.empty() ? "UTC" : result[0][0].as<std::string>();
              });
}

absl::Status PgPreferredZones::Keep(const domain::UserId& user, const std::string& time_zone,
                                    domain::Instant changed_at) {
  return Once(pool_, "keep a user's zone", [&](pqxx::transaction_base& transaction) {
    Exec(transaction, kKeep, user.value, time_zone, domain::FormatInstant(changed_at));
    return absl::OkStatus();
  });
}

}  // namespace todo::store

#include "store/pg_preferred_zones.h"

#include <chrono>
#include <cstdint>

#include "store/session.h"
#include "util/require.h"

namespace todo::store {
namespace {

using domain::Instant;

constexpr Statement kZoneOf{"preferred_zone",
                            "select time_zone from preferred_zones where user_id = $1"};

constexpr Statement kAnnounce{"preferred_zone_announce", R"sql(
insert into preferred_zones as z (user_id, time_zone, changed_at, announced_at) values ($1, 'UTC', '-infinity', $2)
on conflict (user_id) do update set announced_at = greatest(z.announced_at, excluded.announced_at))sql"};

// This ends the announcements up to `changed_at`: they are not later any more.
constexpr Statement kKeep{"preferred_zone_keep", R"sql(
insert into preferred_zones as z (user_id, time_zone, changed_at) values ($1, $2, $3)
on conflict (user_id) do update set time_zone = excluded.time_zone, changed_at = excluded.changed_at
where z.changed_at < excluded.changed_at)sql"};

constexpr Statement kListAnnounced{"preferred_zone_announced", R"sql(
select user_id, micros(announced_at) from preferred_zones
where announced_at > changed_at order by announced_at limit $1)sql"};

constexpr Statement kWithdraw{"preferred_zone_withdraw", R"sql(
update preferred_zones set announced_at = changed_at where user_id = $1 and announced_at = $2)sql"};

}  // namespace

absl::StatusOr<std::string> PgPreferredZones::ZoneOf(const domain::UserId& user) {
  return Read(pool_, "find a user's zone",
              [&](pqxx::transaction_base& transaction) -> absl::StatusOr<std::string> {
                const pqxx::result result = Exec(transaction, kZoneOf, user.value);
                return result.empty() ? "UTC" : result[0][0].as<std::string>();
              });
}

absl::Status PgPreferredZones::Announce(const domain::UserId& user, Instant changed_at) {
  return Once(pool_, "announce a user's zone", [&](pqxx::transaction_base& transaction) {
    Exec(transaction, kAnnounce, user.value, domain::FormatInstant(changed_at));
    return absl::OkStatus();
  });
}

absl::Status PgPreferredZones::Keep(const domain::UserId& user, const std::string& time_zone,
                                    Instant changed_at) {
  return Once(pool_, "keep a user's zone", [&](pqxx::transaction_base& transaction) {
    Exec(transaction, kKeep, user.value, time_zone, domain::FormatInstant(changed_at));
    return absl::OkStatus();
  });
}

absl::StatusOr<std::vector<ports::PreferredZones::Announced>> PgPreferredZones::ListAnnounced(
    int limit) {
  TODO_REQUIRE(limit > 0);
  using List = std::vector<Announced>;
  return Read(pool_, "list announced zones",
              [&](pqxx::transaction_base& transaction) -> absl::StatusOr<List> {
                List announced;
                for (const pqxx::row& row : Exec(transaction, kListAnnounced, limit)) {
                  const std::chrono::microseconds at(row[1].as<std::int64_t>());
                  announced.push_back({domain::UserId{row[0].as<std::string>()}, Instant(at)});
                }
                return announced;
              });
}

absl::Status PgPreferredZones::Withdraw(const Announced& announced) {
  return Once(pool_, "withdraw an announced zone", [&](pqxx::transaction_base& transaction) {
    Exec(transaction, kWithdraw, announced.user.value, domain::FormatInstant(announced.changed_at));
    return absl::OkStatus();
  });
}

}  // namespace todo::store

#include "store/pg_crash_log.h"

#include <utility>

#include "store/retry_columns.h"
#include "store/row_values.h"
#include "store/session.h"

namespace todo::store {
namespace {

constexpr Statement kCountCrashes{"crash_count", "select count_crashes($1)"};

// One round trip for all: the table of suspects is almost always empty. The session keeps the lock
// until it ends; that it counts how often it got the lock does no harm.
constexpr Statement kBegin{"crash_begin", R"sql(
with begun as (
    insert into processing (instance, slot, consumer, days, events, holds_lock)
    values ($1, $2, $3, $4::date[], $5::uuid[], pg_try_advisory_lock_shared(crash_log_key($1)))
    on conflict (instance, slot) do update set consumer = excluded.consumer, days = excluded.days,
                                               events = excluded.events, holds_lock = excluded.holds_lock,
                                               at = now()
)
select event_id, crashes from crash_counts where consumer = $3 and event_id = any ($5::uuid[]))sql"};

constexpr Statement kClear{"crash_clear", "delete from processing where instance = $1"};

}  // namespace

PgCrashLog::PgCrashLog(ConnectionPool& pool, std::string instance)
    : pool_(pool), instance_(std::move(instance)) {}

absl::StatusOr<int> PgCrashLog::CountCrashes() {
  return Once(pool_, "count crashes",
              [&](pqxx::transaction_base& transaction) -> absl::StatusOr<int> {
                return Exec(transaction, kCountCrashes, instance_)[0][0].as<int>();
              });
}

absl::StatusOr<std::map<domain::EventId, int>> PgCrashLog::Begin(
    int slot, std::string_view consumer, const std::vector<domain::EventHeader>& events) {
  using Crashes = std::map<domain::EventId, int>;
  return Once(
      pool_, "note the events in flight",
      [&](pqxx::transaction_base& transaction) -> absl::StatusOr<Crashes> {
        Crashes crashes;
        for (const pqxx::row& row :
             Exec(transaction, kBegin, instance_, slot, std::string(consumer),
                  ArrayLiteralOf(
                      events, [](const domain::EventHeader& event) { return InboxDay(event.at); }),
                  ArrayLiteralOf(
                      events, [](const domain::EventHeader& event) { return event.id.value(); }))) {
          crashes[domain::EventId{UuidOf(row[0])}] = row[1].as<int>();
        }
        return crashes;
      });
}

absl::Status PgCrashLog::Clear() {
  return Once(pool_, "clear the events in flight", [&](pqxx::transaction_base& transaction) {
    Exec(transaction, kClear, instance_);
    return absl::OkStatus();
  });
}

}  // namespace todo::store

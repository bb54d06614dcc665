#include "store/pg_retry_queue.h"

#include <nlohmann/json.hpp>
#include <utility>

#include "store/retry_columns.h"
#include "store/row_values.h"
#include "store/session.h"
#include "util/require.h"
#include "util/status.h"

namespace todo::store {
namespace {

using domain::Instant;
using nlohmann::json;
using ports::RetryEntry;

constexpr Statement kEnqueue{"retry_enqueue", "select enqueue_retry($1::jsonb, $2::bytea)"};

// Yields at most one entry of each queue: the entries behind it are due at infinity.
constexpr Statement kDue{"retry_due", R"sql(
select consumer, event_id, attempts, micros(first_failed_at),
       micros(due_at), topic, partition, "offset", record_key, content_type, record
from retries where due_at <= $1 and consumer = any ($3::text[]) order by due_at limit $2)sql"};

constexpr Statement kNextDue{"retry_next_due", R"sql(
select micros(due_at)
from retries where due_at < 'infinity' and consumer = any ($1::text[]) order by due_at limit 1)sql"};

constexpr Statement kReschedule{"retry_reschedule", R"sql(
update retries set attempts = attempts + $7::int, first_failed_at = coalesce(first_failed_at, $4),
                   last_failed_at = coalesce($4, last_failed_at), due_at = $5, reason = $6
where consumer = $1 and event_id = $2 and attempts = $3)sql"};

constexpr Statement kAddDeadLetter{"retry_add_dead_letter", R"sql(
select add_dead_letter($1::jsonb, $2::bytea, $3, $4, $5, $6), shard_of($7))sql"};

}  // namespace

PgRetryQueue::PgRetryQueue(ConnectionPool& pool, std::function<void(int shard)> on_message)
    : pool_(pool), on_message_(std::move(on_message)) {}

absl::StatusOr<bool> PgRetryQueue::Enqueue(std::string_view consumer,
                                           const domain::ReceivedEvent& received,
                                           const ports::RetrySchedule& schedule) {
  const domain::EventHeader& event = received.event;
  json row = RetryRow(consumer, event.id, event.at, event.user, event.task_id, received.record);
  row["identity"] = event.identity;
  row["due_at"] = domain::FormatInstant(schedule.due_at);
  if (schedule.failed_at) {
    row["attempts"] = schedule.attempts();
    row["first_failed_at"] = row["last_failed_at"] = domain::FormatInstant(*schedule.failed_at);
  }
  row["reason"] = Storable(schedule.reason);
  return Once(
      pool_, "enqueue an event", [&](pqxx::transaction_base& transaction) -> absl::StatusOr<bool> {
        return Exec(transaction, kEnqueue, row.dump(), ByteaLiteral(received.record.bytes))[0][0]
            .as<bool>();
      });
}

absl::StatusOr<std::vector<RetryEntry>> PgRetryQueue::Due(const std::vector<std::string>& consumers,
                                                          Instant now, int limit) {
  TODO_REQUIRE(limit > 0);
  return Once(pool_, "read retries",
              [&](pqxx::transaction_base& transaction) -> absl::StatusOr<std::vector<RetryEntry>> {
                std::vector<RetryEntry> entries;
                for (const pqxx::row& row : Exec(transaction, kDue, domain::FormatInstant(now),
                                                 limit, ArrayLiteral(consumers))) {
                  RetryEntry entry;
                  entry.consumer = row[0].as<std::string>();
                  entry.event_id = domain::EventId{UuidOf(row[1])};
                  entry.attempts = row[2].as<int>();
                  entry.first_failed_at = MaybeInstant(row[3]);
                  entry.due_at = InstantOf(row[4]);
                  entry.record = RecordOf(row, 5);
                  entry.record.bytes = BytesOf(row[10]);
                  entries.push_back(std::move(entry));
                }
                return entries;
              });
}

absl::StatusOr<std::optional<Instant>> PgRetryQueue::NextDue(
    const std::vector<std::string>& consumers) {
  return Once(pool_, "look for retries",
              [&](pqxx::transaction_base& transaction) -> absl::StatusOr<std::optional<Instant>> {
                const pqxx::result result = Exec(transaction, kNextDue, ArrayLiteral(consumers));
                return result.empty() ? std::nullopt : std::optional(InstantOf(result[0][0]));
              });
}

absl::Status PgRetryQueue::Reschedule(const RetryEntry& entry,
                                      const ports::RetrySchedule& schedule) {
  std::optional<std::string> failed_at;
  if (schedule.failed_at) failed_at = domain::FormatInstant(*schedule.failed_at);
  return Once(pool_, "reschedule a retry", [&](pqxx::transaction_base& transaction) {
    Exec(transaction, kReschedule, entry.consumer, entry.event_id.value(), entry.attempts,
         failed_at, domain::FormatInstant(schedule.due_at), Storable(schedule.reason),
         schedule.attempts());
    return absl::OkStatus();
  });
}

absl::StatusOr<bool> PgRetryQueue::AddDeadLetter(const domain::DeadLetter& letter,
                                                 ports::TakenFrom taken_from, Instant now) {
  json row = RetryRow(letter.consumer, letter.event_id, letter.event_at, letter.user,
                      letter.task_id, letter.record);
  row["id"] = letter.id.value();
  row["identity"] = letter.identity;
  row["has_event_id"] = letter.has_event_id;
  row["attempts"] = letter.attempts;
  row["first_failed_at"] = domain::FormatInstant(letter.first_failed_at);
  row["last_failed_at"] = domain::FormatInstant(letter.last_failed_at);
  row["reason"] = Storable(letter.reason);
  std::optional<int> posted_to;
  absl::StatusOr<bool> added = Once(
      pool_, "add a dead letter", [&](pqxx::transaction_base& transaction) -> absl::StatusOr<bool> {
        const pqxx::row result =
            Exec(transaction, kAddDeadLetter, row.dump(), ByteaLiteral(letter.record.bytes),
                 domain::DeadLetterTopic(letter.record.topic), domain::DeadLetterRecord(letter),
                 taken_from == ports::TakenFrom::kRetryQueue, domain::FormatInstant(now),
                 Storable(letter.record.key))[0];
        if (result[0].as<bool>()) posted_to = result[1].as<int>();
        return posted_to.has_value();
      });
  if (posted_to && on_message_) on_message_(*posted_to);
  return added;
}

}  // namespace todo::store

#include "store/pg_dead_letter_store.h"

#include <fmt/format.h>

#include <array>
#include <utility>

#include "store/retry_columns.h"
#include "store/row_values.h"
#include "store/session.h"
#include "store/time_cursor.h"
#include "util/require.h"
#include "util/status.h"

namespace todo::store {
namespace {

using domain::Instant;
using domain::Uuid;
using ports::DeadLetterFilter;
using ports::DeadLetterState;
using ports::StoredDeadLetter;

// The parameters $1 to $7 are those of a filter. Each condition is true when its field is not set.
constexpr char kMatches[] = R"sql(
    (cardinality($1::uuid[]) = 0 or d.id = any ($1::uuid[])) and ($2 = '' or d.state = $2)
    and ($3 = '' or d.consumer = $3) and ($4 = '' or d.topic = $4) and ($5 = '' or d.user_id = $5)
    and ($6::bigint is null or d.task_id = $6::bigint) and ($7 = ''
         or strpos(lower(d.reason collate "und-x-icu"), lower($7 collate "und-x-icu")) > 0))sql";

constexpr char kColumns[] = R"sql(
    d.id, d.consumer, d.event_id, d.has_event_id, d.user_id, d.task_id, d.attempts,
    micros(d.first_failed_at), micros(d.last_failed_at),
    d.reason, d.topic, d.partition, d."offset", d.record_key, d.content_type, d.state, d.note, d.resolved_by,
    micros(d.resolved_at))sql";

constexpr std::array kStates = {
    std::pair{DeadLetterState::kOpen, std::string_view("open")},
    std::pair{DeadLetterState::kReplayed, std::string_view("replayed")},
    std::pair{DeadLetterState::kDiscarded, std::string_view("discarded")}};

std::string_view NameOf(DeadLetterState state) {
  return kStates[static_cast<std::size_t>(state)].second;
}

DeadLetterState StateOf(std::string_view name) {
  for (const auto& [state, text] : kStates) {
    if (text == name) return state;
  }
  return DeadLetterState::kOpen;
}

StoredDeadLetter ReadDeadLetter(const pqxx::row& row) {
  StoredDeadLetter stored;
  domain::DeadLetter& letter = stored.letter;
  letter.id = UuidOf(row[0]);
  letter.consumer = row[1].as<std::string>();
  letter.event_id = domain::EventId{UuidOf(row[2])};
  letter.has_event_id = row[3].as<bool>();
  letter.user = domain::UserId{row[4].as<std::string>()};
  letter.task_id = domain::TaskId{row[5].as<std::int64_t>()};
  letter.attempts = row[6].as<int>();
  letter.first_failed_at = InstantOf(row[7]);
  letter.last_failed_at = InstantOf(row[8]);
  letter.reason = row[9].as<std::string>();
  letter.record = RecordOf(row, 10);
  stored.state = StateOf(View(row[15]));
  stored.note = row[16].as<std::string>();
  stored.resolved_by = row[17].as<std::string>();
  stored.resolved_at = MaybeInstant(row[18]);
  return stored;
}

/// Runs a statement whose parameters are those of kMatches and then `more`.
template <typename... More>
pqxx::result ExecFiltered(pqxx::transaction_base& transaction, const std::string& name,
                          const std::string& sql, const DeadLetterFilter& filter,
                          const More&... more) {
  const std::string ids = ArrayLiteralOf(filter.ids, [](const Uuid& id) { return id.value(); });
  const std::string state(filter.state ? NameOf(*filter.state) : "");
  std::optional<std::int64_t> task_id;
  if (filter.task_id) task_id = filter.task_id->value;
  return Exec(transaction, name, sql, ids, state, filter.consumer, filter.topic, filter.user,
              task_id, filter.reason, more...);
}

}  // namespace

PgDeadLetterStore::PgDeadLetterStore(ConnectionPool& pool,
                                     std::function<void(Instant due)> on_replay)
    : pool_(pool), on_replay_(std::move(on_replay)) {}

absl::StatusOr<ports::DeadLetterPage> PgDeadLetterStore::List(const DeadLetterFilter& filter,
                                                              int limit,
                                                              const std::string& cursor) {
  TODO_REQUIRE(limit >= 1);
  TODO_ASSIGN_OR_RETURN(const TimeCursor position, DecodeTimeCursor(cursor));
  static const std::string sql = fmt::format(
      "select {} from dead_letters d where {} and (d.last_failed_at, d.id) < ('epoch'::timestamptz "
      "+ $8 * interval '1 us', $9::uuid) "
      "order by d.last_failed_at desc, d.id desc limit $10",
      kColumns, kMatches);
  return Once(pool_, "list dead letters",
              [&](pqxx::transaction_base& transaction) -> absl::StatusOr<ports::DeadLetterPage> {
                ports::DeadLetterPage page;
                const pqxx::result result = ExecFiltered(transaction, "dead_list", sql, filter,
                                                         position.at.time_since_epoch().count(),
                                                         position.id.value(), limit + 1);
                for (const pqxx::row& row : result) {
                  if (page.letters.size() == static_cast<std::size_t>(limit)) {
                    const domain::DeadLetter& last = page.letters.back().letter;
                    page.next_cursor = EncodeTimeCursor({last.last_failed_at, last.id});
                    break;
                  }
                  page.letters.push_back(ReadDeadLetter(row));
                }
                return page;
              });
}

absl::StatusOr<StoredDeadLetter> PgDeadLetterStore::Get(const Uuid& id) {
  static const std::string sql =
      fmt::format("select {}, d.record from dead_letters d where d.id = $1", kColumns);
  return Once(pool_, "get a dead letter",
              [&](pqxx::transaction_base& transaction) -> absl::StatusOr<StoredDeadLetter> {
                const pqxx::result result = Exec(transaction, "dead_get", sql, id.value());
                if (result.empty())
                  return absl::NotFoundError("there is no dead letter with this id");
                StoredDeadLetter stored = ReadDeadLetter(result[0]);
                stored.letter.record.bytes = BytesOf(result[0][19]);
                return stored;
              });
}

absl::StatusOr<int> PgDeadLetterStore::Replay(const DeadLetterFilter& filter, int limit,
                                              const std::string& by, Instant now) {
  // The oldest first, so that the queues keep the order in which the events failed.
  static const std::string sql = fmt::format(
      "select count(*) filter (where replay_dead_letter(x.id, $8, $9)) from (select d.id from "
      "dead_letters d "
      "where {} and d.state = 'open' order by d.first_failed_at, d.id limit $10) x",
      kMatches);
  absl::StatusOr<int> count =
      Once(pool_, "replay dead letters",
           [&](pqxx::transaction_base& transaction) -> absl::StatusOr<int> {
             return ExecFiltered(transaction, "dead_replay", sql, filter, by,
                                 domain::FormatInstant(now), limit)[0][0]
                 .as<int>();
           });
  if (count.ok() && *count > 0 && on_replay_) on_replay_(now);
  return count;
}

absl::StatusOr<int> PgDeadLetterStore::Discard(const DeadLetterFilter& filter, int limit,
                                               const std::string& note, const std::string& by,
                                               Instant now) {
  static const std::string sql = fmt::format(
      "with x as (select d.id from dead_letters d where {} and d.state = 'open' order by "
      "d.first_failed_at, d.id "
      "limit $11 for update) update dead_letters d set state = 'discarded', note = $8, resolved_by "
      "= $9, "
      "resolved_at = $10 from x where d.id = x.id returning 1",
      kMatches);
  return Once(pool_, "discard dead letters",
              [&](pqxx::transaction_base& transaction) -> absl::StatusOr<int> {
                return static_cast<int>(ExecFiltered(transaction, "dead_discard", sql, filter, note,
                                                     by, domain::FormatInstant(now), limit)
                                            .size());
              });
}

}  // namespace todo::store

#include "store/maintenance.h"

#include <fmt/format.h>

#include <string>
#include <string_view>
#include <vector>

#include "store/session.h"
#include "util/log.h"
#include "util/status.h"

namespace todo::store {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using std::chrono::steady_clock;
using namespace std::chrono_literals;

// Making or dropping a partition locks the whole inbox: rather not at all today than in everybody's
// way.
constexpr char kLockTimeout[] = "set local lock_timeout = 500";

constexpr Statement kMissingDays{"missing_inbox_days", "select missing_inbox_days()"};
constexpr Statement kMakeDay{"make_inbox_day", "select make_inbox_day($1::date)"};
constexpr Statement kOldDays{"old_inbox_days", "select old_inbox_days($1)"};

constexpr std::int64_t kPortion = 1000;

/// One kind of rows that are kept for a time. Its statement takes one portion of those that are
/// older than $1 seconds, the oldest first, and answers how many those were and the time of the
/// youngest, which is $2 for the next portion: what went just now is still in the way of a
/// statement that begins at the front.
struct Kind {
  std::string name;
  std::string sql;
  seconds keep;
};

/// The rows of `table` go that are old by their column `at` and of which `condition` is true.
Kind Deleted(std::string_view table, std::string_view at, seconds keep,
             std::string_view condition = "true") {
  static constexpr char kSql[] = R"sql(
with gone as (
    delete from {0} where ctid = any (array(
        select x.ctid from {0} x
        where x.{1} < now() - make_interval(secs => $1) and x.{1} >= $2::timestamptz and {2}
        order by x.{1} limit {3} for update skip locked))
    returning {1})
select count(*), max({1}) from gone)sql";
  return {fmt::format("forget_{}", table), fmt::format(kSql, table, at, condition, kPortion), keep};
}

// Published is what the relay's cursor says: visible in its snapshot and not above its position.
constexpr char kPublished[] = R"sql(
    exists (select from relay_shards s where s.shard = x.shard and x.id <= s.message_position
                                         and pg_visible_in_snapshot(x.xid, nullif(s.snapshot, '')::pg_snapshot)))sql";

constexpr char kDiscardUnreadable[] = R"sql(
with gone as (
    update dead_letters set state = 'discarded', resolved_at = now(), resolved_by = 'todo-service', record = '',
                            note = 'the record could not be read, and no operator replayed or discarded it in time'
    where id = any (array(
        select x.id from dead_letters x
        where x.state = 'open' and not x.has_event_id
          and x.last_failed_at < now() - make_interval(secs => $1) and x.last_failed_at >= $2::timestamptz
        order by x.last_failed_at limit 1000 for update skip locked))
    returning last_failed_at)
select count(*), max(last_failed_at) from gone)sql";

// A row that is still needed is looked at again tomorrow.
constexpr char kForgetForeignTasks[] = R"sql(
with due as (
    select f.user_id, f.series_id, f.keep_until,
           exists (select from tasks t where t.user_id = f.user_id and t.series_id = f.series_id
                                         and t.deleted_at is null and not t.completed) as needed
    from foreign_tasks f
    where f.keep_until < now() - make_interval(secs => $1) and f.keep_until >= $2::timestamptz
    order by f.keep_until limit 1000 for update skip locked
), kept as (
    update foreign_tasks f set keep_until = now() + interval '1 day'
    from due d where f.user_id = d.user_id and f.series_id = d.series_id and d.needed
), gone as (
    delete from foreign_tasks f
    using due d where f.user_id = d.user_id and f.series_id = d.series_id and not d.needed
)
select count(*), max(keep_until) from due)sql";

std::vector<Kind> KindsOf(const KeepOptions& keep) {
  const seconds inbox = 24h * keep.inbox_days;
  return {
      Deleted("inbox_default", "received_at", inbox),
      Deleted("inbox_undated", "received_at", inbox),
      Deleted("requests", "at", keep.requests),
      Deleted("messages", "at", keep.messages, kPublished),
      Deleted("deliveries", "finished_at", keep.deliveries),
      Deleted("notifications", "at", keep.notifications),
      Deleted("dead_letters", "resolved_at", keep.resolved, "x.state <> 'open'"),
      {"discard_unreadable", kDiscardUnreadable, keep.unreadable},
      {"forget_foreign_tasks", kForgetForeignTasks, 0s},  // they say until when they are kept
      Deleted("processing", "at", keep.in_hand),
      Deleted("crash_counts", "at", keep.in_hand),
  };
}

using Rest = std::function<bool(milliseconds)>;

/// Runs `step()`, which answers whether there is more to do, until there is not. False from `rest`
/// ends it, and is the answer.
template <typename Step>
absl::StatusOr<bool> Repeat(const Rest& rest, const Step& step) {
  for (;;) {
    const auto begin = steady_clock::now();
    TODO_ASSIGN_OR_RETURN(const bool more, step());
    if (!rest(std::chrono::ceil<milliseconds>(steady_clock::now() - begin))) return false;
    if (!more) return true;
  }
}

absl::StatusOr<bool> Forget(ConnectionPool& pool, const Rest& rest, const Kind& kind) {
  std::string from = "-infinity";
  return Repeat(rest, [&] {
    return Once(pool, "clean up", [&](pqxx::transaction_base& transaction) -> absl::StatusOr<bool> {
      const pqxx::row row = Exec(transaction, kind.name, kind.sql,
                                 std::chrono::duration<double>(kind.keep).count(), from)[0];
      const auto count = row[0].as<std::int64_t>();
      if (count > 0) from = row[1].as<std::string>();
      return count == kPortion;
    });
  });
}

/// The answers of `statement`, a column of text.
template <typename... Args>
absl::StatusOr<std::vector<std::string>> Ask(ConnectionPool& pool, const Statement& statement,
                                             const Args&... args) {
  using Texts = std::vector<std::string>;
  return Read(pool, "look at the inbox's days",
              [&](pqxx::transaction_base& transaction) -> absl::StatusOr<Texts> {
                Texts texts;
                for (const pqxx::row& row : Exec(transaction, statement, args...))
                  texts.push_back(row[0].as<std::string>());
                return texts;
              });
}

absl::StatusOr<bool> DropDays(ConnectionPool& pool, const Rest& rest, int keep_days) {
  TODO_ASSIGN_OR_RETURN(const std::vector<std::string> days, Ask(pool, kOldDays, keep_days));
  auto day = days.begin();
  if (day == days.end()) return true;
  return Repeat(rest, [&]() -> absl::StatusOr<bool> {
    TODO_RETURN_IF_ERROR(
        Transact(pool, "drop a day of the inbox", [&](pqxx::work& transaction) -> absl::Status {
          transaction.exec(kLockTimeout);
          transaction.exec(fmt::format("drop table if exists {}", transaction.quote_name(*day)));
          return absl::OkStatus();
        }));
    return ++day != days.end();
  });
}

}  // namespace

absl::Status MakeInboxDays(ConnectionPool& pool) {
  TODO_ASSIGN_OR_RETURN(const std::vector<std::string> days, Ask(pool, kMissingDays));
  absl::Status failure;
  for (const std::string& day : days) {
    failure.Update(
        Transact(pool, "make a day of the inbox", [&](pqxx::work& transaction) -> absl::Status {
          transaction.exec(kLockTimeout);
          if (!Exec(transaction, kMakeDay, day)[0][0].as<bool>()) {
            util::Log(util::Severity::kWarning, "inbox_day_stays_in_default", {{"day", day}});
          }
          return absl::OkStatus();
        }));
  }
  return failure;
}

absl::Status CleanUp(ConnectionPool& pool, const Rest& rest, const KeepOptions& keep) {
  absl::Status failure;
  const auto go_on = [&](const absl::StatusOr<bool>& done) {
    failure.Update(done.status());
    return !done.ok() || *done;
  };
  if (!go_on(DropDays(pool, rest, keep.inbox_days))) return failure;
  for (const Kind& kind : KindsOf(keep)) {
    if (!go_on(Forget(pool, rest, kind))) return failure;
  }
  return failure;
}

}  // namespace todo::store

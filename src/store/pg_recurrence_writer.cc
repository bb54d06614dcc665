#include "store/pg_recurrence_writer.h"

#include <fmt/format.h>

#include <utility>

#include "domain/time.h"
#include "store/consumer_changes.h"
#include "store/session.h"
#include "store/task_columns.h"
#include "util/status.h"

namespace todo::store {
namespace {

using domain::TaskId;
using ports::ConsumerChange;
using ports::HeldTask;
using ports::Successor;

constexpr Statement kLock{"inbox_lock", "select lock_users($1::text[])"};

// A statement of its own, so that it sees all that was committed before the lock was granted.
constexpr Statement kLoad{"inbox_load", R"sql(
select r.ord, task_json(t), t.deleted_at is not null,
       case when n.id is not null then task_json(n) end, n.deleted_at is not null,
       coalesce(n.version = n.consumer_version, false)
from unnest($1::text[], $2::bigint[]) with ordinality r (user_id, task_id, ord)
join tasks t on t.user_id = r.user_id and t.id = r.task_id
left join tasks n on n.user_id = t.user_id and n.series_id = t.series_id and n.occurrence = t.occurrence + 1
order by r.ord)sql"};

constexpr Statement kExisting{"inbox_existing",
                              "select id from tasks where id = any ($1::bigint[])"};

constexpr Statement kFindOccurrence{"inbox_find_occurrence", R"sql(
select task_json(t), t.deleted_at is not null, coalesce(t.version = t.consumer_version, false)
from tasks t where t.user_id = $1 and t.series_id = $2 and t.occurrence = $3)sql"};

// Version 0: the producer counts no versions.
constexpr Statement kAdvanceForeignTask{"inbox_advance_foreign_task", R"sql(
insert into foreign_tasks as f (user_id, series_id, version, at) values ($1, $2, $3, $4)
on conflict (user_id, series_id) do update set version = excluded.version, at = excluded.at,
                                               keep_until = excluded.keep_until
where case when excluded.version > 0 and f.version > 0 and excluded.version <> f.version
           then excluded.version > f.version
           else excluded.at >= f.at end
returning true)sql"};

absl::StatusOr<domain::Task> Decode(const pqxx::field& json, const pqxx::field& deleted) {
  TODO_ASSIGN_OR_RETURN(domain::Task task, DecodeTask(View(json)));
  task.deleted = deleted.as<bool>();
  return task;
}

}  // namespace

absl::StatusOr<std::vector<std::optional<HeldTask>>> PgRecurrenceWriter::LockAndLoad(
    const std::vector<ports::TaskRef>& refs) {
  using Held = std::vector<std::optional<HeldTask>>;
  std::set<std::string> users;
  for (const ports::TaskRef& ref : refs) users.insert(ref.user.value);
  return unit_.Guard("lock and load", [&]() -> absl::StatusOr<Held> {
    const auto same = [](const std::string& text) { return text; };
    Exec(unit_.work(), kLock, ArrayLiteralOf(users, same));
    Held held(refs.size());
    const pqxx::result result = Exec(
        unit_.work(), kLoad,
        ArrayLiteralOf(refs, [](const ports::TaskRef& ref) { return ref.user.value; }),
        ArrayLiteralOf(
            refs, [](const ports::TaskRef& ref) { return fmt::format("{}", ref.task_id.value); }));
    for (const pqxx::row& row : result) {
      HeldTask task;
      TODO_ASSIGN_OR_RETURN(task.task, Decode(row[1], row[2]));
      if (!row[3].is_null()) {
        Successor successor;
        TODO_ASSIGN_OR_RETURN(successor.task, Decode(row[3], row[4]));
        successor.untouched = row[5].as<bool>();
        task.successor = std::move(successor);
      }
      held.at(row[0].as<std::size_t>() - 1) = std::move(task);
    }
    return held;
  });
}

absl::StatusOr<std::set<TaskId>> PgRecurrenceWriter::Existing(const std::vector<TaskId>& ids) {
  return unit_.Guard("look up tasks", [&]() -> absl::StatusOr<std::set<TaskId>> {
    std::set<TaskId> existing;
    const auto text = [](const TaskId& id) { return fmt::format("{}", id.value); };
    for (const pqxx::row& row : Exec(unit_.work(), kExisting, ArrayLiteralOf(ids, text))) {
      existing.insert(TaskId{row[0].as<std::int64_t>()});
    }
    return existing;
  });
}

absl::StatusOr<std::optional<Successor>> PgRecurrenceWriter::FindOccurrence(
    const domain::UserId& user, const domain::Uuid& series_id, std::int64_t occurrence) {
  using Found = std::optional<Successor>;
  return unit_.Guard("find an occurrence", [&]() -> absl::StatusOr<Found> {
    const pqxx::result result =
        Exec(unit_.work(), kFindOccurrence, user.value, series_id.value(), occurrence);
    if (result.empty()) return Found();
    Successor found;
    TODO_ASSIGN_OR_RETURN(found.task, Decode(result[0][0], result[0][1]));
    found.untouched = result[0][2].as<bool>();
    return Found(std::move(found));
  });
}

absl::StatusOr<bool> PgRecurrenceWriter::AdvanceForeignTask(const domain::UserId& user,
                                                            const domain::Uuid& series_id,
                                                            std::int64_t version,
                                                            domain::Instant at) {
  return unit_.Guard("note a foreign task", [&]() -> absl::StatusOr<bool> {
    return !Exec(unit_.work(), kAdvanceForeignTask, user.value, series_id.value(), version,
                 domain::FormatInstant(at))
                .empty();
  });
}

absl::Status PgRecurrenceWriter::Write(const std::vector<ConsumerChange>& changes) {
  if (changes.empty()) return absl::OkStatus();
  const auto written = unit_.Guard("write changes", [&]() -> absl::StatusOr<bool> {
    ConsumerChanges batch(unit_.session());
    TODO_RETURN_IF_ERROR(batch.Write(changes));
    for (const int shard : batch.shards()) unit_.NoteShard(shard);
    return true;
  });
  return written.status();
}

}  // namespace todo::store

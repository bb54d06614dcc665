#include "store/pg_recurrence_writer.h"

#include <array>
#include <utility>

#include "domain/time.h"
#include "store/binary_array.h"
#include "store/consumer_changes.h"
#include "store/session.h"
#include "store/session_pipeline.h"
#include "store/task_row.h"
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
select r.ord, task_row(t), case when n.id is not null then task_row(n) end,
       coalesce(n.version = n.consumer_version, false)
from unnest($1::text[], $2::bigint[]) with ordinality r (user_id, task_id, ord)
join tasks t on t.user_id = r.user_id and t.id = r.task_id
left join tasks n on n.user_id = t.user_id and n.series_id = t.series_id and n.occurrence = t.occurrence + 1
order by r.ord)sql"};

constexpr Statement kExisting{"inbox_existing", R"sql(
select k.id from unnest($1::bigint[]) k (id)
cross join lateral (select from tasks x where x.id = k.id limit 1) t)sql"};

constexpr Statement kFindOccurrences{"inbox_find_occurrences", R"sql(
select k.place, t.task, t.untouched
from unnest($1::text[], $2::uuid[], $3::bigint[]) with ordinality k (user_id, series_id, occurrence, place)
cross join lateral (select task_row(x) as task, coalesce(x.version = x.consumer_version, false) as untouched
                    from tasks x
                    where x.user_id = k.user_id and x.series_id = k.series_id and x.occurrence = k.occurrence
                    limit 1) t)sql"};

// Version 0: the producer counts no versions.
constexpr Statement kAdvanceForeignTasks{"inbox_advance_foreign_tasks", R"sql(
insert into foreign_tasks as f (user_id, series_id, version, at)
select v.user_id, v.series_id, v.version, v.at
from unnest($1::text[], $2::uuid[], $3::bigint[], $4::timestamptz[]) v (user_id, series_id, version, at)
on conflict (user_id, series_id) do update set version = excluded.version, at = excluded.at,
                                               keep_until = excluded.keep_until
where case when excluded.version > 0 and f.version > 0 and excluded.version <> f.version
           then excluded.version > f.version
           else excluded.at >= f.at end
returning f.user_id, f.series_id::text)sql"};

}  // namespace

absl::StatusOr<std::vector<std::optional<HeldTask>>> PgRecurrenceWriter::LockAndLoad(
    const std::vector<ports::TaskRef>& refs) {
  using Held = std::vector<std::optional<HeldTask>>;
  std::set<std::string> users;
  for (const ports::TaskRef& ref : refs) users.insert(ref.user.value);
  return unit_.Guard("lock and load", [&]() -> absl::StatusOr<Held> {
    BinaryArray<std::string> names, owners;
    BinaryArray<std::int64_t> ids;
    for (const std::string& user : users) names.Add(user);
    for (const ports::TaskRef& ref : refs) {
      owners.Add(ref.user.value);
      ids.Add(ref.task_id.value);
    }
    const std::vector<PipelineRows> answers =
        SendTogether(unit_.session(), std::array{kLock, kLoad}, [&](Pipeline& pipeline) {
          pipeline.Send(Pipeline::kLocalSettings);
          pipeline.Send(kLock, {names.Encoded()});
          pipeline.Send(kLoad, {owners.Encoded(), ids.Encoded()});
        });
    const PipelineRows& rows = answers.back();
    Held held(refs.size());
    for (int i = 0; i < rows.size(); ++i) {
      HeldTask task;
      TODO_ASSIGN_OR_RETURN(task.task, DecodeTaskRow(rows.Text(i, 1)));
      if (!rows.IsNull(i, 2)) {
        Successor successor;
        TODO_ASSIGN_OR_RETURN(successor.task, DecodeTaskRow(rows.Text(i, 2)));
        successor.untouched = rows.Flag(i, 3);
        task.successor = std::move(successor);
      }
      held.at(static_cast<std::size_t>(rows.Number(i, 0)) - 1) = std::move(task);
    }
    return held;
  });
}

absl::StatusOr<std::set<TaskId>> PgRecurrenceWriter::Existing(const std::vector<TaskId>& ids) {
  return unit_.Guard("look up tasks", [&]() -> absl::StatusOr<std::set<TaskId>> {
    BinaryArray<std::int64_t> keys;
    for (const TaskId& id : ids) keys.Add(id.value);
    const PipelineRows rows = SendAlone(unit_.session(), kExisting, {keys.Encoded()});
    std::set<TaskId> existing;
    for (int i = 0; i < rows.size(); ++i) existing.insert(TaskId{rows.Number(i, 0)});
    return existing;
  });
}

absl::StatusOr<std::vector<std::optional<Successor>>> PgRecurrenceWriter::FindOccurrences(
    const std::vector<ports::SeriesPlace>& places) {
  using Found = std::vector<std::optional<Successor>>;
  if (places.empty()) return Found();
  BinaryArray<std::string> users;
  BinaryArray<domain::Uuid> series;
  BinaryArray<std::int64_t> occurrences;
  for (const ports::SeriesPlace& place : places) {
    users.Add(place.user.value);
    series.Add(place.series_id);
    occurrences.Add(place.occurrence);
  }
  return unit_.Guard("find occurrences", [&]() -> absl::StatusOr<Found> {
    const PipelineRows rows = SendAlone(unit_.session(), kFindOccurrences,
                                        {users.Encoded(), series.Encoded(), occurrences.Encoded()});
    Found found(places.size());
    for (int i = 0; i < rows.size(); ++i) {
      Successor successor;
      TODO_ASSIGN_OR_RETURN(successor.task, DecodeTaskRow(rows.Text(i, 1)));
      successor.untouched = rows.Flag(i, 2);
      found.at(static_cast<std::size_t>(rows.Number(i, 0)) - 1) = std::move(successor);
    }
    return found;
  });
}

absl::StatusOr<std::vector<bool>> PgRecurrenceWriter::AdvanceForeignTasks(
    const std::vector<ports::ForeignEvent>& events) {
  if (events.empty()) return std::vector<bool>();
  BinaryArray<std::string> users;
  BinaryArray<domain::Uuid> series;
  BinaryArray<std::int64_t> versions;
  BinaryArray<domain::Instant> times;
  for (const ports::ForeignEvent& event : events) {
    users.Add(event.user.value);
    series.Add(event.series_id);
    versions.Add(event.version);
    times.Add(event.at);
  }
  return unit_.Guard("note foreign tasks", [&]() -> absl::StatusOr<std::vector<bool>> {
    const PipelineRows rows =
        SendAlone(unit_.session(), kAdvanceForeignTasks,
                  {users.Encoded(), series.Encoded(), versions.Encoded(), times.Encoded()});
    std::set<std::pair<std::string_view, std::string_view>> advanced;
    for (int i = 0; i < rows.size(); ++i) advanced.emplace(rows.Text(i, 0), rows.Text(i, 1));
    std::vector<bool> news;
    for (const ports::ForeignEvent& event : events)
      news.push_back(advanced.contains({event.user.value, event.series_id.value()}));
    return news;
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

#pragma once

#include "store/session.h"

// Inside the room only: the statements that change tasks of many users. Each takes columns of
// values or an array of rows, so that a statement does its part of the whole batch.

namespace todo::store {

/// After it, the batch holds the locks of the users that it answers. A statement of its own: later
/// ones see what the users' last transactions committed.
inline constexpr Statement kLockUsers{"batch_lock_users", R"sql(
select user_id, seq, open_tasks, shard from users where user_id = any($1::text[])
order by user_id for update skip locked)sql"};

/// The same of users that are locked already.
inline constexpr Statement kReadUsers{"batch_read_users", R"sql(
select u.user_id, u.seq, u.open_tasks, u.shard
from unnest($1::text[]) k (user_id) join users u on u.user_id = k.user_id)sql"};

inline constexpr Statement kFindRequests{"batch_find_requests", R"sql(
select k.user_id, k.request_id::text
from unnest($1::text[], $2::uuid[]) k (user_id, request_id)
cross join lateral (select from requests x where x.user_id = k.user_id and x.request_id = k.request_id limit 1) r)sql"};

inline constexpr Statement kFindTasks{"batch_find_tasks", R"sql(
select t.user_id, t.id, t.task
from unnest($1::text[], $2::bigint[]) k (user_id, id)
cross join lateral (select x.user_id, x.id, task_row(x) as task from tasks x
                    where x.user_id = k.user_id and x.id = k.id limit 1) t)sql"};

/// As many numbers of tasks as $1 has elements.
inline constexpr Statement kTakeIds{"batch_take_ids", R"sql(
select nextval('task_ids') from unnest($1::bigint[]))sql"};

inline constexpr Statement kWriteUsers{"batch_write_users", R"sql(
update users u set seq = v.seq, open_tasks = v.open_tasks
from unnest($1::batch_user[]) v
where u.user_id = v.user_id)sql"};

inline constexpr Statement kInsertTasks{"batch_insert_tasks", R"sql(
insert into tasks (user_id, id, version, seq, title, description, completed, completed_at, priority, tags,
                   due_kind, due_local, due_at, time_zone, recurrence_rule, recurrence_basis, created_at, updated_at,
                   deleted_at, skipped_at, series_id, occurrence, series_anchor, series_anchor_later, scheduled_for,
                   missed, rule_since, following, consumer_version)
select * from unnest($1::batch_task[]))sql"};

/// The columns of a series stay as they are. In the order of the key, because a trigger locks the
/// reminders of each task.
inline constexpr Statement kUpdateTasks{"batch_update_tasks", R"sql(
update tasks x set
    version = v.version, seq = v.seq, title = v.title, description = v.description, completed = v.completed,
    completed_at = v.completed_at, priority = v.priority, tags = v.tags, due_kind = v.due_kind,
    due_local = v.due_local, due_at = v.due_at, time_zone = v.time_zone, recurrence_rule = v.recurrence_rule,
    recurrence_basis = v.recurrence_basis, updated_at = v.updated_at, deleted_at = v.deleted_at,
    skipped_at = v.skipped_at
from (select * from unnest($1::batch_task[]) order by user_id, id) v
where x.user_id = v.user_id and x.id = v.id)sql"};

/// Like kUpdateTasks, with the columns of a series and the consumer's.
inline constexpr Statement kReplaceTasks{"batch_replace_tasks", R"sql(
update tasks x set
    version = v.version, seq = v.seq, title = v.title, description = v.description, completed = v.completed,
    completed_at = v.completed_at, priority = v.priority, tags = v.tags, due_kind = v.due_kind,
    due_local = v.due_local, due_at = v.due_at, time_zone = v.time_zone, recurrence_rule = v.recurrence_rule,
    recurrence_basis = v.recurrence_basis, updated_at = v.updated_at, deleted_at = v.deleted_at,
    skipped_at = v.skipped_at, series_id = v.series_id, occurrence = v.occurrence, series_anchor = v.series_anchor,
    series_anchor_later = v.series_anchor_later, scheduled_for = v.scheduled_for, missed = v.missed,
    rule_since = v.rule_since, following = v.following, consumer_version = v.consumer_version
from (select * from unnest($1::batch_task[]) order by user_id, id) v
where x.user_id = v.user_id and x.id = v.id)sql"};

/// Of tasks that kInsertTasks inserts.
inline constexpr Statement kInsertTexts{"batch_insert_texts", R"sql(
insert into task_texts (user_id, id, search_text)
select v.user_id, v.id, v.title || chr(1) || v.description from unnest($1::batch_text[]) v)sql"};

/// A null leaves its part of the text as it is, as search_text_after does.
inline constexpr Statement kWriteTexts{"batch_write_texts", R"sql(
insert into task_texts (user_id, id, search_text)
select v.user_id, v.id,
       coalesce(v.title, split_part(w.search_text, chr(1), 1), '') || chr(1) ||
       coalesce(v.description, split_part(w.search_text, chr(1), 2), '')
from unnest($1::batch_text[]) v
left join lateral (select y.search_text from task_texts y where y.user_id = v.user_id and y.id = v.id limit 1) w on true
on conflict (user_id, id) do update set search_text = excluded.search_text)sql"};

/// The ids of changes are drawn after the sorting.
inline constexpr Statement kWriteChanges{"batch_write_changes", R"sql(
insert into changes (user_id, seq, shard, event_id, kind, task_id, version, task_json, at, traceparent, request_id)
select v.user_id, v.seq, v.shard, v.event_id, v.kind, v.task_id, v.version, v.task_json, v.at, v.traceparent,
       v.request_id
from unnest($1::batch_change[]) with ordinality v
order by v.ordinality)sql"};

inline constexpr Statement kWriteRequests{"batch_write_requests", R"sql(
insert into requests (user_id, request_id, fingerprint, seq, answer, at)
select * from unnest($1::batch_request[]))sql"};

}  // namespace todo::store

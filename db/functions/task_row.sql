-- release: 2

-- A task as a row of a type that the service knows. A single expression without FROM, so that PostgreSQL inlines the
-- function. To read it costs a tenth of what task_json costs.
create or replace function task_row(t tasks) returns batch_task
language sql stable as $$
    select row(
        t.user_id, t.id, t.version, t.seq, t.title, t.description, t.completed, t.completed_at, t.priority, t.tags,
        t.due_kind, t.due_local, t.due_at, t.time_zone, t.recurrence_rule, t.recurrence_basis, t.created_at,
        t.updated_at, t.deleted_at, t.skipped_at, t.series_id, t.occurrence, t.series_anchor, t.series_anchor_later,
        t.scheduled_for, t.missed, t.rule_since, t.following, t.consumer_version)::batch_task
$$;

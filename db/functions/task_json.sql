-- release: 1

-- A task as the contract's task_data: compact JSON, made once and then only copied. A single expression without FROM,
-- so that PostgreSQL inlines the function, which saves 40 % of the cost of a change. A new field needs a new type: see
-- db/README.md.
create or replace function task_json(t tasks) returns text
language sql stable as $$
    select row_to_json(row(
        t.id, t.title, t.description, t.completed,
        (array['low', 'medium', 'high'])[t.priority + 1],
        t.tags, rfc3339(t.due_at), t.recurrence_rule, t.user_id,
        rfc3339(t.created_at), rfc3339(t.updated_at),
        t.version, t.seq, rfc3339(t.completed_at),
        t.due_kind,
        case t.due_kind when 'date' then to_char(t.due_local, 'YYYY-MM-DD')
                        when 'local' then local_time(t.due_local) end,
        t.time_zone, t.recurrence_basis, t.series_id, t.occurrence,
        local_time(t.series_anchor), local_time(t.scheduled_for),
        t.missed, rfc3339(t.skipped_at),
        case when t.series_id is not null then coalesce(t.rule_since, 1) end, t.following,
        case when t.series_anchor_later then true end)::task_data)::text
$$;

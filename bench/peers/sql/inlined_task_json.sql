-- task_json of b64976b as one expression without FROM, which PostgreSQL inlines: the statement of then at its best.
create type inlined_task_data as (
    id bigint, title text, description text, completed boolean, priority text, tags text[], due_date text,
    recurrence_rule text, user_id text, created_at text, updated_at text, version bigint, seq bigint, completed_at text,
    due_kind text, due_local text, time_zone text, recurrence_basis text, series_id uuid, occurrence bigint,
    series_anchor text, scheduled_for text, missed_occurrences bigint, skipped_at text, rule_since bigint,
    following jsonb);

create or replace function task_json(t tasks) returns text
language sql stable as $$
    select row_to_json(row(
        t.id, t.title, t.description, t.completed, (array['low', 'medium', 'high'])[t.priority + 1],
        t.tags, rfc3339(t.due_at), t.recurrence_rule, t.user_id, rfc3339(t.created_at), rfc3339(t.updated_at),
        t.version, t.seq, rfc3339(t.completed_at), t.due_kind,
        case t.due_kind when 'date' then to_char(t.due_local, 'YYYY-MM-DD') when 'local' then local_time(t.due_local) end,
        t.time_zone, t.recurrence_basis, t.series_id, t.occurrence,
        local_time(t.series_anchor), local_time(t.scheduled_for), t.missed, rfc3339(t.skipped_at),
        case when t.series_id is not null then coalesce(t.rule_since, 1) end, t.following)::inlined_task_data)::text
$$;

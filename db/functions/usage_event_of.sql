-- release: 1

-- A change as an event that is counted into an account.
create or replace function usage_event_of(p_account bigint, p_is_total boolean, c changes) returns usage_event
language sql stable as $$
    select row(p_account, p_is_total, c.event_id, c.kind, c.at, least(t.created_at, c.at),
               c.kind = 'created' and c.version = 1,
               array_position(array['low', 'medium', 'high'], t.priority) - 1, t.tags, t.series_id)::usage_event
    from json_to_record(c.task_json::json) t (created_at timestamptz, priority text, tags text[], series_id uuid)
$$;

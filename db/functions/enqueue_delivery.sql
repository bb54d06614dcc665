-- release: 2

-- For functions of release 1: add_delivery without a trace.
create or replace function enqueue_delivery(p_user text, p_channel text, p_target uuid, p_host text, p_event_id uuid,
                                            p_kind text, p_body text, p_grouped boolean, p_due_at timestamptz,
                                            p_now timestamptz) returns void
language sql as $$
    select add_delivery(p_user, p_channel, p_target, p_host, p_event_id, p_kind, p_body, p_grouped, p_due_at, p_now, '')
$$;

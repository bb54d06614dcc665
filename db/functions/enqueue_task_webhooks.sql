-- release: 2

-- For processes of release 1: add_task_webhooks without a trace.
create or replace function enqueue_task_webhooks(p_user text, p_event_id uuid, p_kind text, p_body text,
                                                 p_now timestamptz) returns void
language sql as $$
    select add_task_webhooks(p_user, p_event_id, p_kind, p_body, p_now, '')
$$;

-- release: 2

-- Adds a delivery of a task event for each enabled webhook endpoint of the user that wants task events. p_traceparent:
-- of the event, or empty.
create or replace function add_task_webhooks(p_user text, p_event_id uuid, p_kind text, p_body text,
                                             p_now timestamptz, p_traceparent text) returns void
language sql as $$
    select add_delivery(p_user, 'webhook', e.id, e.host, p_event_id, p_kind, p_body, false, p_now, p_now, p_traceparent)
    from (select * from webhook_endpoints x
          where x.user_id = p_user and x.task_events and x.disabled_reason = '' order by x.id) e
$$;

-- release: 2

-- Tells a user of a due reminder: adds the notification, the message that announces it to screens, and a delivery for
-- each endpoint. Harmless to repeat.
create or replace function remind_user(p jsonb) returns void
language plpgsql as $$
declare
    n notifications%rowtype;
    at timestamptz;
    trace text := coalesce(p->>'traceparent', '');  -- release 1 has none
begin
    n := jsonb_populate_record(null::notifications, p);
    insert into notifications values (n.*) on conflict do nothing;
    if not found then
        return;
    end if;
    if n.shown then
        perform add_message(p->>'topic', n.user_id, (p->>'update_id')::uuid, p->>'update');
    end if;
    if (p->>'webhook')::boolean then
        perform add_delivery(n.user_id, 'webhook', e.id, e.host, n.id, 'reminder.due', p->>'body', false,
                             n.at, n.at, trace)
        from (select * from webhook_endpoints x
              where x.user_id = n.user_id and x.reminders and x.disabled_reason = '' order by x.id) e;
    end if;
    at := (p->>'disturb_at')::timestamptz;
    if (p->>'push')::boolean then
        perform add_delivery(n.user_id, 'push', s.id, s.host, n.id, 'reminder.due', '', (p->>'grouped')::boolean,
                             at, n.at, trace)
        from (select * from push_subscriptions x where x.user_id = n.user_id order by x.id) s;
    end if;
    if (p->>'email')::boolean and exists (select from mail_addresses m where m.user_id = n.user_id) then
        perform add_delivery(n.user_id, 'email', '00000000-0000-0000-0000-000000000000', 'mail server', n.id,
                             'reminder.due', '', (p->>'grouped')::boolean, at, n.at, trace);
    end if;
end
$$;

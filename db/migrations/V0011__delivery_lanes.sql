-- Lanes of deliveries: what waits together leaves together.

create or replace function enqueue_delivery(p_user text, p_channel text, p_target uuid, p_host text, p_event_id uuid,
                                            p_kind text, p_body text, p_grouped boolean, p_due_at timestamptz,
                                            p_now timestamptz) returns void
language plpgsql as $$
begin
    -- The lane first, as all do who change its deliveries. The operator's mail server is trusted from the start, what
    -- users name is not.
    insert into delivery_lanes as l (user_id, channel, target, host, patient, due_at)
    values (p_user, p_channel, p_target, p_host, p_channel <> 'email', p_due_at)
    on conflict (user_id, channel, target) do update
        set due_at = least(l.due_at, excluded.due_at), host = excluded.host;
    insert into deliveries (user_id, channel, target, event_id, kind, body, grouped, due_at, queued_at, created_at)
    values (p_user, p_channel, p_target, p_event_id, p_kind, p_body, p_grouped, p_due_at, p_now, p_now)
    on conflict (user_id, event_id, channel, target) do nothing;
    -- A group that will leave soon waits for what follows its last one, but none of it for more than a minute. The lane
    -- is looked at too early then, and finds nothing due.
    if found and p_grouped and p_due_at <= p_now + interval '1 minute' then
        update deliveries d set due_at = greatest(d.due_at, least(p_due_at, d.queued_at + interval '1 minute'))
        where d.user_id = p_user and d.channel = p_channel and d.target = p_target and d.state = 'pending'
          and d.due_at > p_now and d.due_at < p_due_at and d.grouped and d.failures = 0;
    end if;
end
$$;

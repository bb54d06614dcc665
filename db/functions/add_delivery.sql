-- release: 2

-- Adds a delivery to its lane, and makes the lane when it is missing. A second delivery of the same event to the same
-- endpoint is not added. p_traceparent: of the event, or empty.
create or replace function add_delivery(p_user text, p_channel text, p_target uuid, p_host text, p_event_id uuid,
                                        p_kind text, p_body text, p_grouped boolean, p_due_at timestamptz,
                                        p_now timestamptz, p_traceparent text) returns void
language plpgsql as $$
begin
    -- Every function that changes deliveries locks their lane first. The operator's mail server counts as quick from
    -- the start; an endpoint that a user named has to prove itself.
    insert into delivery_lanes as l (user_id, channel, target, host, pace, due_at)
    values (p_user, p_channel, p_target, p_host, case when p_channel = 'email' then 'quick' else 'new' end,
            p_due_at)
    on conflict (user_id, channel, target) do update
        set due_at = least(l.due_at, greatest(excluded.due_at, l.paused_until)), host = excluded.host;
    insert into deliveries
        (user_id, channel, target, event_id, kind, body, grouped, due_at, queued_at, created_at, traceparent)
    values (p_user, p_channel, p_target, p_event_id, p_kind, p_body, p_grouped, p_due_at, p_now, p_now, p_traceparent)
    on conflict (user_id, event_id, channel, target) do nothing;
    -- Grouped deliveries that leave soon wait for this one, but each of them for a minute at most. The lane's due_at
    -- then comes too early; the lane is leased and has nothing to send yet.
    if found and p_grouped and p_due_at <= p_now + interval '1 minute' then
        update deliveries d set due_at = greatest(d.due_at, least(p_due_at, d.queued_at + interval '1 minute'))
        where d.user_id = p_user and d.channel = p_channel and d.target = p_target and d.state = 'pending'
          and d.due_at > p_now and d.due_at < p_due_at and d.grouped and d.failures = 0;
    end if;
end
$$;

-- Lanes of deliveries: what waits together leaves together, and a target that asks for peace gets it.

-- Until then the target wants no calls at all (Retry-After). due_at is never before it.
alter table delivery_lanes add column paused_until timestamptz not null default '-infinity';

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
        set due_at = least(l.due_at, greatest(excluded.due_at, l.paused_until)), host = excluded.host;
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

-- Gives the lane back, due when it is its turn again.
create function give_back_lane(p_user text, p_channel text, p_target uuid, p_now timestamptz) returns void
language sql as $$
    update delivery_lanes l
    set lease_until = '-infinity',
        due_at = greatest(coalesce((select min(d.due_at) from deliveries d
                                    where d.user_id = p_user and d.channel = p_channel and d.target = p_target
                                      and d.state = 'pending'), 'infinity'), l.paused_until, p_now)
    where l.user_id = p_user and l.channel = p_channel and l.target = p_target
$$;

-- For binaries of V0008.
create or replace function release_lane(p_user text, p_channel text, p_target uuid, p_patient boolean,
                                        p_now timestamptz) returns void language sql as $$
    update delivery_lanes l set patient = p_patient
    where l.user_id = p_user and l.channel = p_channel and l.target = p_target;
    select give_back_lane(p_user, p_channel, p_target, p_now);
$$;

-- What became of an attempt, one element of p_results for each delivery in it. False: the lease was lost.
drop function finish_attempt(text, text, uuid, bigint, jsonb, boolean, timestamptz);
create function finish_attempt(p_user text, p_channel text, p_target uuid, p_epoch bigint, p_results jsonb,
                               p_patient boolean, p_now timestamptz, p_paused_until timestamptz default null)
returns boolean
language plpgsql as $$
begin
    update delivery_lanes l
    set patient = p_patient, paused_until = coalesce(p_paused_until, l.paused_until)
    where l.user_id = p_user and l.channel = p_channel and l.target = p_target and l.epoch = p_epoch;
    if not found then
        return false;
    end if;
    update deliveries d
    set state = r.state, failures = d.failures + (r.state <> 'delivered')::int, due_at = coalesce(r.due_at, d.due_at),
        finished_at = case when r.state <> 'pending' then p_now end, attempts = d.attempts || r.attempt
    from jsonb_to_recordset(p_results) r (id uuid, state text, due_at timestamptz, attempt jsonb)
    where d.user_id = p_user and d.id = r.id and d.state = 'pending';
    perform give_back_lane(p_user, p_channel, p_target, p_now);
    return true;
end
$$;

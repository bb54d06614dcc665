-- Lanes of deliveries: what waits together leaves together, a target that asks for peace gets it, and who has let us
-- wait is kept apart from who is new.

-- A patient lane that has let us wait. Patient and not slow: nobody knows yet.
alter table delivery_lanes add column slow boolean not null default false;
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
    update delivery_lanes l set patient = p_patient, slow = p_patient
    where l.user_id = p_user and l.channel = p_channel and l.target = p_target;
    select give_back_lane(p_user, p_channel, p_target, p_now);
$$;

-- The lane whose turn it is, taken until p_until. Lanes are quick, new (p_patient) or slow (both). No row: none of that
-- kind is due, or what is would be too much for its user or host at a time.
create function take_lane(p_patient boolean, p_slow boolean, p_channels text[], p_now timestamptz,
                          p_until timestamptz) returns setof delivery_lanes
language sql as $$
    with out as (
        select o.user_id, o.host from delivery_lanes o
        where o.lease_until > p_now and o.lease_until > '-infinity' and o.patient = p_patient and o.slow = p_slow)
    update delivery_lanes l set lease_until = p_until, epoch = l.epoch + 1
    where (l.user_id, l.channel, l.target) = (
        select x.user_id, x.channel, x.target from delivery_lanes x
        where x.patient = p_patient and x.slow = p_slow and x.due_at <= p_now and x.due_at < 'infinity'
          and x.lease_until <= p_now and x.channel = any (p_channels)
          and x.user_id <> all (array(select o.user_id from out o group by o.user_id
                                      having count(*) >= case when p_patient then 1 else 2 end))
          and (not p_patient or x.host <> all (array(select o.host from out o group by o.host
                                                     having count(*) >= case when p_slow then 2 else 4 end)))
        order by x.due_at limit 1 for update skip locked)
    returning l.*
$$;
create index delivery_lanes_turn on delivery_lanes (patient, slow, due_at) where due_at < 'infinity';
create index delivery_lanes_out on delivery_lanes (lease_until) where lease_until > '-infinity';
drop index delivery_lanes_due;
drop index delivery_lanes_by_host;

-- For binaries of V0008.
create or replace function lease_lane(p_patient boolean, p_channels text[], p_now timestamptz, p_until timestamptz)
returns setof delivery_lanes language sql as $$
    select * from take_lane(p_patient, false, p_channels, p_now, p_until)
$$;

-- What became of an attempt, one element of p_results for each delivery in it; p_slow: it has let us wait. False: the
-- lease was lost.
drop function finish_attempt(text, text, uuid, bigint, jsonb, boolean, timestamptz);
create function finish_attempt(p_user text, p_channel text, p_target uuid, p_epoch bigint, p_results jsonb,
                               p_slow boolean, p_now timestamptz, p_paused_until timestamptz default null)
returns boolean
language plpgsql as $$
begin
    update delivery_lanes l
    set patient = p_slow, slow = p_slow, paused_until = coalesce(p_paused_until, l.paused_until)
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

-- The next three work in portions, so that no lane is too long for a statement. What is left makes the lane due again.

-- What was queued before p_before has waited too long.
create function expire_lane(p_user text, p_channel text, p_target uuid, p_before timestamptz, p_now timestamptz)
returns void language sql as $$
    update deliveries d
    set state = 'failed', finished_at = p_now,
        attempts = d.attempts || jsonb_build_object('at', rfc3339(p_now), 'outcome', 'dropped',
                                                    'detail', 'it waited too long')
    where d.user_id = p_user
      and d.id in (select x.id from deliveries x
                   where x.user_id = p_user and x.channel = p_channel and x.target = p_target and x.state = 'pending'
                     and x.queued_at < p_before limit 1000);
    select give_back_lane(p_user, p_channel, p_target, p_now);
$$;

-- Nothing more goes there: what waits has failed, for p_reason.
create or replace function stop_lane(p_user text, p_channel text, p_target uuid, p_reason text, p_now timestamptz)
returns void language plpgsql as $$
begin
    -- Whoever adds to the lane waits here, and whoever is sending finds its lease gone.
    update delivery_lanes l set epoch = l.epoch + 1, lease_until = '-infinity', due_at = 'infinity'
    where l.user_id = p_user and l.channel = p_channel and l.target = p_target;
    update deliveries d
    set state = 'failed', finished_at = p_now,
        attempts = d.attempts || jsonb_build_object('at', rfc3339(p_now), 'outcome', 'dropped', 'detail', p_reason)
    where d.user_id = p_user
      and d.id in (select x.id from deliveries x
                   where x.user_id = p_user and x.channel = p_channel and x.target = p_target and x.state = 'pending'
                   limit 1000);
    update delivery_lanes l set due_at = p_now
    where l.user_id = p_user and l.channel = p_channel and l.target = p_target
      and exists (select from deliveries x
                  where x.user_id = p_user and x.channel = p_channel and x.target = p_target and x.state = 'pending');
end
$$;

-- Forgets a target and all that was ever sent to it.
drop function remove_lane(text, text, uuid);
create function remove_lane(p_user text, p_channel text, p_target uuid, p_now timestamptz default '-infinity')
returns void language plpgsql as $$
begin
    update delivery_lanes l set epoch = l.epoch + 1, lease_until = '-infinity', due_at = p_now
    where l.user_id = p_user and l.channel = p_channel and l.target = p_target;
    delete from deliveries d
    where d.user_id = p_user
      and d.id in (select x.id from deliveries x
                   where x.user_id = p_user and x.target = p_target and x.channel = p_channel limit 1000);
    delete from delivery_lanes l
    where l.user_id = p_user and l.channel = p_channel and l.target = p_target
      and not exists (select from deliveries x
                      where x.user_id = p_user and x.target = p_target and x.channel = p_channel);
end
$$;
create index deliveries_of_target on deliveries (user_id, target, created_at desc, id desc);
drop index deliveries_log;

-- Whose a browser was before.
create index push_subscriptions_by_endpoint on push_subscriptions using hash (endpoint);

-- The secrets of the last day sign too: so many versions before the current one, until previous_until.
alter table webhook_endpoints add column previous_count int not null default 1;
-- Request ids of the last rotations: none happens twice.
alter table webhook_endpoints add column rotation_ids uuid[] not null default '{}';
update webhook_endpoints set rotation_ids = array[rotation_id] where rotation_id is not null;

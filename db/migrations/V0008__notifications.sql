-- What users are told, and on which ways it leaves the house. Every delivery is a row that waits in a lane; a lane is
-- one target of one user, and has one attempt in flight at most.

create table notifications (
    user_id   text        not null,
    id        uuid        not null,          -- of the ReminderEvent
    task_id   bigint      not null,
    title     text        not null,
    remind_at timestamptz not null,
    due_at    timestamptz,                   -- of the task
    time_zone text        not null,          -- in which its times are shown
    late      boolean     not null,          -- it came long after it should have
    shown     boolean     not null,          -- in the list; otherwise it is here for the deliveries only
    at        timestamptz not null,
    read_at   timestamptz,
    primary key (user_id, id)
);
create index notifications_list on notifications (user_id, at desc, id desc) where shown;
create index notifications_unread on notifications (user_id) where shown and read_at is null;
create index notifications_by_at on notifications using brin (at) with (autosummarize = on);

-- The secret itself is derived from the operator's master key, the id and the version, and stands nowhere.
create table webhook_endpoints (
    user_id         text        not null,
    id              uuid        not null,
    url             text        not null,
    host            text        not null,                     -- of the URL
    reminders       boolean     not null,                     -- which events it wants
    task_events     boolean     not null,
    secret_version  int         not null default 1,
    previous_until  timestamptz not null default '-infinity', -- so long the version before signs as well
    rotation_id     uuid,                                     -- request id of the last rotation
    disabled_reason text        not null default '',          -- empty: enabled
    fingerprint     bytea       not null,                     -- of the call that made it
    created_at      timestamptz not null,
    primary key (user_id, id)
);
create index webhook_endpoints_of_tasks on webhook_endpoints (user_id) where task_events and disabled_reason = '';

create table push_subscriptions (
    user_id    text        not null,
    id         uuid        not null,
    endpoint   text        not null,
    host       text        not null,
    p256dh     bytea       not null,
    auth       bytea       not null,
    created_at timestamptz not null,
    primary key (user_id, id)
);
create unique index push_subscriptions_once on push_subscriptions (user_id, endpoint);

create table mail_addresses (
    user_id text primary key,
    address text not null
);

-- due_at is the lane's place in the queue: when the first of its deliveries is due or, when it has been served and has
-- more to send, when that was. So a lane with ten thousand deliveries waits as long for its turn as one with two.
-- Lanes of which nobody knows yet that they answer quickly are patient: other threads serve those.
create table delivery_lanes (
    user_id     text        not null,
    channel     text        not null,
    target      uuid        not null,                     -- endpoint or subscription; e-mail: nil
    host        text        not null,                     -- patient lanes of one host are served one at a time
    patient     boolean     not null,
    due_at      timestamptz not null,                     -- infinity: nothing waits
    lease_until timestamptz not null default '-infinity',
    epoch       bigint      not null default 0,           -- +1 with each lease: fences out a holder that lost it
    primary key (user_id, channel, target)
) with (fillfactor = 50);
create index delivery_lanes_due on delivery_lanes (patient, due_at) where due_at < 'infinity';
create index delivery_lanes_by_host on delivery_lanes (host, lease_until);

create table deliveries (
    user_id     text        not null,
    id          uuid        not null default gen_random_uuid(),  -- the webhook-id: the same on every attempt
    channel     text        not null check (channel in ('webhook', 'email', 'push')),
    target      uuid        not null,
    event_id    uuid        not null,
    kind        text        not null,                            -- "reminder.due", "task.completed"
    body        text        not null,                            -- of a webhook; otherwise the notification says it
    grouped     boolean     not null,                            -- goes out together with others of its lane
    state       text        not null default 'pending' check (state in ('pending', 'delivered', 'failed')),
    failures    int         not null default 0,                  -- since it was queued
    due_at      timestamptz not null,
    queued_at   timestamptz not null,                            -- when it was made, or sent again by hand
    created_at  timestamptz not null,
    finished_at timestamptz,
    attempts    jsonb       not null default '[]',
    primary key (user_id, id)
);
-- What makes a second delivery of the same thing to the same target impossible.
create unique index deliveries_once on deliveries (user_id, event_id, channel, target);
create index deliveries_pending on deliveries (user_id, channel, target, due_at, id) where state = 'pending';
create index deliveries_log on deliveries (user_id, target, created_at desc, id desc) where channel = 'webhook';
create index deliveries_finished on deliveries (finished_at) where finished_at is not null;

create function enqueue_delivery(p_user text, p_channel text, p_target uuid, p_host text, p_event_id uuid, p_kind text,
                                 p_body text, p_grouped boolean, p_due_at timestamptz, p_now timestamptz) returns void
language plpgsql as $$
begin
    insert into deliveries (user_id, channel, target, event_id, kind, body, grouped, due_at, queued_at, created_at)
    values (p_user, p_channel, p_target, p_event_id, p_kind, p_body, p_grouped, p_due_at, p_now, p_now)
    on conflict (user_id, event_id, channel, target) do nothing;
    if found then
        -- The operator's mail server is trusted from the start, what users name is not.
        insert into delivery_lanes as l (user_id, channel, target, host, patient, due_at)
        values (p_user, p_channel, p_target, p_host, p_channel <> 'email', p_due_at)
        on conflict (user_id, channel, target) do update
            set due_at = least(l.due_at, excluded.due_at), host = excluded.host;
    end if;
end
$$;

-- A reminder that is due, for its user: the notification, its announcement for screens, and a delivery for each target.
create function remind_user(p jsonb) returns void
language plpgsql as $$
declare
    n notifications%rowtype;
    at timestamptz;
begin
    n := jsonb_populate_record(null::notifications, p);
    insert into notifications values (n.*) on conflict do nothing;
    if not found then
        return;
    end if;
    if n.shown then
        perform post(p->>'topic', n.user_id, (p->>'update_id')::uuid, p->>'update');
    end if;
    if (p->>'webhook')::boolean then
        perform enqueue_delivery(n.user_id, 'webhook', e.id, e.host, n.id, 'reminder.due', p->>'body', false, n.at, n.at)
        from (select * from webhook_endpoints x
              where x.user_id = n.user_id and x.reminders and x.disabled_reason = '' order by x.id) e;
    end if;
    at := (p->>'disturb_at')::timestamptz;
    if (p->>'push')::boolean then
        perform enqueue_delivery(n.user_id, 'push', s.id, s.host, n.id, 'reminder.due', '', (p->>'grouped')::boolean,
                                 at, n.at)
        from (select * from push_subscriptions x where x.user_id = n.user_id order by x.id) s;
    end if;
    if (p->>'email')::boolean and exists (select from mail_addresses m where m.user_id = n.user_id) then
        perform enqueue_delivery(n.user_id, 'email', '00000000-0000-0000-0000-000000000000', 'mail server', n.id,
                                 'reminder.due', '', (p->>'grouped')::boolean, at, n.at);
    end if;
end
$$;

create function enqueue_task_webhooks(p_user text, p_event_id uuid, p_kind text, p_body text, p_now timestamptz)
returns void language sql as $$
    select enqueue_delivery(p_user, 'webhook', e.id, e.host, p_event_id, p_kind, p_body, false, p_now, p_now)
    from (select * from webhook_endpoints x
          where x.user_id = p_user and x.task_events and x.disabled_reason = '' order by x.id) e
$$;

-- The lane whose turn it is, taken until p_until. No row: nothing is due, or what is would be too much for its user or
-- host at a time.
create function lease_lane(p_patient boolean, p_channels text[], p_now timestamptz, p_until timestamptz)
returns setof delivery_lanes
language sql as $$
    update delivery_lanes l set lease_until = p_until, epoch = l.epoch + 1
    where (l.user_id, l.channel, l.target) = (
        select x.user_id, x.channel, x.target from delivery_lanes x
        where x.patient = p_patient and x.due_at <= p_now and x.due_at < 'infinity' and x.lease_until <= p_now
          and x.channel = any (p_channels)
          and (select count(*) from delivery_lanes o
               where o.user_id = x.user_id and o.patient = p_patient and o.lease_until > p_now) < 2
          and not (p_patient and exists (select from delivery_lanes o
                                         where o.host = x.host and o.patient and o.lease_until > p_now))
        order by x.due_at limit 1 for update skip locked)
    returning l.*
$$;

-- Gives the lane back, due when it is its turn again.
create function release_lane(p_user text, p_channel text, p_target uuid, p_patient boolean, p_now timestamptz)
returns void language sql as $$
    update delivery_lanes l
    set lease_until = '-infinity', patient = p_patient,
        due_at = greatest(coalesce((select min(d.due_at) from deliveries d
                                    where d.user_id = p_user and d.channel = p_channel and d.target = p_target
                                      and d.state = 'pending'), 'infinity'), p_now)
    where l.user_id = p_user and l.channel = p_channel and l.target = p_target
$$;

-- What became of an attempt, one element of p_results for each delivery in it. False: the lease was lost.
create function finish_attempt(p_user text, p_channel text, p_target uuid, p_epoch bigint, p_results jsonb,
                               p_patient boolean, p_now timestamptz) returns boolean
language plpgsql as $$
begin
    perform from delivery_lanes l
    where l.user_id = p_user and l.channel = p_channel and l.target = p_target and l.epoch = p_epoch for update;
    if not found then
        return false;
    end if;
    update deliveries d
    set state = r.state, failures = d.failures + (r.state <> 'delivered')::int, due_at = coalesce(r.due_at, d.due_at),
        finished_at = case when r.state <> 'pending' then p_now end, attempts = d.attempts || r.attempt
    from jsonb_to_recordset(p_results) r (id uuid, state text, due_at timestamptz, attempt jsonb)
    where d.user_id = p_user and d.id = r.id and d.state = 'pending';
    perform release_lane(p_user, p_channel, p_target, p_patient, p_now);
    return true;
end
$$;

-- Nothing more goes there: what waits has failed, for p_reason.
create function stop_lane(p_user text, p_channel text, p_target uuid, p_reason text, p_now timestamptz) returns void
language plpgsql as $$
begin
    -- Whoever adds to the lane waits here, and whoever is sending finds its lease gone.
    update delivery_lanes l set epoch = l.epoch + 1, lease_until = '-infinity', due_at = 'infinity'
    where l.user_id = p_user and l.channel = p_channel and l.target = p_target;
    update deliveries d
    set state = 'failed', finished_at = p_now,
        attempts = d.attempts || jsonb_build_object('at', rfc3339(p_now), 'outcome', 'dropped', 'detail', p_reason)
    where d.user_id = p_user and d.channel = p_channel and d.target = p_target and d.state = 'pending';
end
$$;

-- Forgets a target and all that was ever sent to it.
create function remove_lane(p_user text, p_channel text, p_target uuid) returns void
language sql as $$
    delete from delivery_lanes l where l.user_id = p_user and l.channel = p_channel and l.target = p_target;
    delete from deliveries d where d.user_id = p_user and d.channel = p_channel and d.target = p_target;
$$;

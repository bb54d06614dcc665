-- release: 1

-- Notifications of users, and their deliveries. A delivery is a row that waits in a lane. A lane belongs to one
-- endpoint of one user, and has one attempt at a time at most.

create table notifications (
    user_id   text        not null,
    id        uuid        not null,          -- of the ReminderEvent
    task_id   bigint      not null,
    title     text        not null,
    remind_at timestamptz not null,
    due_at    timestamptz,                   -- of the task; null: it has no due date
    due_kind  text,                          -- a date is shown as that day, wherever its user is
    due_local timestamp,
    time_zone text        not null,          -- in which its times are shown
    late      boolean     not null,          -- it came long after remind_at
    shown     boolean     not null,          -- in the user's list; otherwise it is kept for its deliveries
    at        timestamptz not null,
    read_at   timestamptz,
    primary key (user_id, id)
);
create index notifications_list on notifications (user_id, at desc, id desc) where shown;
create index notifications_unread on notifications (user_id) where shown and read_at is null;
create index notifications_by_time on notifications (at);

-- A webhook's secret is derived from the operator's master key, the id and the version, and is stored nowhere.
create table webhook_endpoints (
    user_id         text        not null,
    id              uuid        not null,
    url             text        not null,
    host            text        not null,                     -- of the URL
    reminders       boolean     not null,                     -- it wants reminders
    task_events     boolean     not null,                     -- it wants task events
    secret_version  int         not null default 1,
    previous_until  timestamptz not null default '-infinity', -- until then earlier secrets sign as well:
    previous_count  int         not null default 1,           -- this many versions before the current one
    rotation_ids    uuid[]      not null default '{}',        -- request ids of the last rotations: none happens twice
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
-- Finds the user that a browser belonged to before.
create index push_subscriptions_by_endpoint on push_subscriptions using hash (endpoint);

create table mail_addresses (
    user_id text primary key,
    address text not null
);

-- due_at is the lane's place in line: the time at which its first delivery is due or, when the lane was just served
-- and has more to send, the time of that. So a lane with ten thousand deliveries waits as long for its turn as a lane
-- with two. Threads serve lanes of one pace, so that endpoints that answer slowly hold up none that answer quickly.
create table delivery_lanes (
    user_id      text        not null,
    channel      text        not null,
    target       uuid        not null,                     -- webhook endpoint or push subscription; e-mail: nil
    host         text        not null,
    pace         text        not null check (pace in ('quick', 'new', 'slow')),  -- new: not known yet
    due_at       timestamptz not null,                     -- infinity: nothing waits
    paused_until timestamptz not null default '-infinity', -- the endpoint wants no calls until then (Retry-After)
    lease_until  timestamptz not null default '-infinity',
    epoch        bigint      not null default 0,           -- +1 with each lease: stops a holder that lost it
    primary key (user_id, channel, target)
) with (fillfactor = 50);
create index delivery_lanes_turn on delivery_lanes (pace, due_at) where due_at < 'infinity';
create index delivery_lanes_leased on delivery_lanes (lease_until) where lease_until > '-infinity';

create table deliveries (
    user_id     text        not null,
    id          uuid        not null default gen_random_uuid(),  -- the webhook-id, equal in every attempt
    channel     text        not null check (channel in ('webhook', 'email', 'push')),
    target      uuid        not null,
    event_id    uuid        not null,
    kind        text        not null,                            -- "reminder.due", "task.completed"
    body        text        not null,                            -- of a webhook; else made from the notification
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
-- Makes a second delivery of one event to one endpoint impossible.
create unique index deliveries_once on deliveries (user_id, event_id, channel, target);
create index deliveries_pending on deliveries (user_id, channel, target, due_at, id) where state = 'pending';
create index deliveries_of_target on deliveries (user_id, target, created_at desc, id desc);
create index deliveries_finished on deliveries (finished_at) where finished_at is not null;

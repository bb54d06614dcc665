-- release: 1

-- Events that consumers have claimed, events that failed, and the audit that finds events that never arrived.

-- A row is written in the transaction of the event's effect, so an event that is delivered again finds it. `day` comes
-- from the event's own timestamp, equal on every delivery, so that old days can be dropped as a whole.
create table inbox (
    consumer    text        not null,
    day         date        not null,
    event_id    uuid        not null,
    state       text        not null default 'done' check (state in ('done', 'waiting', 'dead')),
    received_at timestamptz not null default now(),
    identity    bigint,  -- digest that tells two events of one id and day apart (EventHeader::identity); null: unknown
    primary key (consumer, day, event_id)
) partition by range (day);

-- Days outside of the kept range: a foreign producer may send any timestamp. Rows here go by received_at.
create table inbox_default partition of inbox default;
-- Records without a readable date. Apart, because making the partition of a day scans the default one under a lock of
-- the whole inbox.
create table inbox_undated partition of inbox for values from (minvalue) to ('1971-01-01');
create index inbox_default_received on inbox_default (received_at);
create index inbox_undated_received on inbox_undated (received_at);

-- The newest version that a foreign producer published of a task in its own database.
create table foreign_tasks (
    user_id    text        not null,
    series_id  uuid        not null,
    version    bigint      not null,
    at         timestamptz not null,
    -- From then on maintenance looks whether the row is still needed: while the inbox knows the event, or a task that
    -- was made from it is open.
    keep_until timestamptz not null default now() + interval '30 days',
    primary key (user_id, series_id)
);
create index foreign_tasks_to_look_at on foreign_tasks (keep_until);

-- The retry queue: events whose effect failed, and events of the same task behind them.
create sequence retry_ids cache 1;
create table retries (
    consumer        text        not null,
    event_id        uuid        not null,
    day             date        not null,                                -- of its inbox row
    id              bigint      not null default nextval('retry_ids'),   -- order within a task's queue
    user_id         text        not null,
    task_id         bigint      not null,
    attempts        int         not null,           -- failed ones so far; 0: it waits behind another event
    due_at          timestamptz not null,           -- infinity: not the first of its queue
    first_failed_at timestamptz,
    last_failed_at  timestamptz,
    reason          text        not null default '',
    topic           text        not null,
    partition       int         not null,           -- -1: the bus has none
    "offset"        bigint      not null,
    record_key      text        not null,
    content_type    text        not null,
    record          bytea       not null,           -- byte for byte
    primary key (consumer, event_id)
);
create index retries_due on retries (due_at);
create unique index retries_queue on retries (consumer, user_id, task_id, id);

create table dead_letters (
    id              uuid        primary key,        -- derived from consumer and event id; also the id of its message
    consumer        text        not null,
    event_id        uuid        not null,           -- of a record without one: derived from its topic and offset
    has_event_id    boolean     not null,
    day             date        not null,
    user_id         text        not null,           -- empty, and task_id 0: the record names no task
    task_id         bigint      not null,
    attempts        int         not null,
    first_failed_at timestamptz not null,
    last_failed_at  timestamptz not null,
    reason          text        not null,
    topic           text        not null,
    partition       int         not null,
    "offset"        bigint      not null,
    record_key      text        not null,
    content_type    text        not null,
    record          bytea       not null,
    state           text        not null default 'open' check (state in ('open', 'replayed', 'discarded')),
    note            text        not null default '',
    resolved_at     timestamptz,
    resolved_by     text        not null default ''
);
create index dead_letters_newest on dead_letters (last_failed_at desc, id desc);
-- Open ones in the order in which they are replayed. Counting them reads the index alone.
create index dead_letters_open on dead_letters (first_failed_at, id) where state = 'open';
create index dead_letters_unreadable on dead_letters (last_failed_at) where state = 'open' and not has_event_id;
create index dead_letters_resolved on dead_letters (resolved_at) where state <> 'open';

-- The crash log: events that a running process is about to apply. Written without waiting for the disk, because a row
-- has to outlive the process, not the machine. A row that is there when the process starts again, and whose events are
-- in no inbox, names the events that the process was applying when it crashed.
create table processing (
    instance text        not null,
    slot     int         not null,
    consumer text        not null,
    days     date[]      not null,
    events   uuid[]      not null,
    at       timestamptz not null default now(),
    primary key (instance, slot)
) with (fillfactor = 50);

-- Suspects: events that were being processed when a process crashed.
create table crash_counts (
    consumer text        not null,
    event_id uuid        not null,
    crashes  int         not null,
    at       timestamptz not null default now(),
    primary key (consumer, event_id)
);

-- The audit publishes again what the bus has lost. It goes through the change log once, behind the relay, and keeps
-- the events that a consumer has not taken. One replica audits at a time.
create table audit_turn (
    only_row    boolean     primary key default true check (only_row),
    owner       text        not null default '',
    lease_until timestamptz not null default '-infinity'
);
insert into audit_turn default values;

create table audits (
    consumer  text        primary key,
    late_take timestamptz  -- when it last took a missing event that had not been published again: it lags
);

-- How far the audit is: every change visible in `snapshot` with an id up to `position` was taken by the consumer, is in
-- audit_missing, or is older than the audit. Late rows as in relay_shards: those left over from one look are continued
-- by the next one, in the snapshot in which they were found, before the cursor moves on.
create table audit_cursors (
    consumer          text     not null references audits,
    shard             smallint not null,
    position          bigint   not null,
    snapshot          text     not null,
    late_position     bigint   not null default 0,
    late_snapshot     text     not null default '',  -- empty: nothing is left over
    late_transactions text     not null default '',
    primary key (consumer, shard)
) with (fillfactor = 50);

create table audit_missing (
    id       bigint      not null,            -- of the change
    consumer text        not null,
    user_id  text        not null,
    seq      bigint      not null,
    event_id uuid        not null,
    day      date        not null,            -- of its inbox row
    due_at   timestamptz not null,            -- from then on the event counts as lost
    repeats  int         not null default 0,  -- how often it was published again
    lost_at  timestamptz,                     -- given up; the row goes when the event is taken after all
    primary key (id, consumer)
);
create index audit_missing_lost on audit_missing (consumer) where lost_at is not null;

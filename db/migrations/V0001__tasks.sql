-- release: 1

-- Users, their tasks, and the change log. Each key begins with the user: the rows of a user lie together, and users
-- never wait for each other.

create table users (
    user_id    text     primary key,
    shard      smallint not null,            -- of the relay; never changes
    seq        bigint   not null default 0,  -- of the user's newest change
    open_tasks bigint   not null default 0   -- tasks that are neither completed nor deleted
) with (fillfactor = 70);                    -- seq changes all the time: room for updates within the page

-- The order of titles: Unicode's own, whatever the language. Letters that differ in case alone are equal.
create collation title_order (provider = icu, locale = 'und-u-ks-level2', deterministic = false);

create sequence task_ids;

create table tasks (
    user_id          text        not null,
    id               bigint      not null,
    version          bigint      not null,
    seq              bigint      not null,           -- of its last change
    title            text        not null,
    description      text,
    completed        boolean     not null,
    completed_at     timestamptz,
    priority         smallint    not null check (priority between 0 and 2),  -- low, medium, high
    tags             text[]      not null,
    due_kind         text        check (due_kind in ('date', 'local', 'instant')),
    due_local        timestamp,                      -- of a date or local time: what the user said, in time_zone
    due_at           timestamptz,                    -- the instant that it comes to
    time_zone        text        not null,
    recurrence_rule  text,
    recurrence_basis text        not null check (recurrence_basis in ('schedule', 'completion')),
    series_id        uuid,
    occurrence       bigint,
    series_anchor    timestamp,                      -- wall-clock start of the series, in time_zone
    series_anchor_later boolean,                     -- clocks show the anchor twice and it is the second; null: no
    scheduled_for    timestamp,                      -- where the rule put this occurrence
    missed           bigint      not null,           -- occurrences that passed before this one was made
    rule_since       bigint,                         -- the first occurrence that has this rule; null: 1
    following        jsonb,                          -- values of the next occurrences that differ from this one's
    consumer_version bigint,                         -- version at which the recurrence consumer left it
    created_at       timestamptz not null,
    updated_at       timestamptz not null,
    deleted_at       timestamptz,                    -- a deleted task stays: late events must still find it
    skipped_at       timestamptz,                    -- with deleted_at: only this occurrence went, the series goes on
    primary key (user_id, id)
) with (fillfactor = 80);

create unique index tasks_by_id on tasks (id);
-- Makes a doubled occurrence impossible, whatever is delivered how often.
create unique index tasks_occurrence on tasks (user_id, series_id, occurrence) where series_id is not null;

-- Title and description of each task, folded by the service (FoldForSearch in src/util/unicode.h), with a character
-- between them that no folded text has. A table of its own: most changes of a task leave its texts alone, and do not
-- touch the large index that make_search_index makes here.
create table task_texts (
    user_id     text   not null,
    id          bigint not null,
    search_text text   collate "C" not null,
    primary key (user_id, id)
);

-- A user's tasks in every order of ListTasks, each read in either direction. Tasks without a due date come last in
-- both directions of that order, so it has two indexes.
create index tasks_by_creation on tasks (user_id, created_at, id) where deleted_at is null;
create index tasks_by_update on tasks (user_id, updated_at, id) where deleted_at is null;
create index tasks_by_priority on tasks (user_id, priority, id) where deleted_at is null;
create index tasks_by_title on tasks (user_id, (title collate title_order), id) where deleted_at is null;
create index tasks_by_due_first on tasks (user_id, coalesce(due_at, 'infinity'), id) where deleted_at is null;
create index tasks_by_due_last on tasks (user_id, coalesce(due_at, '-infinity'), id) where deleted_at is null;

-- The contract's task_data. A type, so that task_json needs no FROM and PostgreSQL can inline it.
create type task_data as (
    id                  bigint,
    title               text,
    description         text,
    completed           boolean,
    priority            text,
    tags                text[],
    due_date            text,
    recurrence_rule     text,
    user_id             text,
    created_at          text,
    updated_at          text,
    version             bigint,
    seq                 bigint,
    completed_at        text,
    due_kind            text,
    due_local           text,
    time_zone           text,
    recurrence_basis    text,
    series_id           uuid,
    occurrence          bigint,
    series_anchor       text,
    scheduled_for       text,
    missed_occurrences  bigint,
    skipped_at          text,
    rule_since          bigint,
    following           jsonb,
    series_anchor_later boolean
);

create sequence change_ids cache 1;  -- no cache: the relay relies on ids that rise in the order of drawing

-- The change log: history, outbox of task events, and the source from which a client catches up.
create table changes (
    user_id     text        not null,
    seq         bigint      not null,                -- +1 for each change of the user, no gaps
    id          bigint      not null default nextval('change_ids'),
    xid         xid8        not null default pg_current_xact_id(),
    shard       smallint    not null,
    event_id    uuid        not null,
    kind        text        not null,
    task_id     bigint      not null,
    version     bigint      not null,
    task_json   text        not null,                -- the contract's task_data after the change
    at          timestamptz not null,
    traceparent text        not null,
    request_id  uuid,                                -- of the call that made the change; null: a consumer made it
    primary key (user_id, seq)
);

create index changes_by_shard on changes (shard, id);
create index changes_by_xid on changes (shard, xid, id);
-- Even where one transaction wrote most rows (an import), xid is a good filter for the planner.
alter table changes alter column xid set (n_distinct = -1);

-- The answers of calls by request id: a repeated call gets the first answer.
create table requests (
    user_id     text        not null,
    request_id  uuid        not null,
    fingerprint bytea       not null,
    seq         bigint,                              -- of the change that the call made; null: it changed nothing
    answer      text,                                -- the task of a call that changed nothing; or of apply_changes
    at          timestamptz not null,
    primary key (user_id, request_id)
);
create index requests_by_time on requests (at);

-- The time zone in which a user's tasks are made: a copy of the preferences in the state store, so that making a task
-- needs no sidecar.
create table preferred_zones (
    user_id      text        primary key,
    time_zone    text        not null,
    changed_at   timestamptz not null,    -- of the preferences; a later copy is never overwritten by an earlier one
    -- A change of preferences is announced before the state store gets it. An announcement later than changed_at
    -- belongs to a process that crashed between the two, or to a write in progress: the zone has to be looked up.
    announced_at timestamptz not null default '-infinity'
);
create index preferred_zones_announced on preferred_zones (announced_at) where announced_at > changed_at;

-- Tasks, and the change log that is their history, their outbox and what a screen catches up from.
-- Every key starts with the user: a user's rows lie together, and users never wait for each other.

create table users (
    user_id text     primary key,
    shard   smallint not null,            -- of the relay; fixed when the row is made
    seq     bigint   not null default 0   -- of the user's newest change
) with (fillfactor = 70);                 -- room for in-page updates: seq changes all the time

create function shard_of(p_user text) returns smallint
language sql immutable as $$ select ((hashtext(p_user) & 2147483647) % 16)::smallint $$;

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
    due_local        timestamp,                      -- date and local: what the user meant, in time_zone
    due_at           timestamptz,                    -- what it resolves to
    time_zone        text        not null,
    recurrence_rule  text,
    recurrence_basis text        not null check (recurrence_basis in ('schedule', 'completion')),
    series_id        uuid,
    occurrence       bigint,
    series_anchor    timestamp,                      -- wall-clock start of the series, in time_zone
    scheduled_for    timestamp,                      -- where the rule put this occurrence
    missed           bigint      not null,           -- occurrences that passed before this one was made
    consumer_version bigint,                         -- version at which the recurrence consumer left it
    created_at       timestamptz not null,
    updated_at       timestamptz not null,
    deleted_at       timestamptz,                    -- a tombstone: late events must still find their task
    primary key (user_id, id)
) with (fillfactor = 80);

create unique index tasks_by_id on tasks (id);
-- What makes a doubled successor impossible, whatever is delivered how often.
create unique index tasks_occurrence on tasks (user_id, series_id, occurrence) where series_id is not null;
create index tasks_by_due on tasks (user_id, due_at, id) where deleted_at is null;

create sequence change_ids cache 1;  -- the relay relies on: drawn later means greater

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
    primary key (user_id, seq)
);

create index changes_by_shard on changes (shard, id);
create index changes_by_xid on changes (shard, xid, id);
-- Even where one transaction wrote most rows (an import), the planner must not take xid for a poor filter.
alter table changes alter column xid set (n_distinct = -1);

-- What the first call with a request id was answered.
create table requests (
    user_id     text        not null,
    request_id  uuid        not null,
    fingerprint bytea       not null,
    seq         bigint,                              -- of the change it made; null: it changed nothing and
    answer      text,                                -- this was the task
    at          timestamptz not null,
    primary key (user_id, request_id)
);

-- Rows come in order of time, so this finds the old ones and costs next to nothing.
create index requests_by_at on requests using brin (at) with (autosummarize = on);

create function rfc3339(p_at timestamptz) returns text
language sql stable parallel safe as $$
    select replace(to_char(p_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'), '.000000', '')
$$;

create function local_time(p_at timestamp) returns text
language sql stable parallel safe as $$ select to_char(p_at, 'YYYY-MM-DD"T"HH24:MI:SS') $$;

-- The contract's task_data, compact, as text that is never built a second time.
create function task_json(t tasks) returns text
language sql stable as $$
    select row_to_json(j)::text from (select
        t.id, t.title, t.description, t.completed,
        (array['low', 'medium', 'high'])[t.priority + 1] as priority,
        t.tags, rfc3339(t.due_at) as due_date, t.recurrence_rule, t.user_id,
        rfc3339(t.created_at) as created_at, rfc3339(t.updated_at) as updated_at,
        t.version, t.seq, rfc3339(t.completed_at) as completed_at,
        t.due_kind,
        case t.due_kind when 'date' then to_char(t.due_local, 'YYYY-MM-DD')
                        when 'local' then local_time(t.due_local) end as due_local,
        t.time_zone, t.recurrence_basis, t.series_id, t.occurrence,
        local_time(t.series_anchor) as series_anchor, local_time(t.scheduled_for) as scheduled_for,
        t.missed as missed_occurrences) j
$$;

-- The one way in which a task changes: the user's row lock first, then the request id, the task, its version,
-- and only when something really changed the user's next seq and the change row. One statement, one round trip,
-- one autocommit for the caller. Each inner statement sees what was committed while this one waited for the lock.
--
-- p_patch holds columns of tasks. p_task_id null makes a new task. p_request_id null means that the service
-- itself acts (a consumer, in its own transaction): it also sees tombstones, and leaves its mark in
-- consumer_version.
-- outcome: changed, unchanged, repeated (task is the first answer), not_found, stale, request_reused.
create function apply_change(
    p_user text, p_request_id uuid, p_fingerprint bytea, p_kind text, p_task_id bigint, p_version bigint,
    p_patch jsonb, p_event_id uuid, p_now timestamptz, p_traceparent text,
    out outcome text, out shard smallint, out task text)
language plpgsql as $$
declare
    owner   users%rowtype;
    request requests%rowtype;
    was     tasks%rowtype;
    t       tasks%rowtype;
begin
    select * into owner from users u where u.user_id = p_user for update;
    if not found then
        if p_task_id is not null then
            outcome := 'not_found';
            return;
        end if;
        insert into users (user_id, shard) values (p_user, shard_of(p_user)) on conflict do nothing;
        select * into owner from users u where u.user_id = p_user for update;
    end if;
    shard := owner.shard;

    if p_request_id is not null then
        select * into request from requests r where r.user_id = p_user and r.request_id = p_request_id;
        if found then
            if request.fingerprint <> p_fingerprint then
                outcome := 'request_reused';
                return;
            end if;
            outcome := 'repeated';
            task := coalesce(request.answer,
                             (select c.task_json from changes c where c.user_id = p_user and c.seq = request.seq));
            return;
        end if;
    end if;

    if p_task_id is null then
        t := jsonb_populate_record(null::tasks, p_patch);
        t.user_id := p_user;
        t.id := nextval('task_ids');
        t.version := 1;
        t.completed := false;
        t.missed := coalesce(t.missed, 0);
        t.created_at := p_now;
    else
        select * into was from tasks x where x.user_id = p_user and x.id = p_task_id;
        if not found or (was.deleted_at is not null and p_request_id is not null) then
            outcome := 'not_found';
            return;
        end if;
        if p_version is not null and p_version <> was.version then
            outcome := 'stale';
            return;
        end if;
        t := jsonb_populate_record(was, p_patch);
        -- Completing what is completed would only move completed_at: not a change.
        if t is not distinct from was or (p_kind = 'completed' and was.completed) then
            outcome := 'unchanged';
            task := task_json(was);
            if p_request_id is not null then
                insert into requests values (p_user, p_request_id, p_fingerprint, null, task, p_now);
            end if;
            return;
        end if;
        t.version := was.version + 1;
    end if;

    if p_request_id is null then
        t.consumer_version := t.version;
    end if;
    t.seq := owner.seq + 1;
    t.updated_at := p_now;
    update users u set seq = t.seq where u.user_id = p_user;
    if p_task_id is null then
        insert into tasks values (t.*);
    else
        update tasks x set
            version = t.version, seq = t.seq, title = t.title, description = t.description,
            completed = t.completed, completed_at = t.completed_at, priority = t.priority, tags = t.tags,
            due_kind = t.due_kind, due_local = t.due_local, due_at = t.due_at, time_zone = t.time_zone,
            recurrence_rule = t.recurrence_rule, recurrence_basis = t.recurrence_basis,
            series_id = t.series_id, occurrence = t.occurrence, series_anchor = t.series_anchor,
            scheduled_for = t.scheduled_for, missed = t.missed, consumer_version = t.consumer_version,
            updated_at = t.updated_at, deleted_at = t.deleted_at
        where x.user_id = p_user and x.id = p_task_id;
    end if;

    task := task_json(t);
    insert into changes (user_id, seq, shard, event_id, kind, task_id, version, task_json, at, traceparent)
    values (p_user, t.seq, owner.shard, p_event_id, p_kind, t.id, t.version, task, p_now, p_traceparent);
    if p_request_id is not null then
        insert into requests values (p_user, p_request_id, p_fingerprint, t.seq, null, p_now);
    end if;
    outcome := 'changed';
end
$$;

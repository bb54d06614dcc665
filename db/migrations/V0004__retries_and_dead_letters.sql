-- What happens to an event whose effect fails: it waits in its task's queue and is tried again, then it is a dead
-- letter. Each is one row, claimed together with the event's inbox row, so no delivery can take the event meanwhile.

-- The other half of the outbox: everything that is published and is not a task's change.
create sequence message_ids cache 1;
create table messages (
    id         bigint      primary key default nextval('message_ids'),
    xid        xid8        not null default pg_current_xact_id(),
    shard      smallint    not null,
    topic      text        not null,
    key        text        not null,
    event_id   uuid        not null,
    payload    text        not null,     -- the whole CloudEvent
    at         timestamptz not null default now()
);
create index messages_by_shard on messages (shard, id);
create index messages_by_xid on messages (shard, xid, id);
alter table messages alter column xid set (n_distinct = -1);
create index messages_by_age on messages (at);

create sequence retry_ids cache 1;
create table retries (
    consumer        text        not null,
    event_id        uuid        not null,
    day             date        not null,                                -- of its inbox row
    id              bigint      not null default nextval('retry_ids'),   -- order within a task's queue
    user_id         text        not null,
    task_id         bigint      not null,
    attempts        int         not null,           -- failures so far; 0: it only waits behind another event
    due_at          timestamptz not null,           -- infinity: not the first of its queue
    first_failed_at timestamptz,
    last_failed_at  timestamptz,
    reason          text        not null default '',
    topic           text        not null,
    partition       int         not null,           -- -1: the bus has none
    "offset"        bigint      not null,
    record_key      text        not null,
    content_type    text        not null,
    record          bytea       not null,           -- as it came
    primary key (consumer, event_id)
);
create index retries_due on retries (due_at);
create unique index retries_queue on retries (consumer, user_id, task_id, id);

create table dead_letters (
    id              uuid        primary key,        -- derived from consumer and event id; the record's id too
    consumer        text        not null,
    event_id        uuid        not null,           -- of a record that has none: derived from where it lay
    has_event_id    boolean     not null,
    day             date        not null,
    user_id         text        not null,           -- empty, 0: the record did not say
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
create index dead_letters_by_time on dead_letters (last_failed_at desc, id);

-- Holds what changes a task's queue of a consumer apart: who checks whether there is one and adds to it, and who
-- takes the first one out and calls up the next.
create function queue_key(p_consumer text, p_user text, p_task_id bigint) returns bigint
language sql immutable as $$
    select hashtextextended(p_consumer || chr(1) || p_user || chr(1) || p_task_id, 0)
$$;
create function lock_queue(p_consumer text, p_user text, p_task_id bigint) returns void
language sql as $$ select pg_advisory_xact_lock(queue_key(p_consumer, p_user, p_task_id)) $$;

-- Takes events for a consumer. behind: its task has others waiting, so it has to be put into the queue, which stays
-- locked. What is not returned was taken before.
create function claim_events(p_consumer text, p_event_ids uuid[], p_days date[], p_users text[], p_task_ids bigint[])
returns table (event_id uuid, behind boolean)
language plpgsql as $$
declare
    queue record;
begin
    for queue in
        select distinct e.user_id, e.task_id from unnest(p_users, p_task_ids) e (user_id, task_id)
        where exists (select from retries r where r.consumer = p_consumer and r.user_id = e.user_id
                                              and r.task_id = e.task_id)
        order by 1, 2
    loop
        perform lock_queue(p_consumer, queue.user_id, queue.task_id);
    end loop;
    return query
    with event as (
        select e.*, exists (select from retries r where r.consumer = p_consumer and r.user_id = e.user_id
                                                    and r.task_id = e.task_id) as behind
        from unnest(p_event_ids, p_days, p_users, p_task_ids) e (event_id, day, user_id, task_id)
    ), taken as (
        insert into inbox as i (consumer, day, event_id, state)
        select p_consumer, e.day, e.event_id, case when e.behind then 'waiting' else 'done' end
        from event e order by e.event_id
        on conflict do nothing
        returning i.event_id
    )
    select t.event_id, e.behind from taken t join event e on e.event_id = t.event_id;
end
$$;

-- Adds an event that was claimed to the end of its task's queue.
create function enqueue(p_row jsonb, p_record bytea) returns void
language plpgsql as $$
declare
    r retries%rowtype;
begin
    r := jsonb_populate_record(null::retries, p_row);
    r.record := p_record;
    r.id := nextval('retry_ids');
    if exists (select from retries x where x.consumer = r.consumer and x.user_id = r.user_id
                                       and x.task_id = r.task_id) then
        r.due_at := 'infinity';  -- it has not had its turn, so it has not failed either
        r.attempts := 0;
        r.first_failed_at := null;
        r.last_failed_at := null;
    end if;
    insert into retries values (r.*);
end
$$;

-- Lets the next event of a task's queue have its turn. The queue is locked.
create function call_up_next(p_consumer text, p_user text, p_task_id bigint, p_now timestamptz) returns void
language sql as $$
    update retries r set due_at = p_now
    where r.consumer = p_consumer and r.user_id = p_user and r.task_id = p_task_id and r.due_at = 'infinity'
      and r.id = (select min(x.id) from retries x where x.consumer = p_consumer and x.user_id = p_user
                                                    and x.task_id = p_task_id)
$$;

-- Which events a running process is about to apply. Written without waiting for the disk: it has to outlive the
-- process, not the machine. What stands here and is in no inbox when the process comes back was in its hands when
-- it died.
create table processing (
    instance text   not null,
    slot     int    not null,
    consumer text   not null,
    days     date[] not null,
    events   uuid[] not null,
    primary key (instance, slot)
) with (fillfactor = 50);

create table crash_counts (
    consumer text        not null,
    event_id uuid        not null,
    crashes  int         not null,
    at       timestamptz not null default now(),
    primary key (consumer, event_id)
);

-- After an unclean stop of `p_instance`: counts a crash for every event that was in its hands, and answers how many.
create function count_crashes(p_instance text) returns int
language plpgsql as $$
declare
    counted int;
begin
    insert into crash_counts as c (consumer, event_id, crashes)
    select distinct p.consumer, e.event_id, 1
    from processing p, unnest(p.days, p.events) e (day, event_id)
    where p.instance = p_instance
      and not exists (select from inbox i where i.consumer = p.consumer and i.day = e.day
                                            and i.event_id = e.event_id and i.state <> 'waiting')
    on conflict (consumer, event_id) do update set crashes = c.crashes + 1, at = now();
    get diagnostics counted = row_count;
    delete from processing p where p.instance = p_instance;
    delete from crash_counts c where c.at < now() - interval '1 day';
    return counted;
end
$$;

-- Publishes p_payload through the outbox.
create function post(p_topic text, p_key text, p_event_id uuid, p_payload text) returns void
language sql as $$
    insert into messages (shard, topic, key, event_id, payload)
    values (shard_of(p_key), p_topic, p_key, p_event_id, p_payload)
$$;

-- A failed event of the bus goes into its task's queue, with p_row's columns of retries. False: it was taken already.
create function park(p_row jsonb, p_record bytea) returns boolean
language plpgsql as $$
begin
    perform lock_queue(p_row->>'consumer', p_row->>'user_id', (p_row->>'task_id')::bigint);
    insert into inbox (consumer, day, event_id, state)
    values (p_row->>'consumer', (p_row->>'day')::date, (p_row->>'event_id')::uuid, 'waiting')
    on conflict do nothing;
    if not found then
        return false;
    end if;
    perform enqueue(p_row, p_record);
    return true;
end
$$;

-- Locks the queue of a waiting event and answers whether the event is still its turn. Does not wait: whoever holds
-- the queue is about to do the same thing.
create function take_up(p_consumer text, p_event_id uuid, p_attempts int) returns boolean
language plpgsql as $$
declare
    r retries%rowtype;
begin
    select * into r from retries x where x.consumer = p_consumer and x.event_id = p_event_id;
    if not found or not pg_try_advisory_xact_lock(queue_key(p_consumer, r.user_id, r.task_id)) then
        return false;
    end if;
    return exists (select from retries x where x.consumer = p_consumer and x.event_id = p_event_id
                                           and x.attempts = p_attempts and x.due_at < 'infinity');
end
$$;

-- Takes an event out of its queue for good, whatever became of it, and lets the next one have its turn.
create function leave_queue(p_consumer text, p_event_id uuid, p_state text, p_now timestamptz) returns void
language plpgsql as $$
declare
    r retries%rowtype;
begin
    delete from retries x where x.consumer = p_consumer and x.event_id = p_event_id returning * into r;
    update inbox i set state = p_state
    where i.consumer = p_consumer and i.day = r.day and i.event_id = p_event_id;
    perform call_up_next(p_consumer, r.user_id, r.task_id, p_now);
end
$$;

-- Makes a dead letter of an event, with p_row's columns of dead_letters, and posts p_payload to p_dlq_topic.
-- From the bus (p_from_queue false) it claims the event first; false: it was taken already.
create function bury(p_row jsonb, p_record bytea, p_dlq_topic text, p_payload text, p_from_queue boolean,
                     p_now timestamptz) returns boolean
language plpgsql as $$
declare
    d dead_letters%rowtype;
begin
    d := jsonb_populate_record(null::dead_letters, p_row);
    d.record := p_record;
    d.state := 'open';
    d.note := '';
    d.resolved_by := '';
    if p_from_queue then
        perform lock_queue(d.consumer, d.user_id, d.task_id);
        if not exists (select from retries r where r.consumer = d.consumer and r.event_id = d.event_id) then
            return false;
        end if;
        perform leave_queue(d.consumer, d.event_id, 'dead', p_now);
    else
        insert into inbox (consumer, day, event_id, state) values (d.consumer, d.day, d.event_id, 'dead')
        on conflict do nothing;
        if not found then
            return false;
        end if;
    end if;
    insert into dead_letters as old values (d.*)
    on conflict (id) do update set  -- it was replayed, and died again
        attempts = d.attempts, last_failed_at = d.last_failed_at, reason = d.reason, state = 'open', resolved_at = null;
    perform post(p_dlq_topic, d.record_key, d.id, p_payload);
    delete from crash_counts c where c.consumer = d.consumer and c.event_id = d.event_id;
    return true;
end
$$;

-- Puts an open dead letter back into its task's queue, as if it had never failed. False: it is not open.
create function replay(p_id uuid, p_by text, p_now timestamptz) returns boolean
language plpgsql as $$
declare
    d dead_letters%rowtype;
begin
    select * into d from dead_letters x where x.id = p_id and x.state = 'open';
    if not found then
        return false;
    end if;
    perform lock_queue(d.consumer, d.user_id, d.task_id);
    update dead_letters x set state = 'replayed', resolved_at = p_now, resolved_by = p_by
    where x.id = p_id and x.state = 'open';
    if not found then
        return false;
    end if;
    insert into inbox as i (consumer, day, event_id, state) values (d.consumer, d.day, d.event_id, 'waiting')
    on conflict (consumer, day, event_id) do update set state = 'waiting';
    perform enqueue(to_jsonb(d) - array['record', 'id'] || jsonb_build_object('attempts', 0, 'due_at', p_now), d.record);
    return true;
end
$$;

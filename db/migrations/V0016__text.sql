-- Search and titles do not depend on the database's locale.

-- The text that search looks in: title and description, folded by the service (FoldForSearch in src/util/unicode.h),
-- with a character between them that no folded text has. Null: the service has still to fold them, as it does at start.
alter table tasks add column search_text text collate "C";
create index tasks_not_folded on tasks (id) where search_text is null;

-- The order of titles: Unicode's own, whatever the language; letters that differ in case alone are equal.
create collation title_order (provider = icu, locale = 'und-u-ks-level2', deterministic = false);

-- search_text of a task after p_patch. A patch with new texts and without their folded forms comes from an older
-- program.
create function search_text_after(p_was text, p_patch jsonb) returns text
language sql immutable as $$
    select case when p_patch ?| array['title', 'description'] then
        case when p_patch ? 'title' then p_patch->>'folded_title' else split_part(p_was, chr(1), 1) end
        || chr(1) ||
        case when p_patch ? 'description' then p_patch->>'folded_description' else split_part(p_was, chr(1), 2) end
    else p_was end
$$;

-- apply_change as it is, with search_text: one statement before the task's seq is counted, one column more to write.
do $migration$
declare
    old_text text := pg_get_functiondef('apply_change'::regproc);
    new_text text := replace(replace(old_text,
        '    t.seq := owner.seq + 1;',
        '    t.search_text := search_text_after(was.search_text, p_patch);' || chr(10) || '    t.seq := owner.seq + 1;'),
        'following = t.following',
        'following = t.following, search_text = t.search_text');
begin
    if length(new_text) - length(old_text) <> 95 then
        raise exception 'apply_change is not as this migration expects it';
    end if;
    execute new_text;
end
$migration$;

-- A digest that tells an event from another one of the same id and day (EventHeader::identity). Null: not known.
alter table inbox add column identity bigint;

-- As the function of five parameters, which older programs use. outcome: fresh, behind (its task has others waiting, so
-- it has to be put into the queue, which stays locked), or reused: the event that was taken under this id is another
-- one. Events that are not returned were taken before.
create function claim_events(p_consumer text, p_event_ids uuid[], p_days date[], p_users text[], p_task_ids bigint[],
                             p_identities bigint[])
returns table (event_id uuid, outcome text)
language plpgsql as $$
declare
    queue record;
    taken_count bigint;
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
        from unnest(p_event_ids, p_days, p_users, p_task_ids, p_identities)
             e (event_id, day, user_id, task_id, identity)
        where not exists (select from retries r where r.consumer = p_consumer and r.event_id = e.event_id)
    ), taken as (
        insert into inbox as i (consumer, day, event_id, state, identity)
        select p_consumer, e.day, e.event_id, case when e.behind then 'waiting' else 'done' end,
               nullif(e.identity, 0)
        from event e order by e.event_id
        on conflict do nothing
        returning i.event_id
    )
    select t.event_id, case when e.behind then 'behind' else 'fresh' end
    from taken t join event e on e.event_id = t.event_id;
    get diagnostics taken_count = row_count;
    -- Only repeated events are looked at a second time.
    if taken_count < cardinality(p_event_ids) then
        return query
        select i.event_id, 'reused'
        from unnest(p_event_ids, p_days, p_identities) e (event_id, day, identity)
        join inbox i on i.consumer = p_consumer and i.day = e.day and i.event_id = e.event_id
        where i.identity <> nullif(e.identity, 0);
    end if;
end
$$;

-- As in V0012, with the identity.
create or replace function park(p_row jsonb, p_record bytea) returns boolean
language plpgsql as $$
begin
    perform lock_queue(p_row->>'consumer', p_row->>'user_id', (p_row->>'task_id')::bigint);
    if exists (select from retries r where r.consumer = p_row->>'consumer'
                                       and r.event_id = (p_row->>'event_id')::uuid) then
        return false;
    end if;
    insert into inbox (consumer, day, event_id, state, identity)
    values (p_row->>'consumer', (p_row->>'day')::date, (p_row->>'event_id')::uuid, 'waiting',
            nullif((p_row->>'identity')::bigint, 0))
    on conflict do nothing;
    if not found then
        return false;
    end if;
    perform enqueue(p_row, p_record);
    return true;
end
$$;

-- Likewise.
create or replace function bury(p_row jsonb, p_record bytea, p_dlq_topic text, p_payload text, p_from_queue boolean,
                                p_now timestamptz) returns boolean
language plpgsql as $$
declare
    d dead_letters%rowtype;
    r retries%rowtype;
begin
    d := jsonb_populate_record(null::dead_letters, p_row);
    d.record := p_record;
    d.state := 'open';
    d.note := '';
    d.resolved_by := '';
    if p_from_queue then
        select * into r from retries x where x.consumer = d.consumer and x.event_id = d.event_id;
        if not found then
            return false;
        end if;
        perform lock_queue(r.consumer, r.user_id, r.task_id);
        if not exists (select from retries x where x.consumer = d.consumer and x.event_id = d.event_id) then
            return false;
        end if;
        d.user_id := r.user_id;
        d.task_id := r.task_id;
        d.day := r.day;
        perform leave_queue(d.consumer, d.event_id, 'dead', p_now);
    else
        if exists (select from retries x where x.consumer = d.consumer and x.event_id = d.event_id) then
            return false;  -- a copy with another timestamp
        end if;
        insert into inbox (consumer, day, event_id, state, identity)
        values (d.consumer, d.day, d.event_id, 'dead', nullif((p_row->>'identity')::bigint, 0))
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

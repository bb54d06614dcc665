-- Which event makes the process die. One that was in its hands together with others is a suspect: whoever meets it
-- takes it alone, so that the next crash tells. Only a crash with nothing else in hand counts each time.
create or replace function count_crashes(p_instance text) returns int
language plpgsql as $$
declare
    counted int;
begin
    with in_hand as (
        select distinct p.consumer, e.event_id
        from processing p, unnest(p.days, p.events) e (day, event_id)
        where p.instance = p_instance
          and not exists (select from inbox i where i.consumer = p.consumer and i.day = e.day
                                                and i.event_id = e.event_id and i.state <> 'waiting')
    )
    insert into crash_counts as c (consumer, event_id, crashes)
    select h.consumer, h.event_id, 1 from in_hand h order by h.consumer, h.event_id
    on conflict (consumer, event_id) do update
    set crashes = c.crashes + case when (select count(*) from in_hand) = 1 then 1 else 0 end, at = now();
    get diagnostics counted = row_count;
    delete from processing p where p.instance = p_instance;
    delete from crash_counts c where c.at < now() - interval '1 day';
    return counted;
end
$$;

-- As before, but the row of the queue says whose queue it is, not the letter: a record that could not be read when it
-- was put there may be readable now, and speaks of a task then.
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

-- As before, but a copy of a waiting event is taken, whatever day its timestamp says: the inbox knows an event by id
-- and day, the queue by its id alone.
create or replace function claim_events(p_consumer text, p_event_ids uuid[], p_days date[], p_users text[],
                                        p_task_ids bigint[])
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
        where not exists (select from retries r where r.consumer = p_consumer and r.event_id = e.event_id)
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

-- Likewise.
create or replace function park(p_row jsonb, p_record bytea) returns boolean
language plpgsql as $$
begin
    perform lock_queue(p_row->>'consumer', p_row->>'user_id', (p_row->>'task_id')::bigint);
    if exists (select from retries r where r.consumer = p_row->>'consumer'
                                       and r.event_id = (p_row->>'event_id')::uuid) then
        return false;
    end if;
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

-- As before, but with the queue locked in any case: one that came to be after claim_events had looked for it may be
-- empty again by now, and nobody would call this event up. Then it has its turn at once.
create or replace function enqueue(p_row jsonb, p_record bytea) returns void
language plpgsql as $$
declare
    r retries%rowtype;
begin
    r := jsonb_populate_record(null::retries, p_row);
    r.record := p_record;
    r.id := nextval('retry_ids');
    perform lock_queue(r.consumer, r.user_id, r.task_id);
    if exists (select from retries x where x.consumer = r.consumer and x.user_id = r.user_id
                                       and x.task_id = r.task_id) then
        r.due_at := 'infinity';  -- it has not had its turn, so it has not failed either
        r.attempts := 0;
        r.first_failed_at := null;
        r.last_failed_at := null;
    elsif r.due_at = 'infinity' then
        r.due_at := 'epoch';
    end if;
    insert into retries values (r.*) on conflict do nothing;  -- two copies with different timestamps at once
end
$$;

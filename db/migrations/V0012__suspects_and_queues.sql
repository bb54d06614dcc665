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

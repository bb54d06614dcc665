-- release: 2

-- Claims events for a consumer.
--
-- outcome: fresh (apply it); behind (other events of its task wait in the retry queue, so it has to be added there; the
-- queue stays locked); reused (another event was claimed under this id). Events that are not returned were claimed
-- before. A copy of an event in the retry queue counts as claimed, whatever day its timestamp says: the inbox knows an
-- event by id and day, the retry queue by its id alone.
create or replace function claim_events(p_consumer text, p_event_ids uuid[], p_days date[], p_users text[],
                                        p_task_ids bigint[], p_identities bigint[])
returns table (event_id uuid, outcome text)
language plpgsql
set enable_seqscan = off as $$  -- a plan outlives the moment in which the retry queue was full
declare
    queue record;
    taken_count bigint;
begin
    -- Normally no event of the consumer waits, and none of these was claimed before: then they only have to be noted.
    begin
        insert into inbox (consumer, day, event_id, state, identity)
        select p_consumer, e.day, e.event_id, 'done', nullif(e.identity, 0)
        from unnest(p_event_ids, p_days, p_identities) e (event_id, day, identity)
        where not exists (select from retries r where r.consumer = p_consumer)
        order by e.event_id;
        if found then
            return query select e, 'fresh' from unnest(p_event_ids) e;
            return;
        end if;
    exception when unique_violation then  -- the insert has no effect
    end;

    for queue in
        select distinct e.user_id, e.task_id from unnest(p_users, p_task_ids) e (user_id, task_id)
        where exists (select from retries r where r.consumer = p_consumer and r.user_id = e.user_id
                                              and r.task_id = e.task_id)
        order by 1, 2
    loop
        perform lock_retry_queue(p_consumer, queue.user_id, queue.task_id);
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
    -- Only when some events were claimed before, the inbox is read a second time.
    if taken_count < cardinality(p_event_ids) then
        return query
        select i.event_id, 'reused'
        from unnest(p_event_ids, p_days, p_identities) e (event_id, day, identity)
        join inbox i on i.consumer = p_consumer and i.day = e.day and i.event_id = e.event_id
        where i.identity <> nullif(e.identity, 0);
    end if;
end
$$;

-- release: 1

-- Counts a crash for the events that p_instance was processing when it stopped, and answers how many events these were.
-- One event alone caused the crash, so its count rises. Several events together are suspects: each is counted once and
-- processed alone from then on, so that the next crash tells which one it is.
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

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

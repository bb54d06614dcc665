-- release: 2

-- Counts a crash for the events that dead processes were processing when they stopped, and answers how many events these
-- were. Dead are the former process of p_instance, and each process whose lock is free. The lock says nothing when the
-- server itself was restarted after the row was written: that row waits for a process of its own name.
-- Events count for each dead process by itself. One event alone caused the crash, so its count rises. Several events
-- together are suspects: each is counted once and processed alone from then on, so that the next crash tells which one
-- it is.
create or replace function count_crashes(p_instance text) returns int
language plpgsql as $$
declare
    dead    text;
    counted int;
    total   int := 0;
begin
    for dead in
        select p_instance
        union
        select p.instance from processing p
        where p.holds_lock and p.at >= pg_postmaster_start_time() and p.instance <> p_instance
        order by 1
    loop
        continue when dead <> p_instance and not pg_try_advisory_xact_lock(crash_log_key(dead));
        with in_hand as (
            select distinct p.consumer, e.event_id
            from processing p, unnest(p.days, p.events) e (day, event_id)
            where p.instance = dead
              and not exists (select from inbox i where i.consumer = p.consumer and i.day = e.day
                                                    and i.event_id = e.event_id and i.state <> 'waiting')
        )
        insert into crash_counts as c (consumer, event_id, crashes)
        select h.consumer, h.event_id, 1 from in_hand h order by h.consumer, h.event_id
        on conflict (consumer, event_id) do update
        set crashes = c.crashes + case when (select count(*) from in_hand) = 1 then 1 else 0 end, at = now();
        get diagnostics counted = row_count;
        total := total + counted;
        delete from processing p where p.instance = dead;
    end loop;
    delete from crash_counts c where c.at < now() - interval '1 day';
    return total;
end
$$;

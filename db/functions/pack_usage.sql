-- release: 1

-- Takes up to p_limit events that are due to be packed out of usage_events, for the caller to store in usage_packs within
-- the transaction: an array of usage_fact for each account and day. No rows: nothing is due, or another replica is
-- packing or rebuilding.
create or replace function take_usage_events(p_limit int, p_now timestamptz)
returns table (account bigint, day date, created_from timestamptz, facts text)
language plpgsql set enable_seqscan = off as $$
declare
    due  record;
    rest int := p_limit;
    n    int;
begin
    -- Rows of an account that is being deleted must not come back.
    perform from usage_state for update skip locked;
    if not found then
        return;
    end if;
    -- Whoever counts in one of these days at this moment has locked its row.
    for due in
        select d.account, d.day from usage_days d where d.pack_at <= p_now order by d.pack_at limit 100
        for update skip locked
    loop
        with gone as (
            delete from usage_events e
            where e.ctid = any (array(
                select x.ctid from usage_events x
                where x.account = due.account and x.kind = any (usage_kinds())
                  and x.at >= due.day::timestamp at time zone 'UTC'
                  and x.at < (due.day + 1)::timestamp at time zone 'UTC'
                limit rest))
            returning e as event
        )
        select due.account, due.day,
               min((g.event).created_at) filter (where (g.event).kind in ('completed', 'uncompleted')),
               json_agg(usage_fact(g.event) order by (g.event).at)::text, count(*)
        into account, day, created_from, facts, n
        from gone g;
        if n > 0 then
            return next;
        end if;
        rest := rest - n;
        exit when rest <= 0;
        update usage_days d set pack_at = null where d.account = due.account and d.day = due.day;
    end loop;
end
$$;

-- An event as a JSON array: the quarter of an hour since the epoch, kind, born, the quarter in which the task was created,
-- microseconds from creating to completing, priority, tags, series.
create or replace function usage_fact(e usage_events) returns json
language sql stable as $$
    select json_build_array(floor(extract(epoch from e.at) / 900)::bigint, e.kind, e.born,
                            floor(extract(epoch from e.created_at) / 900)::bigint,
                            case when e.kind = 'completed' then
                                (extract(epoch from e.at - e.created_at) * 1000000)::bigint end,
                            e.priority, e.tags, e.series_id)
$$;

-- All kinds of events. With them, an index by account, kind and time finds a stretch of time.
create or replace function usage_kinds() returns text[]
language sql immutable parallel safe as $$
    select array['created', 'updated', 'completed', 'uncompleted', 'deleted']
$$;

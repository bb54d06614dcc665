-- release: 2

-- Adds events to the numbers of their accounts. All rows are locked in one order, so that no two callers wait for each
-- other; those of the totals last, because everybody locks them.
--
-- Events are packed when the day after theirs is over. Later ones of the day wait for each other for a while. So that a
-- crowd of events does not lie about for two days, about each thousandth has its day packed at once.
create or replace function add_usage(p_events usage_event[]) returns void
language plpgsql as $$
begin
    insert into usage_events (account, kind, at, event_id, seconds, created_at, born, priority, tags, series_id)
    select e.account, e.kind, e.at, e.event_id,
           case when e.kind = 'completed' then extract(epoch from e.at - e.created_at) end,
           e.created_at, e.born, e.priority, coalesce(e.tags, '{}'), e.series_id
    from unnest(p_events) e where not e.is_total order by 1 desc, 2, 3, 4
    on conflict do nothing;

    insert into usage_days as d (account, day, active, completed, pack_at)
    select q.account, q.day, bit_or(q.quarter),
           coalesce(bit_or(q.quarter) filter (where q.kind = 'completed'), 0::bit(96)),
           case when bool_or(uuid_hash(q.event_id) % 1000 = 0) then '-infinity'
                else (q.day + 2)::timestamp at time zone 'UTC' end
    from (
        select u.account, u.kind, u.event_id, u.at::date as day,
               set_bit(0::bit(96), date_part('hour', u.at)::int * 4 + date_part('minute', u.at)::int / 15, 1) as quarter
        from (select e.account, e.kind, e.event_id, e.at at time zone 'UTC' as at
              from unnest(p_events) e where not e.is_total) u
        offset 0  -- so that a quarter is computed once
    ) q
    group by 1, 2 order by 1 desc, 2
    on conflict (account, day) do update set
        active = d.active | excluded.active, completed = d.completed | excluded.completed,
        pack_at = case when excluded.pack_at = '-infinity' then excluded.pack_at
                       else coalesce(d.pack_at, greatest(excluded.pack_at, now() + interval '10 minutes')) end
    where d.active | excluded.active <> d.active or d.completed | excluded.completed <> d.completed
       or d.pack_at is null or excluded.pack_at = '-infinity' and d.pack_at <> '-infinity';

    insert into usage_counts as c
        (account, dimension, at, key, created, updated, completed, uncompleted, deleted, born, done)
    select * from (
        select e.account, d.dimension, n.at, d.key, sum(n.created), sum(n.updated), sum(n.completed),
               sum(n.uncompleted), sum(n.deleted), sum(n.born), sum(n.done)
        from unnest(p_events) e
        cross join lateral (
            select usage_quarter(e.at), (e.kind = 'created')::int, (e.kind = 'updated')::int, (e.kind = 'completed')::int,
                   (e.kind = 'uncompleted')::int, (e.kind = 'deleted')::int, e.born::int, 0
            union all
            select usage_quarter(e.created_at), 0, 0, 0, 0, 0, 0, case e.kind when 'completed' then 1 else -1 end
            where e.kind in ('completed', 'uncompleted') and e.created_at is not null
        ) n (at, created, updated, completed, uncompleted, deleted, born, done)
        cross join lateral usage_dimensions(e.priority, e.tags) d
        where e.is_total
        group by 1, 2, 3, 4
        offset 0  -- so that the sums are sorted, and not the events
    ) s order by s.account desc, s.dimension, s.at, s.key
    on conflict (account, dimension, at, key) do update set
        created = c.created + excluded.created, updated = c.updated + excluded.updated,
        completed = c.completed + excluded.completed, uncompleted = c.uncompleted + excluded.uncompleted,
        deleted = c.deleted + excluded.deleted, born = c.born + excluded.born, done = c.done + excluded.done;

    insert into usage_bins as b (account, dimension, at, key, bin, count)
    select * from (
        select e.account, d.dimension, e.at, d.key, e.bin, count(*)
        from (select t.account, usage_quarter(t.at) as at, t.priority, t.tags,
                     usage_bin(extract(epoch from t.at - t.created_at)::float8) as bin
              from unnest(p_events) t
              where t.kind = 'completed' and t.created_at is not null and t.is_total
              offset 0) e
        cross join lateral usage_dimensions(e.priority, e.tags) d
        group by 1, 2, 3, 4, 5
        offset 0
    ) s order by s.account desc, s.dimension, s.at, s.key, s.bin
    on conflict (account, dimension, at, key, bin) do update set count = b.count + excluded.count;
end
$$;

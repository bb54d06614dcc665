-- release: 2

-- For each shard, in the order given: transactions that were running in its snapshot of p_since, are committed in
-- p_until, and wrote rows of the shard with ids up to its positions. Such rows are late: their ids were drawn early,
-- their commit came late. A shard whose snapshot is null has none.
--
-- The transactions are among xip of the snapshot, or at or above its xmax, which is the newest completed one + 1.
-- Everything between xmax and the next number to be given was running, so that range is small; without its upper end
-- the first look after a long pause would read everything since. A visible row has a number below the present xmax;
-- that condition matters only in a database restored from a dump, where the numbers of old rows say nothing.
--
-- The search reads steps of 100 rows, each beyond the last transaction of the step before: few steps where transactions
-- write little, and one for a transaction that wrote many rows. The first row of a transaction has its lowest id. All
-- shards are searched by one statement, because its start costs more than a step. Scans and joins that read whole
-- tables are off, because a plan outlives the moment in which a table was empty.
create or replace function late_writers_of_shards(p_shards smallint[], p_positions bigint[], p_message_positions bigint[],
                                                  p_since pg_snapshot[], p_until pg_snapshot) returns setof xid8[]
language plpgsql stable rows 16
set enable_seqscan = off set enable_bitmapscan = off set enable_hashjoin = off set enable_mergejoin = off
set plan_cache_mode = force_generic_plan as $$
begin
    return query
    with recursive s as materialized (
        select g.*, (pg_snapshot_xmax(g.since)::text::bigint - 1)::text::xid8 as below,
               least(pg_snapshot_xmax(p_until), (pg_snapshot_xmax(g.since)::text::bigint + 100000)::text::xid8) as high
        from unnest(p_shards, p_positions, p_message_positions, p_since)
             with ordinality g (shard, position, message_position, since, ord)
    ), c as (
        select s.ord, s.shard, s.position, s.high, s.below as last, null::xid8[] as late from s where s.position > 0
        union all
        select c.ord, c.shard, c.position, c.high, n.*
        from c cross join lateral (
            select (array_agg(y.xid))[100], array_agg(distinct y.xid) filter (where y.id <= c.position)
            from (select x.xid, x.id from changes x
                  where x.shard = c.shard and x.xid > c.last and x.xid < c.high
                  order by x.xid, x.id limit 100) y) n
        where c.last is not null
    ), m as (
        select s.ord, s.shard, s.message_position as position, s.high, s.below as last, null::xid8[] as late
        from s where s.message_position > 0
        union all
        select m.ord, m.shard, m.position, m.high, n.*
        from m cross join lateral (
            select (array_agg(y.xid))[100], array_agg(distinct y.xid) filter (where y.id <= m.position)
            from (select x.xid, x.id from messages x
                  where x.shard = m.shard and x.xid > m.last and x.xid < m.high
                  order by x.xid, x.id limit 100) y) n
        where m.last is not null
    )
    select coalesce(array_agg(distinct w.xid) filter (where pg_visible_in_snapshot(w.xid, p_until)), '{}')
    from (select s.ord, x.xid from s left join lateral pg_snapshot_xip(s.since) x (xid) on true
          union all select c.ord, x.xid from c cross join lateral unnest(c.late) x (xid)
          union all select m.ord, x.xid from m cross join lateral unnest(m.late) x (xid)) w
    group by w.ord order by w.ord;
end
$$;

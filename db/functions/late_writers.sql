-- release: 1

-- Transactions that were running in p_since, are committed in p_until, and wrote rows of the shard with ids up to the
-- positions. Such rows are late: their ids were drawn early, their commit came late.
--
-- The transactions are among xip of p_since, or at or above its xmax, which is the newest completed one + 1. Everything
-- between xmax and the next number to be given was running, so that range is small; without its upper end the first
-- look after a long pause would read everything since. A visible row has a number below the present xmax; that
-- condition matters only in a database restored from a dump, where the numbers of old rows say nothing.
--
-- The search takes one step in the index for each transaction of that range, however many rows it wrote. Sequential
-- scans are off, because a plan outlives the moment in which a table was empty.
create or replace function late_writers(p_shard smallint, p_position bigint, p_message_position bigint,
                                        p_since pg_snapshot, p_until pg_snapshot) returns xid8[]
language plpgsql stable set enable_seqscan = off as $$
declare
    low  xid8 := pg_snapshot_xmax(p_since);
    high xid8 := least(pg_snapshot_xmax(p_until), (pg_snapshot_xmax(p_since)::text::bigint + 100000)::text::xid8);
begin
    if p_since is null then
        return '{}';
    end if;
    return (
        with recursive c as (
            (select x.xid, x.id from changes x
             where x.shard = p_shard and x.xid >= low and x.xid < high
             order by x.xid, x.id limit 1)
            union all
            select n.xid, n.id from c cross join lateral (
                select x.xid, x.id from changes x
                where x.shard = p_shard and x.xid > c.xid and x.xid < high
                order by x.xid, x.id limit 1) n
        ), m as (
            (select x.xid, x.id from messages x
             where x.shard = p_shard and x.xid >= low and x.xid < high
             order by x.xid, x.id limit 1)
            union all
            select n.xid, n.id from m cross join lateral (
                select x.xid, x.id from messages x
                where x.shard = p_shard and x.xid > m.xid and x.xid < high
                order by x.xid, x.id limit 1) n
        )
        select array(
            select w.xid
            from (select x as xid from pg_snapshot_xip(p_since) x
                  union select c.xid from c where c.id <= p_position
                  union select m.xid from m where m.id <= p_message_position) w
            where pg_visible_in_snapshot(w.xid, p_until)));
end
$$;

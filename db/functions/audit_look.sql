-- release: 1

-- Forgets missing events that the consumer has taken meanwhile. Then goes on through the changes that the relay has
-- published: at most p_limit of each shard, up to the first one younger than p_overdue, while fewer than p_window
-- events are missing. Changes before p_oldest are skipped: their days of the inbox may be gone.
--
-- Each lookup in the inbox is a scalar subquery, so that it is one descent in the index of one day; a join would read
-- whole days. Sequential scans are off, because a plan outlives the moment in which a day was empty.
create or replace function audit_look(p_consumer text, p_now timestamptz, p_overdue timestamptz, p_oldest timestamptz,
                                      p_due timestamptz, p_limit int, p_window int,
                                      out more boolean, out missing int, out late_take timestamptz)
language plpgsql set enable_seqscan = off as $$
declare
    c       audit_cursors%rowtype;
    relay   relay_shards%rowtype;
    since   pg_snapshot;
    until   pg_snapshot;
    late    xid8[];
    late_rows record;
    ahead   record;
    reached bigint;
    found_missing int;
    lags    boolean;
begin
    delete from audit_missing m where m.consumer = p_consumer and m.day < (p_oldest at time zone 'UTC')::date;
    with taken as (
        delete from audit_missing m
        where m.consumer = p_consumer
          and (select true from inbox i
               where i.consumer = p_consumer and i.day = m.day and i.event_id = m.event_id)
        returning m.repeats)
    select bool_or(t.repeats = 0) into lags from taken t;
    if lags then
        update audits a set late_take = p_now where a.consumer = p_consumer;
    end if;
    select a.late_take into late_take from audits a where a.consumer = p_consumer;

    select count(*) into missing from audit_missing m where m.consumer = p_consumer and m.lost_at is null;
    more := false;
    for c in select * from audit_cursors a where a.consumer = p_consumer order by a.position loop
        exit when missing >= p_window;
        select * into relay from relay_shards s where s.shard = c.shard;
        continue when relay.snapshot = '';  -- nothing was published yet
        if c.late_snapshot <> '' then
            until := c.late_snapshot;
            late := c.late_transactions;
        else
            since := c.snapshot;
            until := relay.snapshot;
            if pg_snapshot_xmax(since) > pg_snapshot_xmax(pg_current_snapshot()) then
                since := until;  -- the database was restored from a dump: its old snapshots say nothing
            end if;
            -- The relay has not moved since the audit began.
            continue when pg_snapshot_xmax(until) < pg_snapshot_xmax(since);
            continue when relay.position = c.position and relay.snapshot = c.snapshot;
            late := late_writers(c.shard, c.position, 0, since, until);
        end if;

        select count(*) as count, max(y.id) as last_id into late_rows
        from (select l.id
              from unnest(late) t (xid) cross join lateral (
                  select x.id from changes x
                  where x.shard = c.shard
                    and (x.xid, x.id) > (t.xid, c.late_position) and (x.xid, x.id) <= (t.xid, c.position)
                  order by x.xid, x.id limit p_limit) l
              order by l.id limit p_limit) y;
        if late_rows.count = p_limit then
            more := true;
            reached := c.position;
        elsif c.late_snapshot <> '' then
            more := true;
            reached := c.position;
            late_rows.last_id := c.position;
        else
            late_rows.last_id := c.position;
            select count(*) as count, max(x.id) as last_id,
                   min(x.id) filter (where x.at > p_overdue
                                       and x.at < p_now + interval '1 hour') as young_id  -- beyond: a clock was wrong
            into ahead
            from (select n.id, n.at from changes n
                  where n.shard = c.shard and n.id > c.position and n.id <= relay.position
                  order by n.id limit p_limit) x;
            if ahead.young_id is not null then
                reached := ahead.young_id - 1;
            elsif ahead.count < p_limit then
                reached := relay.position;
            else
                reached := ahead.last_id;
                more := true;
            end if;
        end if;

        insert into audit_missing (id, consumer, user_id, seq, event_id, day, due_at)
        select x.id, p_consumer, x.user_id, x.seq, x.event_id, x.day, p_due
        from (
            select n.id, n.xid, n.user_id, n.seq, n.event_id, n.at, (n.at at time zone 'UTC')::date as day
            from changes n where n.shard = c.shard and n.id > c.position and n.id <= reached
            union all
            select l.id, l.xid, l.user_id, l.seq, l.event_id, l.at, (l.at at time zone 'UTC')::date
            from unnest(late) t (xid) cross join lateral (
                select * from changes y
                where y.shard = c.shard
                  and (y.xid, y.id) > (t.xid, c.late_position) and (y.xid, y.id) <= (t.xid, late_rows.last_id)
                order by y.xid, y.id) l) x
        where pg_visible_in_snapshot(x.xid, until) and x.at >= p_oldest
          and (select true from inbox i
               where i.consumer = p_consumer and i.day = x.day and i.event_id = x.event_id) is null
        on conflict do nothing;
        get diagnostics found_missing = row_count;
        missing := missing + found_missing;
        if late_rows.count = p_limit then
            update audit_cursors a
            set late_position = late_rows.last_id, late_snapshot = until::text, late_transactions = late::text
            where a.consumer = p_consumer and a.shard = c.shard;
        else
            update audit_cursors a
            set position = reached, snapshot = until::text,
                late_position = 0, late_snapshot = '', late_transactions = ''
            where a.consumer = p_consumer and a.shard = c.shard;
        end if;
    end loop;
end
$$;

-- Nothing is read or written without a bound, whatever one transaction wrote.

-- Late rows that are too many for one batch: besides what the cursor says, everything visible in late_snapshot with an
-- id up to late_position (of a change) or late_message_position is on the bus. late_transactions are those whose late
-- rows these are. A replica that does not know these columns goes by the cursor alone and sends copies.
alter table relay_shards
    add column late_position         bigint not null default 0,
    add column late_message_position bigint not null default 0,
    add column late_snapshot         text   not null default '',  -- empty: nothing is left over
    add column late_transactions     text   not null default '';

-- The transactions that were running in p_since, have committed in p_until, and wrote rows of the shard with ids up to
-- the positions: late rows, drawn early and committed late. They are among xip of p_since, or at or above its xmax,
-- which is the newest completed one + 1. Everything between xmax and the next number to be given was running, so that
-- is a small range; without its upper end the first look after a long pause would go through all that came since. What
-- is visible has a number below the present xmax; the condition matters only in a database that was restored from a
-- dump, where the old rows' numbers say nothing.
--
-- One step in the index for each transaction of that range, however many rows it wrote. Sequential scans are off here
-- and below: a plan outlives the moment in which a table was empty.
create function late_writers(p_shard smallint, p_position bigint, p_message_position bigint,
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

-- As in V0003, with the new columns.
drop function relay_renew(text, interval);
create function relay_renew(p_owner text, p_lease interval)
returns table (shard smallint, epoch bigint, "position" bigint, message_position bigint, snapshot text,
               late_position bigint, late_message_position bigint, late_snapshot text, late_transactions text,
               fair_share int)
language plpgsql as $$
declare
    live int;
    held int;
    fair int;
begin
    insert into relay_replicas as r values (p_owner, clock_timestamp() + p_lease)
    on conflict (owner) do update set lease_until = excluded.lease_until;
    delete from relay_replicas r where r.lease_until < clock_timestamp() - interval '1 minute';
    select count(*) into live from relay_replicas r where r.lease_until >= clock_timestamp();
    fair := ceil((select count(*) from relay_shards)::numeric / greatest(live, 1));

    update relay_shards s set lease_until = clock_timestamp() + p_lease where s.owner = p_owner;
    get diagnostics held = row_count;
    if held < fair then
        update relay_shards s
        set owner = p_owner, epoch = s.epoch + 1, lease_until = clock_timestamp() + p_lease
        where s.shard in (select x.shard from relay_shards x where x.lease_until < clock_timestamp()
                          order by x.shard limit fair - held for update skip locked);
    end if;
    -- One row with nulls tells the fair share even to a replica that holds nothing.
    return query
        select s.shard, s.epoch, s.position, s.message_position, s.snapshot,
               s.late_position, s.late_message_position, s.late_snapshot, s.late_transactions, fair
        from (select 1) one left join relay_shards s on s.owner = p_owner
        order by s.shard;
end
$$;

-- The audit reads late rows in the same way: those that are too many for one look are continued by the next ones, in
-- the snapshot in which they were found, before it goes on.
alter table audit_cursors
    add column late_position     bigint not null default 0,
    add column late_snapshot     text   not null default '',  -- empty: nothing is left over
    add column late_transactions text   not null default '';

-- As in V0005, but for the late rows.
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

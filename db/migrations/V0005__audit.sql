-- What the bus has lost is published again. The change log says what there is and the inbox what a consumer has taken,
-- so the audit goes through the log once, behind the relay, and keeps what it finds missing.

-- One replica audits at a time.
create table audit_turn (
    only_row    boolean     primary key default true check (only_row),
    owner       text        not null default '',
    lease_until timestamptz not null default '-infinity'
);
insert into audit_turn default values;

create table audits (
    consumer  text        primary key,
    late_take timestamptz  -- when it last took something that was missing and had not been published again: it lags
);

-- How far the audit is: everything visible in `snapshot` with an id up to `position` was taken by the consumer, stands
-- in audit_missing, or is older than the audit. A cursor of the relay's kind: see relay_shards.
create table audit_cursors (
    consumer text     not null references audits,
    shard    smallint not null,
    position bigint   not null,
    snapshot text     not null,
    primary key (consumer, shard)
) with (fillfactor = 50);

create table audit_missing (
    id       bigint      not null,            -- of the change
    consumer text        not null,
    user_id  text        not null,
    seq      bigint      not null,
    event_id uuid        not null,
    day      date        not null,            -- of its inbox row
    due_at   timestamptz not null,            -- silence counts as its loss from then on
    repeats  int         not null default 0,  -- how often it was published again
    lost_at  timestamptz,                     -- given up; taken after all, the row goes
    primary key (id, consumer)
);

-- The whole log up to now is older than the audit of a consumer that is not known yet.
create function audit_enroll(p_consumers text[]) returns void
language plpgsql as $$
begin
    insert into audits (consumer) select unnest(p_consumers) on conflict do nothing;
    insert into audit_cursors (consumer, shard, position, snapshot)
    select c, s.shard, coalesce((select max(x.id) from changes x where x.shard = s.shard), 0),
           pg_current_snapshot()::text
    from unnest(p_consumers) c, relay_shards s
    on conflict do nothing;
end
$$;

create function audit_take_turn(p_owner text, p_lease interval) returns boolean
language sql as $$
    with taken as (
        update audit_turn set owner = p_owner, lease_until = clock_timestamp() + p_lease
        where owner = p_owner or lease_until < clock_timestamp()
        returning 1)
    select exists (select from taken)
$$;

-- Forgets what the consumer has taken meanwhile, and goes on through what the relay has published: at most p_limit
-- changes of each shard, up to the first that is younger than p_overdue, as long as fewer than p_window are missing.
-- Changes before p_oldest are not looked at: their days of the inbox may be gone.
--
-- Lookups in the inbox are scalar subqueries, so that each is one descent in the index of one day; a join would read
-- whole days. And sequential scans are off here and below: a plan outlives the moment in which a day was empty.
create function audit_look(p_consumer text, p_now timestamptz, p_overdue timestamptz, p_oldest timestamptz,
                           p_due timestamptz, p_limit int, p_window int,
                           out more boolean, out missing int, out late_take timestamptz)
language plpgsql set enable_seqscan = off as $$
declare
    c       audit_cursors%rowtype;
    relay   relay_shards%rowtype;
    since   pg_snapshot;
    until   pg_snapshot;
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
        since := c.snapshot;
        until := relay.snapshot;
        if pg_snapshot_xmax(since) > pg_snapshot_xmax(pg_current_snapshot()) then
            since := until;  -- the database was restored from a dump: its old snapshots say nothing
        end if;
        -- The relay has not moved since the audit began.
        continue when pg_snapshot_xmax(until) < pg_snapshot_xmax(since);
        continue when relay.position = c.position and relay.snapshot = c.snapshot;

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

        insert into audit_missing (id, consumer, user_id, seq, event_id, day, due_at)
        select x.id, p_consumer, x.user_id, x.seq, x.event_id, x.day, p_due
        from (
            select n.id, n.xid, n.user_id, n.seq, n.event_id, n.at, (n.at at time zone 'UTC')::date as day
            from changes n where n.shard = c.shard and n.id > c.position and n.id <= reached
            union all  -- committed late: two branches as the relay reads them, for the same reasons
            select l.id, l.xid, l.user_id, l.seq, l.event_id, l.at, (l.at at time zone 'UTC')::date
            from changes l where l.shard = c.shard and l.id + 0 <= c.position
              and l.xid = any (array(select pg_snapshot_xip(since)))
            union all
            select l.id, l.xid, l.user_id, l.seq, l.event_id, l.at, (l.at at time zone 'UTC')::date
            from changes l where l.shard = c.shard and l.id + 0 <= c.position
              and l.xid >= pg_snapshot_xmax(since)
              and l.xid < least(pg_snapshot_xmax(until),
                                (pg_snapshot_xmax(since)::text::bigint + 100000)::text::xid8)) x
        where pg_visible_in_snapshot(x.xid, until) and x.at >= p_oldest
          and (select true from inbox i
               where i.consumer = p_consumer and i.day = x.day and i.event_id = x.event_id) is null
        on conflict do nothing;
        get diagnostics found_missing = row_count;
        missing := missing + found_missing;
        update audit_cursors a set position = reached, snapshot = until::text
        where a.consumer = p_consumer and a.shard = c.shard;
    end loop;
end
$$;

-- What is missing and was due at p_now, in the order of the log.
create function audit_due(p_consumer text, p_now timestamptz, p_limit int)
returns table (change_id bigint, repeats int, change changes)
language sql stable set enable_seqscan = off as $$
    select m.id, m.repeats, c
    from audit_missing m join changes c on c.user_id = m.user_id and c.seq = m.seq
    where m.consumer = p_consumer and m.lost_at is null and m.due_at <= p_now
      and (select true from inbox i
           where i.consumer = p_consumer and i.day = m.day and i.event_id = m.event_id) is null
    order by m.id limit p_limit
$$;

-- What is missing although one of its user's next changes was taken. More of either than the limits below would tell
-- more, and would cost lookups for every event that is merely late.
create function audit_passed_over(p_consumer text, p_limit int)
returns table (change_id bigint, repeats int, change changes)
language sql stable set enable_seqscan = off as $$
    select m.id, m.repeats, c
    from (select * from audit_missing x where x.consumer = p_consumer and x.lost_at is null and x.repeats = 0
          order by x.id limit 1000) m
    join changes c on c.user_id = m.user_id and c.seq = m.seq
    where exists (select from changes l
                  where l.user_id = m.user_id and l.seq > m.seq and l.seq <= m.seq + 20
                    and (select true from inbox i
                         where i.consumer = p_consumer and i.day = (l.at at time zone 'UTC')::date
                           and i.event_id = l.event_id))
      -- In the same snapshot: it was not taken together with the later one.
      and (select true from inbox i
           where i.consumer = p_consumer and i.day = m.day and i.event_id = m.event_id) is null
    order by m.id limit p_limit
$$;

-- Publishes events again, through the outbox, that are as often repeated as p_repeats says. For every consumer that
-- misses them: they all get the same copy. Answers the shards that have something to publish now.
create function audit_repeat(p_consumer text, p_ids bigint[], p_repeats int[], p_due timestamptz[], p_topic text,
                             p_payloads text[]) returns setof smallint
language sql as $$
    with again as (
        update audit_missing m set repeats = m.repeats + 1, due_at = e.due_at
        from unnest(p_ids, p_repeats, p_due, p_payloads) e (id, repeats, due_at, payload)
        where m.consumer = p_consumer and m.id = e.id and m.repeats = e.repeats and m.lost_at is null
        returning m.id, m.user_id, m.event_id, m.due_at, e.payload
    ), others as (
        update audit_missing o set repeats = o.repeats + 1, due_at = greatest(o.due_at, a.due_at)
        from again a where o.id = a.id and o.consumer <> p_consumer and o.lost_at is null
    ), posted as (
        select o.user_id, post(p_topic, o.user_id, o.event_id, o.payload) from (select * from again order by id) o
    )
    select distinct shard_of(p.user_id) from posted p
$$;

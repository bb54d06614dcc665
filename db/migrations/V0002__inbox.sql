-- Which consumer has taken which event. A row is written in the same transaction as the effect, so an event
-- delivered again finds it. `day` comes from the event's own timestamp, the same on every delivery, so that old
-- days can be dropped whole.

create table inbox (
    consumer text not null,
    day      date not null,
    event_id uuid not null,
    state    text not null default 'done' check (state in ('done', 'waiting', 'dead')),
    primary key (consumer, day, event_id)
) partition by range (day);

-- Days outside the kept range: foreign producers may send any timestamp.
create table inbox_default partition of inbox default;

-- Makes the partitions of the coming days and drops those older than p_keep_days. Harmless to repeat.
create procedure maintain_inbox(p_today date, p_keep_days int)
language plpgsql as $$
declare
    d      date;
    part text;
begin
    -- One replica at a time; the others come back at their next turn.
    if not pg_try_advisory_xact_lock(hashtext('todo.maintain_inbox')) then
        return;
    end if;
    for d in select generate_series(p_today - 1, p_today + 7, interval '1 day')::date loop
        part := 'inbox_' || to_char(d, 'YYYYMMDD');
        -- A day that already has rows in the default partition stays there.
        if to_regclass(part) is null and not exists (select from inbox_default i where i.day = d) then
            execute format('create table %I partition of inbox for values from (%L) to (%L)', part, d, d + 1);
        end if;
    end loop;
    for part in select c.relname from pg_inherits i join pg_class c on c.oid = i.inhrelid
                where i.inhparent = 'inbox'::regclass and c.relname ~ '^inbox_\d{8}$'
                  and to_date(right(c.relname, 8), 'YYYYMMDD') < p_today - p_keep_days loop
        execute format('drop table %I', part);
    end loop;
end
$$;

-- The newest thing a foreign producer said of a task that lives in its database, not in ours.
create table foreign_tasks (
    user_id   text        not null,
    series_id uuid        not null,
    version   bigint      not null,
    at        timestamptz not null,
    primary key (user_id, series_id)
);

-- Locks the users, making those that are new, in one order for everybody.
create function lock_users(p_users text[]) returns void
language plpgsql as $$
begin
    insert into users (user_id, shard)
    select u, shard_of(u) from unnest(p_users) u
    where not exists (select from users x where x.user_id = u)
    order by u
    on conflict do nothing;
    perform from users u where u.user_id = any (p_users) order by u.user_id for update;
end
$$;

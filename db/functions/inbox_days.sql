-- release: 1

-- The partitions of the inbox, one for each day.

-- The days that should have a partition and have none.
create or replace function missing_inbox_days() returns setof date
language sql as $$
    select d::date from generate_series((now() at time zone 'UTC')::date - 1,
                                        (now() at time zone 'UTC')::date + 7, interval '1 day') d
    where to_regclass('inbox_' || to_char(d, 'YYYYMMDD')) is null
$$;

-- Makes the partition of a day. Rows of that day that came earlier, from a producer whose clock is ahead, move there
-- from the default partition. When more rows lie there than can be moved while consumers wait, the day stays without a
-- partition and the answer is false: those rows go by the time at which they came. Harmless to repeat.
create or replace function make_inbox_day(p_day date) returns boolean
language plpgsql as $$
declare
    part text := 'inbox_' || to_char(p_day, 'YYYYMMDD');
begin
    -- The same order as in every statement that writes there. A writer that waits for the first lock finds the right
    -- partition afterwards.
    lock table only inbox in access exclusive mode;
    if to_regclass(part) is not null then
        return true;
    end if;
    if (select count(*) from (select from inbox_default where day = p_day limit 50001) x) > 50000 then
        return false;
    end if;
    lock table inbox_default in access exclusive mode;
    execute format('create table %I (like inbox including all)', part);
    execute format('with moved as (delete from inbox_default where day = %L returning *)
                    insert into %I select * from moved', p_day, part);
    execute format('alter table inbox attach partition %I for values from (%L) to (%L)', part, p_day, p_day + 1);
    return true;
end
$$;

-- The partitions of days that are older than p_keep_days.
create or replace function old_inbox_days(p_keep_days int) returns setof text
language sql as $$
    select c.relname::text from pg_inherits i join pg_class c on c.oid = i.inhrelid
    where i.inhparent = 'inbox'::regclass and c.relname ~ '^inbox_\d{8}$'
      and to_date(right(c.relname, 8), 'YYYYMMDD') < (now() at time zone 'UTC')::date - p_keep_days
    order by 1
$$;

-- Everything that is kept for a time goes by the database's clock, and everything that is not kept for ever has a way
-- out. Indexes for what is looked at often: old rows, open dead letters, and a user's tasks in each order.

-- Making the days of the inbox and dropping old ones is told apart: the first comes before events are taken, the
-- second when there is time for it. What a binary of V0002 takes for today counts for nothing.
create or replace procedure maintain_inbox(p_today date, p_keep_days int)
language plpgsql as $$
begin
end
$$;

-- The days of the inbox that should have a partition and have none.
create function missing_inbox_days() returns setof date
language sql as $$
    select d::date from generate_series((now() at time zone 'UTC')::date - 1,
                                        (now() at time zone 'UTC')::date + 7, interval '1 day') d
    where to_regclass('inbox_' || to_char(d, 'YYYYMMDD')) is null
$$;

-- Makes the partition of a day. Rows of that day that came before it, because their producer was ahead, move there
-- from the default partition; when more lie there than can be moved while consumers wait, the day stays without a
-- partition and false is answered: its rows go by when they came. Harmless to repeat.
create function make_inbox_day(p_day date) returns boolean
language plpgsql as $$
declare
    part text := 'inbox_' || to_char(p_day, 'YYYYMMDD');
begin
    -- In this order as all who write there. Whoever waits for the first finds out afterwards where a row belongs.
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
create function old_inbox_days(p_keep_days int) returns setof text
language sql as $$
    select c.relname::text from pg_inherits i join pg_class c on c.oid = i.inhrelid
    where i.inhparent = 'inbox'::regclass and c.relname ~ '^inbox_\d{8}$'
      and to_date(right(c.relname, 8), 'YYYYMMDD') < (now() at time zone 'UTC')::date - p_keep_days
    order by 1
$$;

-- The oldest rows come one after the other. A block-range index would not do: where old rows were, new ones are
-- written, and then no range is without old ones.
create index requests_by_time on requests (at);
drop index requests_by_at;
create index notifications_by_time on notifications (at);
drop index notifications_by_at;

-- What a process that never came back had in its hands.
alter table processing add column at timestamptz not null default now();

-- What a foreign producer said last is needed as long as the inbox knows the event, and as long as a task that was
-- made from it is open. Looked at from `keep_until` on.
alter table foreign_tasks add column keep_until timestamptz not null default now() + interval '30 days';
create index foreign_tasks_to_look_at on foreign_tasks (keep_until);

-- Open dead letters, in the order in which they are replayed, and listed. Counting them reads the index alone.
create index dead_letters_open on dead_letters (first_failed_at, id) where state = 'open';
create index dead_letters_unreadable on dead_letters (last_failed_at) where state = 'open' and not has_event_id;
create index dead_letters_newest on dead_letters (last_failed_at desc, id desc);
drop index dead_letters_by_time;
create index audit_missing_lost on audit_missing (consumer) where lost_at is not null;

-- A user's tasks in every order of ListTasks, each read in either direction. A task without a due date comes last in
-- both, so those are two.
create index tasks_by_creation on tasks (user_id, created_at, id) where deleted_at is null;
create index tasks_by_update on tasks (user_id, updated_at, id) where deleted_at is null;
create index tasks_by_priority on tasks (user_id, priority, id) where deleted_at is null;
create index tasks_by_title on tasks (user_id, (title collate title_order), id) where deleted_at is null;
create index tasks_by_due_first on tasks (user_id, coalesce(due_at, 'infinity'), id) where deleted_at is null;
create index tasks_by_due_last on tasks (user_id, coalesce(due_at, '-infinity'), id) where deleted_at is null;
drop index tasks_by_due;

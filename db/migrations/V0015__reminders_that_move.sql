-- Reminders of occurrences that move, come back or are all day.

-- A day in no zone is shown as that day, wherever its user is. No kind: a row from before, due at an instant.
alter table notifications
    add column due_kind  text,
    add column due_local timestamp;

-- From the occurrence before, not given to this one by its user. Those from before this column: with their task, with
-- a time on the clock, which only copies have, or with a task that came back.
alter table reminders add column copied boolean not null default false;
update reminders r set copied = true
from tasks t
where t.user_id = r.user_id and t.id = r.task_id and t.occurrence > 1
  and (r.at_local is not null or r.created_at = t.created_at
       or t.consumer_version = t.version and r.created_at = t.updated_at);

-- The instant at which clocks in the zone show a time; of one that they show twice the first.
create function first_instant(shown timestamp, zone text) returns timestamptz
language sql stable as $$
    select case when first.at at time zone zone = shown then first.at else last.at end
    from (select shown at time zone zone as at) last
    cross join lateral (select last.at - interval '24 hours' as at) before
    cross join lateral (select (shown - ((before.at at time zone zone) - (before.at at time zone 'UTC')))
                               at time zone 'UTC' as at) first
$$;

-- As in V0007; and a task that is due at an instant stays where it is when its zone changes, and so do its reminders:
-- one with a time on the clock gets the instant that it was. (Beyond the years that can be kept it comes to nothing.)
create or replace function mark_reminders() returns trigger
language plpgsql as $$
declare
    stays boolean := coalesce(new.due_kind = 'instant' and new.time_zone <> old.time_zone, false);
begin
    -- In the order of the key, as all who write several reminders.
    perform from reminders r where r.user_id = new.user_id and r.task_id = new.id order by r.number for update;
    if found then
        update reminders r
        set unplanned_since = coalesce(r.unplanned_since, new.updated_at),
            at = case when stays and r.at_local < '9999-12-31' then first_instant(r.at_local, old.time_zone)
                      else r.at end,
            at_local = case when stays and r.at_local < '9999-12-31' then null else r.at_local end
        where r.user_id = new.user_id and r.task_id = new.id and r.state <> 'deleted';
    end if;
    return null;
end
$$;

-- The next occurrence of a task gets its reminders: relative ones as they are, absolute ones at the same distance on
-- the clock to the date on which the rule put it, for a task that was moved goes back to it. Their clock is that of the
-- series; one with a time on the clock has the same there, in whatever zone its task was. Planned since its predecessor
-- was done or skipped, so that none falls between the two.
create or replace function copy_reminders() returns trigger
language plpgsql as $$
declare
    p    tasks%rowtype;
    zone text;      -- of the series, in which scheduled_for is
    last int := 0;  -- no number above it is taken
begin
    select * into p from tasks t
    where t.user_id = new.user_id and t.series_id = new.series_id and t.occurrence = new.occurrence - 1;
    if not found then
        return null;
    end if;
    zone := coalesce(p.following->>'time_zone', p.time_zone);

    -- A successor that comes back: its former copies give way. One whose job is written stays, as deleted, until that
    -- is gone. What its user gave it stays, under its number.
    if tg_op = 'UPDATE' then
        -- In the order of the key, as all who write several reminders.
        perform from reminders r where r.user_id = new.user_id and r.task_id = new.id order by r.number for update;
        delete from reminders r
        where r.user_id = new.user_id and r.task_id = new.id and r.copied and r.job_at is null;
        update reminders r set state = 'deleted', unplanned_since = null
        where r.user_id = new.user_id and r.task_id = new.id and r.copied;
        select coalesce(max(r.number), 0) into last from reminders r
        where r.user_id = new.user_id and r.task_id in (new.id, p.id);
    end if;

    insert into reminders as r (user_id, task_id, number, at_local, before, time_of_day, state, unplanned_since,
                                created_at, copied)
    select new.user_id, new.id,
           c.number + case when exists (select from reminders o
                                        where o.user_id = new.user_id and o.task_id = new.id and o.number = c.number
                                          and not o.copied) then last else 0 end,
           case when c.before is null then
               date_trunc('second', new.scheduled_for - p.scheduled_for
                                    + coalesce(c.at at time zone zone, c.at_local))
           end,
           c.before, c.time_of_day, 'cancelled', coalesce(p.completed_at, p.skipped_at, new.updated_at),
           new.updated_at, true
    from reminders c
    where c.user_id = p.user_id and c.task_id = p.id and c.state <> 'deleted'
      and (c.before is not null or p.scheduled_for is not null and new.scheduled_for is not null)
    order by c.number
    on conflict (user_id, task_id, number) do update set
        at = null, at_local = excluded.at_local, before = excluded.before, time_of_day = excluded.time_of_day,
        planned_at = null, remind_at = null, state = excluded.state, fired_at = null,
        unplanned_since = excluded.unplanned_since, created_at = excluded.created_at;
    return null;
end
$$;

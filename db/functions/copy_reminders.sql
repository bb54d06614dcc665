-- release: 1

-- Gives the next occurrence of a task the reminders of the task. A relative reminder is copied as it is. An absolute
-- one keeps its distance, on the clock of the series, to the date on which the rule put the task: a moved task's
-- successor returns to the rule. A reminder with a wall-clock time has the same time there, in whatever zone its task
-- was. Copies are unplanned since the predecessor was completed or skipped, so that no reminder falls between the two.
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

    -- The occurrence was deleted and is restored: new copies replace its former ones. A former copy whose job is
    -- written stays as deleted until the job is gone. Reminders that the user gave to this occurrence keep their
    -- numbers.
    if tg_op = 'UPDATE' then
        -- In the order of the key, as in every statement that locks several reminders.
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

create or replace trigger copy_reminders after insert on tasks for each row
when (new.occurrence > 1 and new.consumer_version is not null)
execute function copy_reminders();

-- An occurrence that the consumer brings back: its predecessor may have more reminders by now. A user who restores a
-- task gets back the reminders that it had.
create or replace trigger copy_reminders_again after update on tasks for each row
when (old.deleted_at is not null and new.deleted_at is null and new.consumer_version = new.version)
execute function copy_reminders();

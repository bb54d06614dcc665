-- Reminders of tasks. This table is the truth; the scheduler's job for a reminder is only a hint to look here.

create table reminders (
    user_id           text        not null,
    task_id           bigint      not null,
    number            int         not null check (number > 0),
    -- What the user said: one of the first three. before is an ISO 8601 duration, time_of_day goes with it.
    at                timestamptz,
    at_local          timestamp,                -- wall-clock time in the task's zone, of a next occurrence
    before            text,
    time_of_day       text,
    planned_at        timestamptz,              -- what that came to when last planned
    remind_at         timestamptz,              -- the same, or where snoozing has moved it
    state             text        not null check (state in ('pending', 'fired', 'cancelled', 'deleted')),
    fired_at          timestamptz,
    unplanned_since   timestamptz,              -- the first change of the task that this was not planned for
    created_at        timestamptz not null,
    -- The job: when there should be one, when there is one as far as we know, and who is about to change that.
    wanted_job        timestamptz generated always as (case when state = 'pending' then remind_at end) stored,
    job_at            timestamptz,
    job_written_at    timestamptz,
    job_claimed_until timestamptz not null default '-infinity',
    primary key (user_id, task_id, number)
) with (fillfactor = 80);

create index reminders_unplanned on reminders (unplanned_since) where unplanned_since is not null;
create index reminders_due on reminders (remind_at) where state = 'pending';
create index reminders_jobs on reminders (remind_at) where wanted_job is distinct from job_at;

-- A change of a task that matters to its reminders marks them, in the transaction of the change: whoever makes the
-- change, and however apply_change grows, none can be forgotten.
create function mark_reminders() returns trigger
language plpgsql as $$
begin
    -- In the order of the key, as all who write several reminders.
    perform from reminders r where r.user_id = new.user_id and r.task_id = new.id order by r.number for update;
    if found then
        update reminders r set unplanned_since = coalesce(r.unplanned_since, new.updated_at)
        where r.user_id = new.user_id and r.task_id = new.id and r.state <> 'deleted';
    end if;
    return null;
end
$$;

create trigger mark_reminders after update on tasks for each row
when ((old.completed, old.deleted_at is null, old.due_kind, old.due_local, old.due_at, old.time_zone)
      is distinct from
      (new.completed, new.deleted_at is null, new.due_kind, new.due_local, new.due_at, new.time_zone))
execute function mark_reminders();

-- The next occurrence of a task gets its reminders: relative ones as they are, absolute ones at the same distance to
-- the due date on the clock. Planned since its predecessor's completion, so that none falls between the two.
create function copy_reminders() returns trigger
language plpgsql as $$
begin
    insert into reminders (user_id, task_id, number, at_local, before, time_of_day, state, unplanned_since, created_at)
    select new.user_id, new.id, r.number,
           case when r.before is null then
               date_trunc('second', coalesce(new.due_local, new.due_at at time zone new.time_zone)
                                    + (coalesce(r.at_local, r.at at time zone p.time_zone)
                                       - coalesce(p.due_local, p.due_at at time zone p.time_zone)))
           end,
           r.before, r.time_of_day, 'cancelled', coalesce(p.completed_at, new.updated_at), new.updated_at
    from tasks p
    join reminders r on r.user_id = p.user_id and r.task_id = p.id
    where p.user_id = new.user_id and p.series_id = new.series_id and p.occurrence = new.occurrence - 1
      and r.state <> 'deleted' and (r.before is not null or (p.due_at is not null and new.due_at is not null))
    on conflict do nothing;
    return null;
end
$$;

create trigger copy_reminders after insert on tasks for each row
when (new.occurrence > 1 and new.consumer_version is not null)
execute function copy_reminders();

-- A successor that was taken away and comes back: its predecessor may have got more reminders since.
create trigger copy_reminders_again after update on tasks for each row
when (old.deleted_at is not null and new.deleted_at is null)
execute function copy_reminders();

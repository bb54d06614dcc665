-- release: 1

-- Reminders of tasks. This table is the truth; the scheduler's job for a reminder is a hint to look here.

create table reminders (
    user_id           text        not null,
    task_id           bigint      not null,
    number            int         not null check (number > 0),
    -- When the user wants it: one of the next three. `before` is an ISO 8601 duration, time_of_day goes with it.
    at                timestamptz,
    at_local          timestamp,                -- wall-clock time in the task's zone, of a next occurrence
    before            text,
    time_of_day       text,
    planned_at        timestamptz,              -- the instant that it came to when last planned
    remind_at         timestamptz,              -- planned_at, or the instant to which it was snoozed
    state             text        not null check (state in ('pending', 'fired', 'cancelled', 'deleted')),
    fired_at          timestamptz,
    unplanned_since   timestamptz,              -- the first change of the task that it was not planned for
    created_at        timestamptz not null,
    copied            boolean     not null default false,  -- from the occurrence before, not given by the user
    -- The job: when there should be one, when there is one as far as is known, and until when a replica is changing it.
    wanted_job        timestamptz generated always as (case when state = 'pending' then remind_at end) stored,
    job_at            timestamptz,
    job_written_at    timestamptz,
    job_claimed_until timestamptz not null default '-infinity',
    primary key (user_id, task_id, number)
) with (fillfactor = 80);

create index reminders_unplanned on reminders (unplanned_since) where unplanned_since is not null;
create index reminders_due on reminders (remind_at) where state = 'pending';
create index reminders_jobs on reminders (remind_at) where wanted_job is distinct from job_at;

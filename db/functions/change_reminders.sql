-- release: 1

-- Changes the reminders of a task as a part of a call: takes away those in p_removed, then adds those in p_added, which
-- have columns of reminders and the next numbers. A new reminder is unplanned, like a copy in copy_reminders. A removed
-- one whose job is written stays as deleted until the job is gone.
--
-- outcome: changed (numbers are those of the new reminders), no_such_reminder (numbers are the unknown ones),
-- too_many_reminders. Precondition: the user is locked.
create or replace function change_reminders(
    p_user text, p_task_id bigint, p_removed int[], p_added jsonb, p_limit int, p_now timestamptz,
    out outcome text, out numbers int[])
language plpgsql as $$
declare
    last int;
    kept int;
begin
    -- In the order of the key, as in every statement that locks several reminders.
    perform from reminders r where r.user_id = p_user and r.task_id = p_task_id order by r.number for update;
    numbers := array(select n from unnest(p_removed) n
                     where not exists (select from reminders r
                                       where r.user_id = p_user and r.task_id = p_task_id and r.number = n
                                         and r.state <> 'deleted'));
    if numbers <> '{}' then
        outcome := 'no_such_reminder';
        return;
    end if;
    update reminders r set state = 'deleted', unplanned_since = null
    where r.user_id = p_user and r.task_id = p_task_id and r.number = any (p_removed);
    delete from reminders r
    where r.user_id = p_user and r.task_id = p_task_id and r.number = any (p_removed) and r.job_at is null;

    select coalesce(max(r.number), 0), count(*) filter (where r.state <> 'deleted') into last, kept
    from reminders r where r.user_id = p_user and r.task_id = p_task_id;
    if kept + jsonb_array_length(p_added) > p_limit then
        outcome := 'too_many_reminders';
        return;
    end if;
    insert into reminders
        (user_id, task_id, number, at, at_local, before, time_of_day, state, unplanned_since, created_at)
    select p_user, p_task_id, last + a.place, r.at, r.at_local, r.before, r.time_of_day, 'cancelled', p_now, p_now
    from jsonb_array_elements(p_added) with ordinality a (j, place), jsonb_populate_record(null::reminders, a.j) r;
    numbers := array(select generate_series(last + 1, last + jsonb_array_length(p_added)));
    outcome := 'changed';
end
$$;

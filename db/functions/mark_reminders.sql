-- release: 1

-- A change of a task that matters to its reminders marks them as unplanned, in the transaction of the change. A trigger
-- cannot be forgotten by any way of changing a task.
--
-- A task that is due at an instant stays where it is when its zone changes, and so do its reminders: a reminder with a
-- wall-clock time gets the instant that it was. (A year above 9999 cannot be kept and stays as it is.)
create or replace function mark_reminders() returns trigger
language plpgsql as $$
declare
    stays boolean := coalesce(new.due_kind = 'instant' and new.time_zone <> old.time_zone, false);
begin
    -- In the order of the key, as in every statement that locks several reminders.
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

create or replace trigger mark_reminders after update on tasks for each row
when ((old.completed, old.deleted_at is null, old.due_kind, old.due_local, old.due_at, old.time_zone)
      is distinct from
      (new.completed, new.deleted_at is null, new.due_kind, new.due_local, new.due_at, new.time_zone))
execute function mark_reminders();

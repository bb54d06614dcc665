-- release: 1

-- An open task goes on with its series, also when the tasks after it were deleted. The trigger marks the next one as
-- deleted by the consumer, which then restores it in its turn. A skipped task stays skipped, and nothing is restored
-- while a later task exists. A trigger works in either order: deleted first or opened first.
create or replace function resume_series() returns trigger
language plpgsql as $$
declare
    newest tasks%rowtype;
begin
    select * into newest from tasks l
    where l.user_id = new.user_id and l.series_id = new.series_id and l.deleted_at is null
    order by l.occurrence desc limit 1;
    if not newest.completed then
        update tasks n
        set consumer_version = n.version
        where n.user_id = new.user_id and n.series_id = new.series_id and n.occurrence = newest.occurrence + 1
          and n.skipped_at is null and n.consumer_version is distinct from n.version;
    end if;
    return null;
end
$$;

create or replace trigger resume_series after update on tasks for each row
when (new.series_id is not null
      and ((old.deleted_at is null) <> (new.deleted_at is null) or (old.completed and not new.completed)))
execute function resume_series();

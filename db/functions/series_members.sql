-- release: 1

-- The tasks of a series that a change of the series has to know: the open ones, the completed one before each open one
-- (opened again, the series would go on from there), and the last one that counts. A task that the consumer made and
-- deleted again does not count: the consumer will restore it in its turn.
create or replace function series_members(p_user text, p_series uuid) returns setof tasks
language sql stable as $$
    with there as (
        select t.occurrence, t.completed, lag(t.occurrence) over (order by t.occurrence) as before
        from tasks t
        where t.user_id = p_user and t.series_id = p_series and t.deleted_at is null)
    select t.* from tasks t
    where t.user_id = p_user and t.series_id = p_series
      and t.occurrence in (
          select h.occurrence from there h where not h.completed
          union all
          select h.before from there h where not h.completed
          union all
          select max(l.occurrence) from tasks l
          where l.user_id = p_user and l.series_id = p_series
            and (l.deleted_at is null or l.consumer_version is distinct from l.version))
$$;

-- release: 1

-- Applies several changes to the tasks of one user's series in one commit, all or none, each with a seq of its own. The
-- first change is the call's: it carries the request id, and its task is the answer.
--
-- p_seen: ids and versions of series_members as the caller read them. outcome: as of apply_change, or series_changed:
-- the series is not as the caller read it; read it again and repeat.
create or replace function apply_to_series(
    p_user text, p_series uuid, p_seen text, p_changes jsonb, p_fingerprint bytea, p_now timestamptz,
    p_traceparent text, p_open_limit bigint default null, out outcome text, out shard smallint, out task text)
language plpgsql as $$
declare
    change jsonb;
    done   record;
begin
    perform from users u where u.user_id = p_user for update;
    if not exists (select from requests r
                   where r.user_id = p_user and r.request_id = (p_changes->0->>'request_id')::uuid)
       and p_seen is distinct from (select string_agg(m.id || ':' || m.version, ',' order by m.occurrence)
                                    from series_members(p_user, p_series) m) then
        outcome := 'series_changed';
        return;
    end if;
    for change in select c.j from jsonb_array_elements(p_changes) with ordinality c (j, ord) order by c.ord loop
        done := apply_change(p_user, (change->>'request_id')::uuid, p_fingerprint, change->>'kind',
                             (change->>'task_id')::bigint, (change->>'version')::bigint, change->'patch',
                             (change->>'event_id')::uuid, p_now, p_traceparent,
                             case when change ? 'request_id' then p_open_limit end,
                             (p_changes->0->>'request_id')::uuid);
        if outcome is null then
            outcome := done.outcome;
            shard := done.shard;
            task := done.task;
            if outcome not in ('changed', 'unchanged') then
                return;  -- nothing was written
            end if;
        elsif done.outcome = 'changed' then
            outcome := 'changed';
        elsif done.outcome <> 'unchanged' then
            raise exception 'apply_to_series: a task of the series is %', done.outcome;
        end if;
    end loop;
end
$$;

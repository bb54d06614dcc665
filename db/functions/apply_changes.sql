-- release: 1

-- Applies several changes of one user in one commit, all or none. Each goes through apply_change, in their order, and
-- has a seq of its own. The request id belongs to the call, not to one of its changes: requests.answer then holds a
-- JSON array with one entry for each change: its seq, or the task where nothing was changed.
--
-- p_changes: objects with kind, task_id (null: a new task), version (null: any), patch, event_id, at, traceparent.
-- Answers one row for each change, with the outcome and the task of apply_change. After a failure it answers one row
-- with the place of the failed change, counted from 1. request_reused is about the call and has no place.
create or replace function apply_changes(
    p_user text, p_request_id uuid, p_fingerprint bytea, p_changes jsonb, p_open_limit bigint default null)
returns table (place bigint, outcome text, shard smallint, task text)
language plpgsql as $$
declare
    request  requests%rowtype;
    each     record;
    done     record;
    outcomes text[] := '{}';
    written  text[] := '{}';  -- the tasks after their changes
    answers  text[] := '{}';  -- as requests.answer keeps them
begin
    perform from users u where u.user_id = p_user for update;
    if not found then
        insert into users (user_id, shard) values (p_user, shard_of(p_user)) on conflict do nothing;
        perform from users u where u.user_id = p_user for update;
    end if;
    shard := (select u.shard from users u where u.user_id = p_user);

    select * into request from requests r where r.user_id = p_user and r.request_id = p_request_id;
    if found then
        if request.fingerprint <> p_fingerprint
           or (case when left(request.answer, 1) = '[' then json_array_length(request.answer::json) end)
              is distinct from jsonb_array_length(p_changes) then
            outcome := 'request_reused';
            return next;
            return;
        end if;
        return query
            select a.place, 'repeated', apply_changes.shard, coalesce(c.task_json, a.entry::text)
            from json_array_elements(request.answer::json) with ordinality a (entry, place)
            left join changes c
                on c.user_id = p_user
                   and c.seq = case when json_typeof(a.entry) = 'number' then a.entry::text::bigint end
            order by a.place;
        return;
    end if;

    for each in
        select c.place, c.j->>'kind' as kind, (c.j->>'task_id')::bigint as task_id, c.j as change
        from jsonb_array_elements(p_changes) with ordinality c (j, place) order by c.place
    loop
        -- Without a request id of its own the change counts as a consumer's, which also sees deleted tasks.
        if exists (select from tasks t
                   where t.user_id = p_user and t.id = each.task_id and t.deleted_at is not null) then
            outcome := 'not_found';
        else
            done := apply_change(p_user, null, null, each.kind, each.task_id, (each.change->>'version')::bigint,
                                 each.change->'patch' || '{"consumer_version": null}',
                                 (each.change->>'event_id')::uuid, (each.change->>'at')::timestamptz,
                                 each.change->>'traceparent', p_open_limit, p_request_id);
            outcome := done.outcome;
        end if;
        if outcome not in ('changed', 'unchanged') then
            place := each.place;
            raise exception using errcode = 'TD001';
        end if;
        outcomes := outcomes || outcome;
        written := written || done.task;
        answers := answers || case when outcome = 'changed' then done.task::json->>'seq' else done.task end;
    end loop;
    insert into requests (user_id, request_id, fingerprint, answer, at)
    values (p_user, p_request_id, p_fingerprint, '[' || array_to_string(answers, ',') || ']',
            (p_changes->0->>'at')::timestamptz);
    return query
        select a.place, a.outcome, apply_changes.shard, a.task
        from unnest(outcomes, written) with ordinality a (outcome, task, place) order by a.place;
exception when sqlstate 'TD001' then
    return next;  -- nothing was written; outcome and place say why
end
$$;

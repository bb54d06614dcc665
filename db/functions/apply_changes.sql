-- release: 1

-- Applies several changes of one user in one commit, all or none. Each goes through apply_change, in their order, and
-- has a seq of its own. The request id belongs to the call, not to one of its changes: requests.answer then holds a
-- JSON array with one entry for each change, as first_answers reads it: {"seq": …}, or {"task": …} where nothing was
-- changed, and "reminders", the numbers of the reminders that were added.
--
-- p_changes: objects with kind, task_id (null: a new task), version (null: any), patch, event_id, at, traceparent, and,
-- where the task's reminders change too, reminders: {"removed": numbers, "added": objects, "limit": …}, as
-- change_reminders takes them.
--
-- Answers one row for each change, with the outcome and the task of apply_change, and the numbers of its new reminders.
-- After a failure it answers one row with the place of the failed change, counted from 1; its outcome is one of
-- apply_change or change_reminders. request_reused is about the call and has no place.
create or replace function apply_changes(
    p_user text, p_request_id uuid, p_fingerprint bytea, p_changes jsonb, p_open_limit bigint default null)
returns table (place bigint, outcome text, shard smallint, task text, reminders int[])
language plpgsql as $$
declare
    request requests%rowtype;
    each    record;
    done    record;
    told    record;
    answers text[] := '{}';  -- as requests.answer keeps them
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
           or (select count(*) from first_answers(request)) <> jsonb_array_length(p_changes) then
            outcome := 'request_reused';
            return next;
            return;
        end if;
        return query
            select a.place, 'repeated', apply_changes.shard, a.task, a.reminders
            from first_answers(request) a order by a.place;
        return;
    end if;

    for each in
        select c.place, c.j->>'kind' as kind, (c.j->>'task_id')::bigint as task_id, (c.j->>'at')::timestamptz as at,
               c.j->'reminders' as reminders, c.j as change
        from jsonb_array_elements(p_changes) with ordinality c (j, place) order by c.place
    loop
        reminders := '{}';
        -- Without a request id of its own the change counts as a consumer's, which also sees deleted tasks.
        if each.kind <> 'created'
           and exists (select from tasks t
                       where t.user_id = p_user and t.id = each.task_id and t.deleted_at is not null) then
            outcome := 'not_found';
        else
            done := apply_change(p_user, null, null, each.kind, each.task_id, (each.change->>'version')::bigint,
                                 each.change->'patch' || '{"consumer_version": null}',
                                 (each.change->>'event_id')::uuid, each.at, each.change->>'traceparent',
                                 p_open_limit, p_request_id);
            outcome := done.outcome;
        end if;
        if outcome in ('changed', 'unchanged') and each.reminders is not null then
            told := change_reminders(p_user, (done.task::json->>'id')::bigint,
                                     array(select n::int from jsonb_array_elements_text(each.reminders->'removed') n),
                                     each.reminders->'added', (each.reminders->>'limit')::int, each.at);
            reminders := told.numbers;
            if told.outcome <> 'changed' then
                outcome := told.outcome;
            end if;
        end if;
        if outcome not in ('changed', 'unchanged') then
            place := each.place;
            raise exception using errcode = 'TD001';
        end if;
        answers := answers || json_build_object(
            case outcome when 'changed' then 'seq' else 'task' end,
            case outcome when 'changed' then done.task::json->'seq' else done.task::json end,
            'reminders', reminders)::text;
    end loop;
    insert into requests (user_id, request_id, fingerprint, answer, at)
    values (p_user, p_request_id, p_fingerprint, '[' || array_to_string(answers, ',') || ']',
            (p_changes->0->>'at')::timestamptz)
    returning * into request;
    return query
        select a.place, case when a.changed then 'changed' else 'unchanged' end, apply_changes.shard, a.task,
               a.reminders
        from first_answers(request) a order by a.place;
exception when sqlstate 'TD001' then
    return next;  -- nothing was written; outcome and place say why
end
$$;

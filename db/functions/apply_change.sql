-- release: 1

-- Applies one change to a task: in one statement and one round trip, committed on its own when the caller opened no
-- transaction. Locks the user's row first, then looks up the request id, then the task and its version. Only when
-- something really changes, the user gets the next seq and the change log a row. Each inner statement sees everything
-- that was committed while this one waited for the lock.
--
-- p_patch: columns of tasks, with their new values. p_task_id null: makes a new task. p_request_id null: a consumer
-- acts, in its own transaction; the call then also sees deleted tasks, and sets consumer_version unless the patch does.
-- p_kind created with a p_task_id: the task comes back, so the call sees it although it is deleted.
--
-- p_open_limit: a change that would leave the user with more open tasks than this is refused; null: none is.
--
-- p_part_of: the request id of the call, where it has several changes and this one does not carry the request id.
--
-- outcome: changed, unchanged, repeated (task is the first answer), not_found, stale (another version), request_reused
-- (the request id belongs to another request), too_many_open. task is null for the last four.
create or replace function apply_change(
    p_user text, p_request_id uuid, p_fingerprint bytea, p_kind text, p_task_id bigint, p_version bigint,
    p_patch jsonb, p_event_id uuid, p_now timestamptz, p_traceparent text, p_open_limit bigint default null,
    p_part_of uuid default null, out outcome text, out shard smallint, out task text)
language plpgsql as $$
declare
    owner   users%rowtype;
    request requests%rowtype;
    was     tasks%rowtype;
    t       tasks%rowtype;
    opened  integer;  -- by how much the number of open tasks changes
begin
    select * into owner from users u where u.user_id = p_user for update;
    if not found then
        if p_task_id is not null then
            outcome := 'not_found';
            return;
        end if;
        insert into users (user_id, shard) values (p_user, shard_of(p_user)) on conflict do nothing;
        select * into owner from users u where u.user_id = p_user for update;
    end if;
    shard := owner.shard;

    if p_request_id is not null then
        select * into request from requests r where r.user_id = p_user and r.request_id = p_request_id;
        if found then
            if request.fingerprint <> p_fingerprint then
                outcome := 'request_reused';
                return;
            end if;
            outcome := 'repeated';
            task := coalesce(request.answer,
                             (select c.task_json from changes c where c.user_id = p_user and c.seq = request.seq));
            return;
        end if;
    end if;

    if p_task_id is null then
        t := jsonb_populate_record(null::tasks, p_patch);
        t.user_id := p_user;
        t.id := nextval('task_ids');
        t.version := 1;
        t.completed := false;
        t.missed := coalesce(t.missed, 0);
        t.created_at := p_now;
    else
        select * into was from tasks x where x.user_id = p_user and x.id = p_task_id;
        if not found or (was.deleted_at is not null and p_request_id is not null and p_kind <> 'created') then
            outcome := 'not_found';
            return;
        end if;
        if p_version is not null and p_version <> was.version then
            outcome := 'stale';
            return;
        end if;
        t := jsonb_populate_record(was, p_patch);
        -- Completing what is completed would only move completed_at: not a change.
        if jsonb_populate_record(was, p_patch - 'consumer_version') is not distinct from was
           or (p_kind = 'completed' and was.completed) then
            outcome := 'unchanged';
            task := task_json(was);
            if p_request_id is not null then
                insert into requests values (p_user, p_request_id, p_fingerprint, null, task, p_now);
            end if;
            return;
        end if;
        t.version := was.version + 1;
    end if;

    opened := (not t.completed and t.deleted_at is null)::integer
              - coalesce((not was.completed and was.deleted_at is null)::integer, 0);
    if opened > 0 and owner.open_tasks + opened > p_open_limit then
        outcome := 'too_many_open';
        return;
    end if;

    if p_request_id is null and not p_patch ? 'consumer_version' then
        t.consumer_version := t.version;
    end if;
    t.seq := owner.seq + 1;
    t.updated_at := p_now;
    update users u set seq = t.seq, open_tasks = owner.open_tasks + opened where u.user_id = p_user;
    if p_task_id is null then
        insert into tasks values (t.*);
    else
        update tasks x set
            version = t.version, seq = t.seq, title = t.title, description = t.description,
            completed = t.completed, completed_at = t.completed_at, priority = t.priority, tags = t.tags,
            due_kind = t.due_kind, due_local = t.due_local, due_at = t.due_at, time_zone = t.time_zone,
            recurrence_rule = t.recurrence_rule, recurrence_basis = t.recurrence_basis,
            series_id = t.series_id, occurrence = t.occurrence, series_anchor = t.series_anchor,
            scheduled_for = t.scheduled_for, missed = t.missed, consumer_version = t.consumer_version,
            updated_at = t.updated_at, deleted_at = t.deleted_at, skipped_at = t.skipped_at,
            rule_since = t.rule_since, following = t.following, series_anchor_later = t.series_anchor_later
        where x.user_id = p_user and x.id = p_task_id;
    end if;

    if p_patch ?| array['title', 'description'] then
        insert into task_texts as x values (p_user, t.id, search_text_after('', p_patch))
        on conflict (user_id, id) do update set search_text = search_text_after(x.search_text, p_patch);
    end if;

    task := task_json(t);
    insert into changes
        (user_id, seq, shard, event_id, kind, task_id, version, task_json, at, traceparent, request_id)
    values (p_user, t.seq, owner.shard, p_event_id, p_kind, t.id, t.version, task, p_now, p_traceparent,
            coalesce(p_request_id, p_part_of));
    if p_request_id is not null then
        insert into requests values (p_user, p_request_id, p_fingerprint, t.seq, null, p_now);
    end if;
    outcome := 'changed';
end
$$;

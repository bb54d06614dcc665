-- Series that start in the second of two equal hours; and tasks that are opened again after the series had ended.

alter table tasks
    add column series_anchor_later boolean;  -- of an anchor that clocks show twice: it is the second; null: it is not

create or replace function task_json(t tasks) returns text
language sql stable as $$
    select row_to_json(j)::text from (select
        t.id, t.title, t.description, t.completed,
        (array['low', 'medium', 'high'])[t.priority + 1] as priority,
        t.tags, rfc3339(t.due_at) as due_date, t.recurrence_rule, t.user_id,
        rfc3339(t.created_at) as created_at, rfc3339(t.updated_at) as updated_at,
        t.version, t.seq, rfc3339(t.completed_at) as completed_at,
        t.due_kind,
        case t.due_kind when 'date' then to_char(t.due_local, 'YYYY-MM-DD')
                        when 'local' then local_time(t.due_local) end as due_local,
        t.time_zone, t.recurrence_basis, t.series_id, t.occurrence,
        local_time(t.series_anchor) as series_anchor, local_time(t.scheduled_for) as scheduled_for,
        t.missed as missed_occurrences, rfc3339(t.skipped_at) as skipped_at,
        case when t.series_id is not null then coalesce(t.rule_since, 1) end as rule_since, t.following,
        case when t.series_anchor_later then true end as series_anchor_later) j
$$;

-- As in V0006, with the new column; and that a person acted is no change where nothing else is.
create or replace function apply_change(
    p_user text, p_request_id uuid, p_fingerprint bytea, p_kind text, p_task_id bigint, p_version bigint,
    p_patch jsonb, p_event_id uuid, p_now timestamptz, p_traceparent text,
    out outcome text, out shard smallint, out task text)
language plpgsql as $$
declare
    owner   users%rowtype;
    request requests%rowtype;
    was     tasks%rowtype;
    t       tasks%rowtype;
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
        if not found or (was.deleted_at is not null and p_request_id is not null) then
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

    if p_request_id is null and not p_patch ? 'consumer_version' then
        t.consumer_version := t.version;
    end if;
    t.seq := owner.seq + 1;
    t.updated_at := p_now;
    update users u set seq = t.seq where u.user_id = p_user;
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

    task := task_json(t);
    insert into changes (user_id, seq, shard, event_id, kind, task_id, version, task_json, at, traceparent)
    values (p_user, t.seq, owner.shard, p_event_id, p_kind, t.id, t.version, task, p_now, p_traceparent);
    if p_request_id is not null then
        insert into requests values (p_user, p_request_id, p_fingerprint, t.seq, null, p_now);
    end if;
    outcome := 'changed';
end
$$;

-- As in V0006; and the done tasks after which the next one that is there is open: opened again, one of them would be
-- what the series goes on from, as soon as that is deleted.
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

-- An open task recurs, also when those after it were deleted: the next one then counts as one that the consumer took
-- away, and comes back in its turn. (One that was skipped does not: the series went on from there.) Nothing comes back
-- as long as a later one is there. A trigger, so that it makes no difference whether the one was deleted or the other
-- opened first.
create function take_up_series() returns trigger
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

create trigger take_up_series after update on tasks for each row
when (new.series_id is not null
      and ((old.deleted_at is null) <> (new.deleted_at is null) or (old.completed and not new.completed)))
execute function take_up_series();

-- release: 1

-- The events of a user in a stretch of time, and later completions of tasks that were created before its end: single ones
-- as usage_fact, and packs, which may hold events of other times too. Sequential scans are off, because a plan outlives
-- the moment in which a table was empty.
create or replace function read_usage_events(p_user text, p_from timestamptz, p_to timestamptz)
returns table (fact text, pack bytea)
language plpgsql stable set enable_seqscan = off as $$
declare
    accounts  bigint[] := (select array[u.own_account, u.foreign_account] from usage_users u where u.user_id = p_user);
    first_day date := (p_from at time zone 'UTC')::date;
    last_day  date := (p_to at time zone 'UTC')::date;
begin
    return query
    select null::text, p.data from usage_packs p
    where p.account = any (accounts) and p.day between first_day and last_day
    union all
    select null, p.data from usage_packs p
    where p.account = any (accounts) and p.day > last_day and p.created_from < p_to
    union all
    select usage_fact(e)::text, null from usage_events e
    where e.account = any (accounts) and e.kind = any (usage_kinds()) and e.at >= p_from and e.at < p_to
    union all
    select usage_fact(e)::text, null from usage_events e
    where e.account = any (accounts) and e.kind = any (array['completed', 'uncompleted']) and e.at >= p_to
      and e.created_at < p_to;
end
$$;

-- What is said of a user beside the events, as JSON.
create or replace function read_usage_of(p_user text, p_now timestamptz, p_today date) returns json
language plpgsql stable set enable_seqscan = off as $$
declare
    u usage_users%rowtype;
begin
    select * into u from usage_users x where x.user_id = p_user;
    return json_build_object(
        'days', (
            select json_agg(json_build_array(micros(d.day::timestamp at time zone 'UTC'), d.completed::text))
            from usage_days d
            where d.account = any (array[u.own_account, u.foreign_account]) and d.completed <> 0::bit(96)),
        'open', (select x.open_tasks from users x where x.user_id = p_user),
        'overdue', (
            select count(*) from tasks t
            where t.user_id = p_user and not t.completed and t.deleted_at is null and t.due_at < p_now + interval '2 days'
              and case when t.due_kind = 'date' then t.due_local < p_today else t.due_at < p_now end),
        'as_of_seq', (select upper(r) - 1 from unnest(u.counted + u.passed_over) r where lower(r) = 1),
        'uncounted', u.uncounted_own + u.uncounted_foreign);
end
$$;

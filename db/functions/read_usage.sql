-- release: 1

-- Reads the usage of a user as JSON, all of one moment. p_borders: where the period before the range begins (equal to
-- the begin of the range: it is not wanted), the begin of each bucket, and the end of the range. Sequential scans are
-- off, because a plan outlives the moment in which a table was empty.
create or replace function read_usage(
    p_user text, p_borders timestamptz[], p_dimension int, p_limit int, p_now timestamptz, p_today date) returns json
language plpgsql stable set enable_seqscan = off as $$
declare
    u        usage_users%rowtype;
    accounts bigint[];
    p_from   timestamptz := p_borders[2];
    p_to     timestamptz := p_borders[cardinality(p_borders)];
begin
    select * into u from usage_users x where x.user_id = p_user;
    accounts := array[u.own_account, u.foreign_account];
    return json_build_object(
        'counts', read_usage_counts(accounts, p_borders),
        'times', json_build_array(
            (select json_build_array(true, n, p[1], p[2]) from read_usage_times(accounts, p_from, p_to)),
            (select json_build_array(false, n, p[1], p[2]) from read_usage_times(accounts, p_borders[1], p_from))),
        'parts', case when p_dimension > 0 then
            read_usage_parts(accounts, p_user, p_from, p_to, p_dimension, p_limit) end,
        'days', (
            select json_agg(json_build_array(micros(d.day::timestamp at time zone 'UTC'), d.completed::text))
            from usage_days d where d.account = any (accounts) and d.completed <> 0::bit(96)),
        'open', (select x.open_tasks from users x where x.user_id = p_user),
        'overdue', (
            select count(*) from tasks t
            where t.user_id = p_user and not t.completed and t.deleted_at is null and t.due_at < p_now + interval '2 days'
              and case when t.due_kind = 'date' then t.due_local < p_today else t.due_at < p_now end),
        'as_of_seq', (select upper(r) - 1 from unnest(u.counted) r where lower(r) = 1),
        'uncounted', u.uncounted_own + u.uncounted_foreign);
end
$$;

-- The counts of accounts: an array for the period before, as number 1, and for each bucket that is not empty.
create or replace function read_usage_counts(p_accounts bigint[], p_borders timestamptz[]) returns json
language sql stable as $$
    select json_agg(json_build_array(b, created, updated, completed, uncompleted, deleted, born, done))
    from (select width_bucket(c.at, p_borders) as b, sum(c.created) as created, sum(c.updated) as updated,
                 sum(c.completed) as completed, sum(c.uncompleted) as uncompleted, sum(c.deleted) as deleted,
                 sum(c.born) as born, sum(c.done) as done
          from usage_counts c
          where c.account = any (p_accounts) and c.dimension = 0
            and c.at >= p_borders[1] and c.at < p_borders[cardinality(p_borders)]
          group by 1) x
$$;

-- How many completions, and the times that 50 % and 90 % of them do not exceed.
create or replace function read_usage_times(
    p_accounts bigint[], p_from timestamptz, p_to timestamptz, out n bigint, out p float8[])
language sql stable as $$
    select count(*), percentile_disc(array[0.5, 0.9]) within group (order by e.seconds)
    from usage_events e
    where e.account = any (p_accounts) and e.kind = 'completed' and e.at >= p_from and e.at < p_to
      and e.seconds is not null
$$;

-- The parts by a dimension: 1: priority, 2: tag, 3: series.
create or replace function read_usage_parts(
    p_accounts bigint[], p_user text, p_from timestamptz, p_to timestamptz, p_dimension int, p_limit int) returns json
language sql stable as $$
    select json_agg(json_build_array(
        key,
        case when p_dimension = 3 then (select t.title from tasks t where t.user_id = p_user and t.series_id = key::uuid
                                        order by t.occurrence desc limit 1) end,
        created, updated, completed, uncompleted, deleted, born, done, n, p[1], p[2])
        order by completed desc, created desc, key)
    from (select k.key,
                 count(*) filter (where e.kind = 'created' and e.at < p_to) as created,
                 count(*) filter (where e.kind = 'updated') as updated,
                 count(*) filter (where e.kind = 'completed' and e.at < p_to) as completed,
                 count(*) filter (where e.kind = 'uncompleted' and e.at < p_to) as uncompleted,
                 count(*) filter (where e.kind = 'deleted') as deleted,
                 count(*) filter (where e.born) as born,
                 count(*) filter (where e.kind = 'completed' and e.created_at >= p_from and e.created_at < p_to)
                 - count(*) filter (where e.kind = 'uncompleted' and e.created_at >= p_from and e.created_at < p_to)
                     as done,
                 count(e.seconds) filter (where e.at < p_to) as n,
                 percentile_disc(array[0.5, 0.9]) within group (order by e.seconds) filter (where e.at < p_to) as p
          from usage_events e
          cross join lateral unnest(case p_dimension when 1 then array[usage_priority(e.priority)] when 2 then e.tags
                                                     else array[e.series_id::text] end) k (key)
          -- Completions after the range may be of tasks that were created in it.
          where e.account = any (p_accounts) and e.kind = any (array['created', 'updated', 'completed', 'uncompleted',
                                                                     'deleted'])
            and e.at >= p_from and k.key is not null
            and (e.at < p_to or e.kind in ('completed', 'uncompleted') and e.created_at < p_to)
          group by 1
          having bool_or(e.at < p_to or e.created_at >= p_from)
          order by 4 desc, 2 desc, 1 limit p_limit) x
$$;

-- release: 1

-- Reads the usage of all users together as JSON, all of one moment. p_borders: where the period before the range begins
-- (equal to the begin of the range: it is not wanted), the begin of each bucket, and the end of the range. Times come as
-- histograms, with the bins of usage_bin. p_active_since: where the periods begin, up to the end of the range, whose
-- active users are counted.
create or replace function read_all_usage(
    p_borders timestamptz[], p_dimension int, p_limit int, p_now timestamptz, p_today date,
    p_active_since timestamptz[]) returns json
language plpgsql stable as $$
declare
    totals bigint[] := (select array[totals_account, foreign_totals] from usage_state);
    p_from timestamptz := p_borders[2];
    p_to   timestamptz := p_borders[cardinality(p_borders)];
begin
    return json_build_object(
        'counts', read_usage_counts(totals, p_borders),
        'bins', (
            select json_agg(json_build_array(now, bin, n))
            from (select b.at >= p_from as now, b.bin, sum(b.count) as n from usage_bins b
                  where b.account = any (totals) and b.dimension = 0 and b.at >= p_borders[1] and b.at < p_to
                  group by 1, 2) x),
        'parts', case when p_dimension > 0 then (
            select json_agg(json_build_array(
                key, created, updated, completed, uncompleted, deleted, born, done)
                order by completed desc, created desc, key)
            from (select c.key, sum(c.created) as created, sum(c.updated) as updated, sum(c.completed) as completed,
                         sum(c.uncompleted) as uncompleted, sum(c.deleted) as deleted, sum(c.born) as born,
                         sum(c.done) as done
                  from usage_counts c
                  where c.account = any (totals) and c.dimension = p_dimension and c.at >= p_from and c.at < p_to
                  group by 1 order by 4 desc, 2 desc, 1 limit p_limit) x) end,
        'part_bins', case when p_dimension > 0 then (
            select json_agg(json_build_array(key, bin, n))
            from (select b.key, b.bin, sum(b.count) as n from usage_bins b
                  where b.account = any (totals) and b.dimension = p_dimension and b.at >= p_from and b.at < p_to
                  group by 1, 2) x) end,
        'open', (select sum(open_tasks) from users),
        'overdue', (
            select count(*) from tasks t
            where not t.completed and t.deleted_at is null and t.due_at < p_now + interval '2 days'
              and case when t.due_kind = 'date' then t.due_local < p_today else t.due_at < p_now end),
        'uncounted', (select sum(uncounted_own + uncounted_foreign) from usage_users),
        'active', (
            select json_agg((
                select count(distinct a.user_id)
                from (select x::date as day, usage_quarters(x::date, s.since, p_to) as quarters
                      from generate_series((s.since at time zone 'UTC')::date, (p_to at time zone 'UTC')::date,
                                           interval '1 day') x) q
                join usage_days d on d.day = q.day and d.active & q.quarters <> 0::bit(96)
                join (select user_id, own_account as account from usage_users
                      union all
                      select user_id, foreign_account from usage_users) a on a.account = d.account)
                order by s.number)
            from unnest(p_active_since) with ordinality s (since, number)));
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

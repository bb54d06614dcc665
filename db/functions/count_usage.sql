-- release: 1

-- Counts events, which differ from each other, in their users' accounts and in the totals.
--
-- An event of the change log counts as the log has it, unless its seq was counted before. Any other event counts when it
-- is about a task that another program keeps. Events before p_oldest are only noted.
--
-- Sequential scans are off, because a plan outlives the moment in which a table was empty.
create or replace function count_usage(p_events jsonb, p_oldest timestamptz) returns void
language plpgsql set enable_seqscan = off as $$
declare
    names  text[];
    state  usage_state%rowtype;
    events usage_event[];
begin
    -- A rebuild begins and ends while nobody counts.
    perform pg_advisory_xact_lock_shared(usage_lock());
    select * into state from usage_state;
    names := array(select distinct e->>'user_id' from jsonb_array_elements(p_events) e);
    insert into usage_users (user_id)
    select n from unnest(names) n where not exists (select from usage_users u where u.user_id = n)
    order by 1
    on conflict do nothing;
    perform from usage_users u where u.user_id = any (names) order by u.user_id for update;

    with event as materialized (
        select u.user_id, u.rebuild = state.rebuild as is_rebuilt, c.seq, coalesce(c.at, e.at) < p_oldest as is_too_old,
               case when c.seq is not null then usage_event_of(u.own_account, false, c)
                    else row(u.foreign_account, false, e.event_id, e.kind, e.at, least(e.created_at, e.at),
                             e.kind = 'created',
                             e.priority, e.tags, null)::usage_event end as counted
        from jsonb_to_recordset(p_events)
             e (user_id text, seq bigint, event_id uuid, task_id bigint, is_ours boolean, kind text, at timestamptz,
                created_at timestamptz, priority smallint, tags text[])
        join usage_users u on u.user_id = e.user_id
        left join changes c on c.user_id = e.user_id and c.seq = e.seq and c.event_id = e.event_id
        where case when c.seq is not null then not u.counted @> c.seq
                   else not e.is_ours and not exists (select from tasks t where t.id = e.task_id) end
    ), noted as (
        update usage_users u
        set counted = u.counted + n.seqs, passed_over = u.passed_over + n.old_seqs,
            uncounted_own = u.uncounted_own + n.old_own, uncounted_foreign = u.uncounted_foreign + n.old_foreign
        from (select x.user_id,
                     coalesce(range_agg(int8range(x.seq, x.seq, '[]')) filter (where x.seq is not null
                                                                                 and not x.is_too_old), '{}') as seqs,
                     coalesce(range_agg(int8range(x.seq, x.seq, '[]')) filter (where x.seq is not null
                                                                                 and x.is_too_old), '{}') as old_seqs,
                     count(*) filter (where x.is_too_old and x.seq is not null) as old_own,
                     count(*) filter (where x.is_too_old and x.seq is null) as old_foreign
              from event x group by x.user_id) n
        where u.user_id = n.user_id
    )
    select array_agg(row(a.account, a.is_total, (e.counted).event_id, (e.counted).kind, (e.counted).at,
                         (e.counted).created_at, (e.counted).born, (e.counted).priority, (e.counted).tags,
                         (e.counted).series_id)::usage_event)
    into events
    from event e
    cross join lateral (
        select (e.counted).account, false
        union all
        select case when e.seq is null then state.foreign_totals else state.totals_account end, true
        union all
        select state.next_totals, true where state.next_totals is not null and e.is_rebuilt and e.seq is not null
    ) a (account, is_total)
    where not e.is_too_old;
    perform add_usage(events);
end
$$;

-- The key of the advisory lock that holds counting apart from the begin and the end of a rebuild.
create or replace function usage_lock() returns bigint
language sql immutable parallel safe as $$ select 7236835100::bigint $$;

-- release: 2

-- Counts events, which differ from each other, in their users' accounts and in the totals.
--
-- An event of the change log counts as the log has it, unless its seq was counted before. Any other event counts when it
-- is about a task that another program keeps. Events before p_oldest are only noted.
--
-- Every table is read through its index for each event, because a plan outlives the moment in which a table was small:
-- a hash join would read all users. Plans are generic, because making one costs more than carrying it out.
create or replace function count_usage(p_events jsonb, p_oldest timestamptz) returns void
language plpgsql
set enable_seqscan = off set enable_bitmapscan = off set enable_hashjoin = off set enable_mergejoin = off
set plan_cache_mode = force_generic_plan as $$
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

    -- An event of the log becomes what usage_event_of makes of it. That function is not called here, because each call
    -- of it is a statement of its own.
    with event as materialized (
        select u.user_id, u.rebuild = state.rebuild as is_rebuilt, c.seq, coalesce(c.at, e.at) < p_oldest as is_too_old,
               case when c.seq is not null then u.own_account else u.foreign_account end as account, e.event_id,
               coalesce(c.kind, e.kind) as kind, coalesce(c.at, e.at) as at,
               case when c.seq is not null then least(t.created_at, c.at) else least(e.created_at, e.at) end as created_at,
               coalesce(c.kind = 'created' and c.version = 1, e.kind = 'created') as born,
               case when c.seq is not null then array_position(array['low', 'medium', 'high'], t.priority) - 1
                    else e.priority end as priority,
               case when c.seq is not null then t.tags else e.tags end as tags, t.series_id
        from jsonb_to_recordset(p_events)
             e (user_id text, seq bigint, event_id uuid, task_id bigint, is_ours boolean, kind text, at timestamptz,
                created_at timestamptz, priority smallint, tags text[])
        join usage_users u on u.user_id = e.user_id
        left join changes c on c.user_id = e.user_id and c.seq = e.seq and c.event_id = e.event_id
        cross join lateral json_to_record(c.task_json::json)
             t (created_at timestamptz, priority text, tags text[], series_id uuid)
        left join lateral (select true as is_ours from tasks x where c.seq is null and x.id = e.task_id limit 1) held on true
        where case when c.seq is not null then not u.counted @> c.seq
                   else not e.is_ours and held.is_ours is null end
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
    select array_agg(row(a.account, a.is_total, e.event_id, e.kind, e.at, e.created_at, e.born, e.priority, e.tags,
                         e.series_id)::usage_event)
    into events
    from event e
    cross join lateral (
        select e.account, false
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

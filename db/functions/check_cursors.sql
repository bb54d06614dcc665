-- release: 1

-- For each cursor, in the order of the arrays: the user's head (0 and null: nothing ever changed), and whether the log
-- has the cursor; 0 with the nil UUID is the one before the first change. Two lookups in the index for each, however
-- long the log is: hence subqueries, which the planner cannot turn into a join that reads the whole log.
create or replace function check_cursors(p_users text[], p_seqs bigint[], p_event_ids uuid[])
returns table (place bigint, head_seq bigint, head_event_id uuid, known boolean)
language sql stable as $$
    select r.place, coalesce(h.seq, 0), h.event_id,
           r.seq = 0 and r.event_id = '00000000-0000-0000-0000-000000000000'
           or coalesce(r.event_id = case when h.seq = r.seq then h.event_id else
                (select c.event_id from changes c where c.user_id = r.user_id and c.seq = r.seq) end, false)
    from unnest(p_users, p_seqs, p_event_ids) with ordinality r (user_id, seq, event_id, place)
    left join lateral (select c.seq, c.event_id from changes c
                       where c.user_id = r.user_id order by c.seq desc limit 1) h on true
    order by r.place
$$;

-- release: 1

-- What a reader of a user's changes has missed. One row at least: the user's head (0 and null: nothing ever changed) and
-- whether the log has the reader's cursor, with the first changes behind it where it is known. Without a change to show,
-- `change` is null. p_seq 0 with the nil UUID is the cursor before the first change.
--
-- Answers at most p_max_changes, and as many as it takes for their tasks' JSON to reach p_max_bytes.
create or replace function read_missed(
    p_user text, p_seq bigint, p_event_id uuid, p_max_changes int, p_max_bytes bigint)
returns table (head_seq bigint, head_event_id uuid, known boolean, change changes)
language sql stable as $$
    select coalesce(h.seq, 0), h.event_id, k.known, m.change
    from (select p_seq = 0 and p_event_id = '00000000-0000-0000-0000-000000000000'
                 or exists (select from changes c
                            where c.user_id = p_user and c.seq = p_seq and c.event_id = p_event_id) as known) k
    left join lateral (select c.seq, c.event_id from changes c
                       where c.user_id = p_user order by c.seq desc limit 1) h on true
    left join lateral (
        select n.change from (
            select c.change, sum(c.bytes) over (order by c.seq rows between unbounded preceding and 1 preceding)
                             as bytes_before
            from (select x as change, x.seq, octet_length(x.task_json) as bytes from changes x
                  where k.known and x.user_id = p_user and x.seq > p_seq order by x.seq limit p_max_changes) c) n
        where coalesce(n.bytes_before, 0) < p_max_bytes) m on true
    order by (m.change).seq
$$;

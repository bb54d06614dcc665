-- release: 1

-- Missing events that were due at p_now, in the order of the change log.
create or replace function audit_due(p_consumer text, p_now timestamptz, p_limit int)
returns table (change_id bigint, repeats int, change changes)
language sql stable set enable_seqscan = off as $$
    select m.id, m.repeats, c
    from audit_missing m join changes c on c.user_id = m.user_id and c.seq = m.seq
    where m.consumer = p_consumer and m.lost_at is null and m.due_at <= p_now
      and (select true from inbox i
           where i.consumer = p_consumer and i.day = m.day and i.event_id = m.event_id) is null
    order by m.id limit p_limit
$$;

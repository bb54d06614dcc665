-- release: 1

-- Missing events although the consumer has taken a later change of their user. The limits inside keep the lookups for
-- events that are merely late cheap.
create or replace function audit_passed_over(p_consumer text, p_limit int)
returns table (change_id bigint, repeats int, change changes)
language sql stable set enable_seqscan = off as $$
    select m.id, m.repeats, c
    from (select * from audit_missing x where x.consumer = p_consumer and x.lost_at is null and x.repeats = 0
          order by x.id limit 1000) m
    join changes c on c.user_id = m.user_id and c.seq = m.seq
    where exists (select from changes l
                  where l.user_id = m.user_id and l.seq > m.seq and l.seq <= m.seq + 20
                    and (select true from inbox i
                         where i.consumer = p_consumer and i.day = (l.at at time zone 'UTC')::date
                           and i.event_id = l.event_id))
      -- In the same snapshot: it was not taken together with the later one.
      and (select true from inbox i
           where i.consumer = p_consumer and i.day = m.day and i.event_id = m.event_id) is null
    order by m.id limit p_limit
$$;

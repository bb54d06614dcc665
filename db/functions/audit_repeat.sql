-- release: 1

-- Publishes missing events again, through the outbox, when they were repeated as often as p_repeats says. One copy
-- serves every consumer that misses the event. Answers the shards that have something to publish now.
create or replace function audit_repeat(p_consumer text, p_ids bigint[], p_repeats int[], p_due timestamptz[],
                                        p_topic text, p_payloads text[]) returns setof smallint
language sql as $$
    with again as (
        update audit_missing m set repeats = m.repeats + 1, due_at = e.due_at
        from unnest(p_ids, p_repeats, p_due, p_payloads) e (id, repeats, due_at, payload)
        where m.consumer = p_consumer and m.id = e.id and m.repeats = e.repeats and m.lost_at is null
        returning m.id, m.user_id, m.event_id, m.due_at, e.payload
    ), others as (
        update audit_missing o set repeats = o.repeats + 1, due_at = greatest(o.due_at, a.due_at)
        from again a where o.id = a.id and o.consumer <> p_consumer and o.lost_at is null
    ), posted as (
        select o.user_id, add_message(p_topic, o.user_id, o.event_id, o.payload)
        from (select * from again order by id) o
    )
    select distinct shard_of(p.user_id) from posted p
$$;

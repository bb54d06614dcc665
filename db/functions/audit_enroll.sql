-- release: 1

-- Starts the audit of consumers that are not known yet. Changes up to now are older than the audit and not looked at.
create or replace function audit_enroll(p_consumers text[]) returns void
language plpgsql as $$
begin
    insert into audits (consumer) select unnest(p_consumers) on conflict do nothing;
    insert into audit_cursors (consumer, shard, position, snapshot)
    select c, s.shard, coalesce((select max(x.id) from changes x where x.shard = s.shard), 0),
           pg_current_snapshot()::text
    from unnest(p_consumers) c, relay_shards s
    on conflict do nothing;
end
$$;

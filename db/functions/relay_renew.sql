-- release: 1

-- The heartbeat of one replica's relay. Extends its leases, counts the replicas that live, and leases free shards up to
-- a fair share. The answer has a row for each shard that the replica holds; without any it is one row of nulls with
-- fair_share.
create or replace function relay_renew(p_owner text, p_lease interval)
returns table (shard smallint, epoch bigint, "position" bigint, message_position bigint, snapshot text,
               late_position bigint, late_message_position bigint, late_snapshot text, late_transactions text,
               fair_share int)
language plpgsql as $$
declare
    live int;
    held int;
    fair int;
begin
    insert into relay_replicas as r values (p_owner, clock_timestamp() + p_lease)
    on conflict (owner) do update set lease_until = excluded.lease_until;
    delete from relay_replicas r where r.lease_until < clock_timestamp() - interval '1 minute';
    select count(*) into live from relay_replicas r where r.lease_until >= clock_timestamp();
    fair := ceil((select count(*) from relay_shards)::numeric / greatest(live, 1));

    update relay_shards s set lease_until = clock_timestamp() + p_lease where s.owner = p_owner;
    get diagnostics held = row_count;
    if held < fair then
        update relay_shards s
        set owner = p_owner, epoch = s.epoch + 1, lease_until = clock_timestamp() + p_lease
        where s.shard in (select x.shard from relay_shards x where x.lease_until < clock_timestamp()
                          order by x.shard limit fair - held for update skip locked);
    end if;
    -- One row with nulls tells the fair share even to a replica that holds nothing.
    return query
        select s.shard, s.epoch, s.position, s.message_position, s.snapshot,
               s.late_position, s.late_message_position, s.late_snapshot, s.late_transactions, fair
        from (select 1) one left join relay_shards s on s.owner = p_owner
        order by s.shard;
end
$$;

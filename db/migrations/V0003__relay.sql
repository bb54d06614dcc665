-- Who publishes which part of the change log, and how far it got.
-- Cursor: everything visible in `snapshot` with an id up to `position` (of a change) or `message_position` (of a
-- message) is on the bus.

create table relay_shards (
    shard       smallint    primary key,
    owner       text        not null default '',
    epoch       bigint      not null default 0,     -- +1 at each change of owner: fences a frozen one out
    lease_until timestamptz not null default '-infinity',
    position    bigint      not null default 0,
    message_position bigint not null default 0,
    snapshot    text        not null default ''
) with (fillfactor = 10);                           -- updated every second: keep all versions in the page

insert into relay_shards (shard) select generate_series(0, 15);

create table relay_replicas (
    owner      text        primary key,
    lease_until timestamptz not null
) with (fillfactor = 10);

-- One heartbeat of a replica: renew, count who lives, take what lies idle up to a fair share.
create function relay_renew(p_owner text, p_lease interval)
returns table (shard smallint, epoch bigint, "position" bigint, message_position bigint, snapshot text,
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
        select s.shard, s.epoch, s.position, s.message_position, s.snapshot, fair
        from (select 1) one left join relay_shards s on s.owner = p_owner
        order by s.shard;
end
$$;

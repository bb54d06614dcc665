-- release: 1

-- Locks the rows of users and makes those that are missing. Always in the same order, so that no two callers wait for
-- each other.
--
-- Sequential scans are off, because a plan outlives the moment in which a table was empty.
create or replace function lock_users(p_users text[]) returns void
language plpgsql set enable_seqscan = off as $$
begin
    insert into users (user_id, shard)
    select u, shard_of(u) from unnest(p_users) u
    where not exists (select from users x where x.user_id = u)
    order by u
    on conflict do nothing;
    perform from users u where u.user_id = any (p_users) order by u.user_id for update;
end
$$;

-- release: 1

-- The shard of the relay that publishes what belongs to a user.
create or replace function shard_of(p_user text) returns smallint
language sql immutable as $$ select ((hashtext(p_user) & 2147483647) % 16)::smallint $$;

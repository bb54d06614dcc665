-- release: 2

-- late_writers_of_shards for one shard.
create or replace function late_writers(p_shard smallint, p_position bigint, p_message_position bigint,
                                        p_since pg_snapshot, p_until pg_snapshot) returns xid8[]
language sql stable as $$
    select late_writers_of_shards(array[p_shard], array[p_position], array[p_message_position], array[p_since], p_until)
$$;

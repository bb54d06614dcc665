-- release: 1

-- Adds a message to the outbox; the relay publishes it after the commit.
create or replace function add_message(p_topic text, p_key text, p_event_id uuid, p_payload text) returns void
language sql as $$
    insert into messages (shard, topic, key, event_id, payload)
    values (shard_of(p_key), p_topic, p_key, p_event_id, p_payload)
$$;

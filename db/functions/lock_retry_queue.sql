-- release: 1

-- The lock of one task's retry queue of a consumer. A transaction that adds to the queue or takes from it holds this
-- lock, so that adding and taking never overlap.
create or replace function retry_queue_key(p_consumer text, p_user text, p_task_id bigint) returns bigint
language sql immutable as $$
    select hashtextextended(p_consumer || chr(1) || p_user || chr(1) || p_task_id, 0)
$$;

create or replace function lock_retry_queue(p_consumer text, p_user text, p_task_id bigint) returns void
language sql as $$ select pg_advisory_xact_lock(retry_queue_key(p_consumer, p_user, p_task_id)) $$;

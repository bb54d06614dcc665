-- release: 1

-- Locks the retry queue of an event and answers whether the event may still be tried. Does not wait: a transaction that
-- holds the lock is trying the same event.
create or replace function begin_retry(p_consumer text, p_event_id uuid, p_attempts int) returns boolean
language plpgsql as $$
declare
    r retries%rowtype;
begin
    select * into r from retries x where x.consumer = p_consumer and x.event_id = p_event_id;
    if not found or not pg_try_advisory_xact_lock(retry_queue_key(p_consumer, r.user_id, r.task_id)) then
        return false;
    end if;
    return exists (select from retries x where x.consumer = p_consumer and x.event_id = p_event_id
                                           and x.attempts = p_attempts and x.due_at < 'infinity');
end
$$;

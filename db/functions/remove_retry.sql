-- release: 1

-- Removes an event from its retry queue for good, sets its state in the inbox (done or dead), and makes the next event
-- of the queue due.
create or replace function remove_retry(p_consumer text, p_event_id uuid, p_state text, p_now timestamptz) returns void
language plpgsql as $$
declare
    r retries%rowtype;
begin
    delete from retries x where x.consumer = p_consumer and x.event_id = p_event_id returning * into r;
    update inbox i set state = p_state
    where i.consumer = p_consumer and i.day = r.day and i.event_id = p_event_id;
    perform wake_next_retry(p_consumer, r.user_id, r.task_id, p_now);
end
$$;

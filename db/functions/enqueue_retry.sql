-- release: 1

-- Claims a failed event of the bus and adds it to its task's retry queue. p_row: columns of retries. False: the event
-- was claimed before.
create or replace function enqueue_retry(p_row jsonb, p_record bytea) returns boolean
language plpgsql as $$
begin
    perform lock_retry_queue(p_row->>'consumer', p_row->>'user_id', (p_row->>'task_id')::bigint);
    if exists (select from retries r where r.consumer = p_row->>'consumer'
                                       and r.event_id = (p_row->>'event_id')::uuid) then
        return false;
    end if;
    insert into inbox (consumer, day, event_id, state, identity)
    values (p_row->>'consumer', (p_row->>'day')::date, (p_row->>'event_id')::uuid, 'waiting',
            nullif((p_row->>'identity')::bigint, 0))
    on conflict do nothing;
    if not found then
        return false;
    end if;
    perform append_retry(p_row, p_record);
    return true;
end
$$;

-- release: 1

-- Makes a dead letter of an event and adds p_payload to the outbox, for p_dlq_topic. p_row: columns of dead_letters.
--
-- From the bus (p_from_queue false) the event is claimed first; false: it was claimed before. From a retry queue the
-- row there says which queue it is, because a record that could not be read when it was added may be readable now, and
-- would name a task then; false: the event left the queue meanwhile.
create or replace function add_dead_letter(p_row jsonb, p_record bytea, p_dlq_topic text, p_payload text,
                                           p_from_queue boolean, p_now timestamptz) returns boolean
language plpgsql as $$
declare
    d dead_letters%rowtype;
    r retries%rowtype;
begin
    d := jsonb_populate_record(null::dead_letters, p_row);
    d.record := p_record;
    d.state := 'open';
    d.note := '';
    d.resolved_by := '';
    if p_from_queue then
        select * into r from retries x where x.consumer = d.consumer and x.event_id = d.event_id;
        if not found then
            return false;
        end if;
        perform lock_retry_queue(r.consumer, r.user_id, r.task_id);
        if not exists (select from retries x where x.consumer = d.consumer and x.event_id = d.event_id) then
            return false;
        end if;
        d.user_id := r.user_id;
        d.task_id := r.task_id;
        d.day := r.day;
        perform remove_retry(d.consumer, d.event_id, 'dead', p_now);
    else
        if exists (select from retries x where x.consumer = d.consumer and x.event_id = d.event_id) then
            return false;  -- a copy with another timestamp
        end if;
        insert into inbox (consumer, day, event_id, state, identity)
        values (d.consumer, d.day, d.event_id, 'dead', nullif((p_row->>'identity')::bigint, 0))
        on conflict do nothing;
        if not found then
            return false;
        end if;
    end if;
    insert into dead_letters as old values (d.*)
    on conflict (id) do update set  -- it was replayed, and died again
        attempts = d.attempts, last_failed_at = d.last_failed_at, reason = d.reason, state = 'open', resolved_at = null;
    perform add_message(p_dlq_topic, d.record_key, d.id, p_payload);
    delete from crash_counts c where c.consumer = d.consumer and c.event_id = d.event_id;
    if d.consumer = 'usage' then
        perform pass_over_usage(d.user_id, d.event_id);
    end if;
    return true;
end
$$;

-- release: 1

-- Adds a claimed event to the end of its task's retry queue. Locks the queue, because it may have become empty since
-- claim_events: then the event is the first one and has its turn at once.
create or replace function append_retry(p_row jsonb, p_record bytea) returns void
language plpgsql as $$
declare
    r retries%rowtype;
begin
    r := jsonb_populate_record(null::retries, p_row);
    r.record := p_record;
    r.id := nextval('retry_ids');
    perform lock_retry_queue(r.consumer, r.user_id, r.task_id);
    if exists (select from retries x where x.consumer = r.consumer and x.user_id = r.user_id
                                       and x.task_id = r.task_id) then
        r.due_at := 'infinity';  -- it has not had its turn, so it has not failed either
        r.attempts := 0;
        r.first_failed_at := null;
        r.last_failed_at := null;
    elsif r.due_at = 'infinity' then
        r.due_at := 'epoch';
    end if;
    insert into retries values (r.*) on conflict do nothing;  -- two copies with different timestamps at once
end
$$;

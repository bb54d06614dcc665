-- release: 1

-- Puts an open dead letter back into its task's retry queue, with no attempts counted. False: it is not open.
create or replace function replay_dead_letter(p_id uuid, p_by text, p_now timestamptz) returns boolean
language plpgsql as $$
declare
    d dead_letters%rowtype;
begin
    select * into d from dead_letters x where x.id = p_id and x.state = 'open';
    if not found then
        return false;
    end if;
    perform lock_retry_queue(d.consumer, d.user_id, d.task_id);
    update dead_letters x set state = 'replayed', resolved_at = p_now, resolved_by = p_by
    where x.id = p_id and x.state = 'open';
    if not found then
        return false;
    end if;
    insert into inbox as i (consumer, day, event_id, state) values (d.consumer, d.day, d.event_id, 'waiting')
    on conflict (consumer, day, event_id) do update set state = 'waiting';
    perform append_retry(to_jsonb(d) - array['record', 'id'] || jsonb_build_object('attempts', 0, 'due_at', p_now),
                         d.record);
    return true;
end
$$;

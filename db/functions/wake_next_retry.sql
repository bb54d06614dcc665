-- release: 1

-- Makes the first event of a task's retry queue due. The caller holds the queue's lock.
create or replace function wake_next_retry(p_consumer text, p_user text, p_task_id bigint, p_now timestamptz)
returns void
language sql as $$
    update retries r set due_at = p_now
    where r.consumer = p_consumer and r.user_id = p_user and r.task_id = p_task_id and r.due_at = 'infinity'
      and r.id = (select min(x.id) from retries x where x.consumer = p_consumer and x.user_id = p_user
                                                    and x.task_id = p_task_id)
$$;

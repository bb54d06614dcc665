-- release: 1

-- The answers of a call that changed tasks, from its row of requests: one row for each change, in the call's order.
create or replace function first_answers(r requests)
returns table (place bigint, task text, changed boolean, deleted boolean, reminders int[])
language sql stable as $$
    select e.place, coalesce(c.task_json, e.entry->>'task'), c.seq is not null, coalesce(c.kind = 'deleted', false),
           array(select n::int from json_array_elements_text(e.entry->'reminders') n)
    from json_array_elements(case when left(r.answer, 1) = '[' then r.answer::json
                                  when r.seq is not null then json_build_array(json_build_object('seq', r.seq))
                                  else json_build_array(json_build_object('task', r.answer::json)) end)
         with ordinality e (entry, place)
    left join changes c on c.user_id = r.user_id and c.seq = (e.entry->>'seq')::bigint
    order by e.place
$$;

-- release: 1

-- Notes that an event will not be counted, if it is one of the change log: usage_users.passed_over. The change is looked
-- for from the user's first undecided one on. Mostly it is that one, so the search is short.
create or replace function pass_over_usage(p_user text, p_event_id uuid) returns void
language plpgsql as $$
declare
    decided bigint := (select upper(r) from usage_users u, unnest(u.counted + u.passed_over) r
                       where u.user_id = p_user and lower(r) = 1);
    passed  bigint := (select c.seq from changes c
                       where c.user_id = p_user and c.seq >= coalesce(decided, 1) and c.event_id = p_event_id
                       order by c.seq limit 1);
begin
    if passed is null then
        return;
    end if;
    insert into usage_users as u (user_id, passed_over)
    values (p_user, int8multirange(int8range(passed, passed, '[]')))
    on conflict (user_id) do update set passed_over = u.passed_over + excluded.passed_over;
end
$$;

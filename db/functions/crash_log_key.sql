-- release: 2

-- The advisory lock that the sessions of an instance share while its process lives.
create or replace function crash_log_key(p_instance text) returns bigint
language sql immutable as $$
    select hashtextextended('crash log of ' || p_instance, 0)
$$;

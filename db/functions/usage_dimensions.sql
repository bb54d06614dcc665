-- release: 1

-- The dimensions of the totals that an event counts in, with its values there. Its tags differ.
create or replace function usage_dimensions(p_priority smallint, p_tags text[])
returns table (dimension smallint, key text)
language sql immutable parallel safe as $$
    select 0::smallint, ''
    union all
    select 1::smallint, usage_priority(p_priority) where p_priority is not null
    union all
    select 2::smallint, t from unnest(p_tags) t
$$;

create or replace function usage_priority(p_priority smallint) returns text
language sql immutable parallel safe as $$ select (array['low', 'medium', 'high'])[p_priority + 1] $$;

-- release: 1

-- Text and number forms of times. Small enough for PostgreSQL to inline them into the statements that use them.

-- An instant in UTC as RFC 3339 has it, with microseconds where there are some.
create or replace function rfc3339(p_at timestamptz) returns text
language sql stable parallel safe as $$
    select replace(to_char(p_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'), '.000000', '')
$$;

-- A wall-clock time, without a zone.
create or replace function local_time(p_at timestamp) returns text
language sql stable parallel safe as $$ select to_char(p_at, 'YYYY-MM-DD"T"HH24:MI:SS') $$;

-- Microseconds since 1970-01-01T00:00:00Z.
create or replace function micros(p_at timestamptz) returns bigint
language sql stable parallel safe as $$ select (extract(epoch from p_at) * 1000000)::bigint $$;

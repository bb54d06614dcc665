-- release: 1

-- The parts of time and the values that usage is counted by.

-- The quarter of an hour that an instant lies in.
create or replace function usage_quarter(p_at timestamptz) returns timestamptz
language sql immutable parallel safe as $$ select date_bin('15 minutes', p_at, '2000-01-01T00:00:00Z') $$;

-- The quarters of a UTC day that begin in a stretch of time, as bits of usage_days.
create or replace function usage_quarters(p_day date, p_from timestamptz, p_to timestamptz) returns bit(96)
language sql immutable parallel safe as $$
    select (repeat('0', q.first) || repeat('1', greatest(q.next - q.first, 0)) || repeat('0', 96))::bit(96)
    from (select greatest(0, least(96, ceil(extract(epoch from p_from - (p_day::timestamp at time zone 'UTC')) / 900)))::int
                     as first,
                 greatest(0, least(96, ceil(extract(epoch from p_to - (p_day::timestamp at time zone 'UTC')) / 900)))::int
                     as next) q
$$;

-- The bin of a histogram that a number of seconds belongs to: bin n holds those from 0.001 * 1.1^n up to the next bin,
-- and bin 0 the shorter ones too. So the middle of a bin is within 5 % of each of its values.
create or replace function usage_bin(p_seconds double precision) returns smallint
language sql immutable parallel safe as $$
    select floor(ln(greatest(p_seconds, 0.001) / 0.001) / ln(1.1::double precision))::smallint
$$;

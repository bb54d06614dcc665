-- release: 1

-- The instant at which clocks in a zone show a time; of a time that they show twice the first one.
create or replace function first_instant(shown timestamp, zone text) returns timestamptz
language sql stable as $$
    select case when first.at at time zone zone = shown then first.at else last.at end
    from (select shown at time zone zone as at) last
    cross join lateral (select last.at - interval '24 hours' as at) before
    cross join lateral (select (shown - ((before.at at time zone zone) - (before.at at time zone 'UTC')))
                               at time zone 'UTC' as at) first
$$;

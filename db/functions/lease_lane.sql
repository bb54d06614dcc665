-- release: 1

-- Leases the lane of that pace whose turn it is, until p_until. No row: no lane is due, or the due ones have to wait
-- for other lanes of their user or host. At a time a user has two quick lanes, one new and one slow one; a host has
-- four new and two slow ones.
create or replace function lease_lane(p_pace text, p_channels text[], p_now timestamptz, p_until timestamptz)
returns setof delivery_lanes
language sql as $$
    with leased as (
        select o.user_id, o.host from delivery_lanes o
        where o.lease_until > p_now and o.lease_until > '-infinity' and o.pace = p_pace)
    update delivery_lanes l set lease_until = p_until, epoch = l.epoch + 1
    where (l.user_id, l.channel, l.target) = (
        select x.user_id, x.channel, x.target from delivery_lanes x
        where x.pace = p_pace and x.due_at <= p_now and x.due_at < 'infinity'
          and x.lease_until <= p_now and x.channel = any (p_channels)
          and x.user_id <> all (array(select o.user_id from leased o group by o.user_id
                                      having count(*) >= case when p_pace = 'quick' then 2 else 1 end))
          and (p_pace = 'quick'
               or x.host <> all (array(select o.host from leased o group by o.host
                                       having count(*) >= case when p_pace = 'slow' then 2 else 4 end)))
        order by x.due_at limit 1 for update skip locked)
    returning l.*
$$;

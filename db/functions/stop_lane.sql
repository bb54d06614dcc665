-- release: 1

-- Fails every delivery that waits in the lane, for p_reason, and ends its lease. At most 1000 in a call; more make the
-- lane due again.
create or replace function stop_lane(p_user text, p_channel text, p_target uuid, p_reason text, p_now timestamptz)
returns void
language plpgsql as $$
begin
    -- The lock keeps new deliveries out; the new epoch takes the lease from a replica that is sending.
    update delivery_lanes l set epoch = l.epoch + 1, lease_until = '-infinity', due_at = 'infinity'
    where l.user_id = p_user and l.channel = p_channel and l.target = p_target;
    update deliveries d
    set state = 'failed', finished_at = p_now,
        attempts = d.attempts || jsonb_build_object('at', rfc3339(p_now), 'outcome', 'dropped', 'detail', p_reason)
    where d.user_id = p_user
      and d.id in (select x.id from deliveries x
                   where x.user_id = p_user and x.channel = p_channel and x.target = p_target and x.state = 'pending'
                   limit 1000);
    update delivery_lanes l set due_at = p_now
    where l.user_id = p_user and l.channel = p_channel and l.target = p_target
      and exists (select from deliveries x
                  where x.user_id = p_user and x.channel = p_channel and x.target = p_target and x.state = 'pending');
end
$$;

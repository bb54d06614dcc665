-- release: 1

-- Ends the lease of a lane. The lane is due again when its first delivery is, but not before its pause is over.
create or replace function release_lane(p_user text, p_channel text, p_target uuid, p_now timestamptz) returns void
language sql as $$
    update delivery_lanes l
    set lease_until = '-infinity',
        due_at = greatest(coalesce((select min(d.due_at) from deliveries d
                                    where d.user_id = p_user and d.channel = p_channel and d.target = p_target
                                      and d.state = 'pending'), 'infinity'), l.paused_until, p_now)
    where l.user_id = p_user and l.channel = p_channel and l.target = p_target
$$;

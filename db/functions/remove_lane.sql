-- release: 1

-- Deletes a lane and all of its deliveries. At most 1000 of them in a call; more leave the lane there, due at p_now.
create or replace function remove_lane(p_user text, p_channel text, p_target uuid,
                                       p_now timestamptz default '-infinity') returns void
language plpgsql as $$
begin
    update delivery_lanes l set epoch = l.epoch + 1, lease_until = '-infinity', due_at = p_now
    where l.user_id = p_user and l.channel = p_channel and l.target = p_target;
    delete from deliveries d
    where d.user_id = p_user
      and d.id in (select x.id from deliveries x
                   where x.user_id = p_user and x.target = p_target and x.channel = p_channel limit 1000);
    delete from delivery_lanes l
    where l.user_id = p_user and l.channel = p_channel and l.target = p_target
      and not exists (select from deliveries x
                      where x.user_id = p_user and x.target = p_target and x.channel = p_channel);
end
$$;

-- release: 1

-- Fails deliveries that were queued before p_before. At most 1000 of them in a call, so that no lane is too long for a
-- statement; more make the lane due again.
create or replace function expire_lane(p_user text, p_channel text, p_target uuid, p_before timestamptz,
                                       p_now timestamptz) returns void
language sql as $$
    update deliveries d
    set state = 'failed', finished_at = p_now,
        attempts = d.attempts || jsonb_build_object('at', rfc3339(p_now), 'outcome', 'dropped',
                                                    'detail', 'it waited too long')
    where d.user_id = p_user
      and d.id in (select x.id from deliveries x
                   where x.user_id = p_user and x.channel = p_channel and x.target = p_target and x.state = 'pending'
                     and x.queued_at < p_before limit 1000);
    select release_lane(p_user, p_channel, p_target, p_now);
$$;

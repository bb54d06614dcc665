-- release: 1

-- Writes the result of an attempt, one element of p_results for each delivery in it, and releases the lane. p_pace:
-- quick or slow, as the endpoint answered. p_paused_until: the endpoint wants no calls before (Retry-After); null: no
-- pause was asked for. False: the lease was lost and nothing is written.
create or replace function finish_attempt(p_user text, p_channel text, p_target uuid, p_epoch bigint, p_results jsonb,
                                          p_pace text, p_now timestamptz, p_paused_until timestamptz) returns boolean
language plpgsql as $$
begin
    update delivery_lanes l
    set pace = p_pace, paused_until = coalesce(p_paused_until, l.paused_until)
    where l.user_id = p_user and l.channel = p_channel and l.target = p_target and l.epoch = p_epoch;
    if not found then
        return false;
    end if;
    update deliveries d
    set state = r.state, failures = d.failures + (r.state <> 'delivered')::int, due_at = coalesce(r.due_at, d.due_at),
        finished_at = case when r.state <> 'pending' then p_now end, attempts = d.attempts || r.attempt
    from jsonb_to_recordset(p_results) r (id uuid, state text, due_at timestamptz, attempt jsonb)
    where d.user_id = p_user and d.id = r.id and d.state = 'pending';
    perform release_lane(p_user, p_channel, p_target, p_now);
    return true;
end
$$;

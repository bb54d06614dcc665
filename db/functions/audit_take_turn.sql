-- release: 1

-- Leases the audit to one replica. False: another replica holds it.
create or replace function audit_take_turn(p_owner text, p_lease interval) returns boolean
language sql as $$
    with taken as (
        update audit_turn set owner = p_owner, lease_until = clock_timestamp() + p_lease
        where owner = p_owner or lease_until < clock_timestamp()
        returning 1)
    select exists (select from taken)
$$;

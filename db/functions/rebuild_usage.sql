-- release: 1

-- The rebuild: counts the users' changes again from the change log, beside the numbers that are read.
--
-- While it runs, events are counted in the accounts that are read. The totals of the rebuild get the changes of each
-- user from the log; once a user is done, they get the user's events as well. The accounts of tasks of other programs
-- stay as they are.

-- Begins a rebuild, unless one is running.
create or replace function start_usage_rebuild(p_now timestamptz) returns void
language plpgsql as $$
begin
    perform pg_advisory_xact_lock(usage_lock());
    update usage_state
    set rebuild = rebuild + 1, next_totals = nextval('usage_accounts'), started_at = p_now, counted = 0, added = 0
    where next_totals is null;
end
$$;

-- Goes on with the rebuild: counts at most p_limit changes of one user. Afterwards it deletes what the rebuild has
-- replaced. False: there is nothing to do, or another replica is doing it.
create or replace function continue_usage_rebuild(p_limit int, p_now timestamptz) returns boolean
language plpgsql set enable_seqscan = off as $$
declare
    state  usage_state%rowtype;
    u      usage_users%rowtype;
    events usage_event[];
    head   bigint;
    read   bigint;
begin
    if not exists (select from usage_state s where s.next_totals is not null)
       and not exists (select from usage_garbage) then
        return false;
    end if;
    select * into state from usage_state for update skip locked;
    if not found then
        return false;
    end if;
    if state.next_totals is null then
        return collect_usage_garbage(p_limit);
    end if;
    select * into u from usage_users x where x.rebuild < state.rebuild order by x.rebuild, x.user_id limit 1 for update;
    if not found then
        insert into usage_users (user_id)
        select s.user_id from users s
        where s.seq > 0 and not exists (select from usage_users x where x.user_id = s.user_id) limit p_limit
        on conflict do nothing;
        if found then
            return true;
        end if;
        perform pg_advisory_xact_lock(usage_lock());
        if not exists (select from usage_users x where x.rebuild < state.rebuild) then
            insert into usage_garbage values (state.totals_account);
            update usage_state
            set totals_account = next_totals, next_totals = null, finished_at = p_now, last_added = added;
        end if;
        return true;
    end if;

    u.next_account := coalesce(u.next_account, nextval('usage_accounts'));
    select array_agg(usage_event_of(a.account, a.is_total, c.change)), max((c.change).seq), count(*) / 2
    into events, head, read
    from (select x as change from changes x
          where x.user_id = u.user_id and x.seq > u.next_seq order by x.seq limit p_limit) c
    cross join (values (u.next_account, false), (state.next_totals, true)) a (account, is_total);
    perform add_usage(events);
    head := coalesce(head, u.next_seq);
    update usage_state set counted = counted + read;
    if read = p_limit then
        update usage_users x set next_account = u.next_account, next_seq = head where x.user_id = u.user_id;
        return true;
    end if;

    update usage_state
    set added = added + head - coalesce((select sum(upper(r) - lower(r)) from unnest(u.counted) r), 0);
    update usage_users x
    set own_account = u.next_account, counted = int8multirange(int8range(1, head + 1)),
        passed_over = x.passed_over - int8multirange(int8range(1, head + 1)), uncounted_own = 0,
        rebuild = state.rebuild, next_account = null, next_seq = 0
    where x.user_id = u.user_id;
    insert into usage_garbage values (u.own_account);
    return true;
end
$$;

-- Deletes up to p_limit rows of each kind of one replaced account. False: there was none.
create or replace function collect_usage_garbage(p_limit int) returns boolean
language plpgsql as $$
declare
    old   bigint := (select g.account from usage_garbage g limit 1);
    gone  bigint;
    total bigint := 0;
begin
    if old is null then
        return false;
    end if;
    delete from usage_counts where ctid = any (array(select ctid from usage_counts where account = old limit p_limit));
    get diagnostics gone = row_count;
    total := total + gone;
    delete from usage_events
    where ctid = any (array(select ctid from usage_events where account = old limit p_limit));
    get diagnostics gone = row_count;
    total := total + gone;
    delete from usage_packs where ctid = any (array(select ctid from usage_packs where account = old limit p_limit));
    get diagnostics gone = row_count;
    total := total + gone;
    delete from usage_bins where ctid = any (array(select ctid from usage_bins where account = old limit p_limit));
    get diagnostics gone = row_count;
    total := total + gone;
    delete from usage_days where ctid = any (array(select ctid from usage_days where account = old limit p_limit));
    get diagnostics gone = row_count;
    if total + gone = 0 then
        delete from usage_garbage where account = old;
    end if;
    return true;
end
$$;

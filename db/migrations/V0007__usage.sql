-- release: 1

-- Changes that will not be counted before a rebuild: their events were too old when they came, or became dead letters.
-- A dead letter that is replayed counts all the same.
alter table usage_users add column passed_over int8multirange not null default '{}';

-- The totals of the tasks of other programs. They have an account of their own, because a rebuild has nothing to count
-- them from: it leaves them alone.
alter table usage_state add column foreign_totals bigint not null default nextval('usage_accounts');

-- Events of a user on a UTC day, packed by the service (src/store/usage_pack.h): they have left usage_events. A year of
-- a busy user is read as a few hundred of these rows.
create sequence usage_pack_ids;
create table usage_packs (
    account      bigint      not null,
    day          date        not null,
    id           bigint      not null default nextval('usage_pack_ids'),
    created_from timestamptz,  -- when the oldest task was created that was completed or opened again; null: none was
    data         bytea       not null,
    primary key (account, day, id)
) with (toast_tuple_target = 8160);  -- the pack of a busy day stays within its row

-- When the day's events in usage_events are to be packed; null: there are none.
alter table usage_days add column pack_at timestamptz default '-infinity';
create index usage_days_to_pack on usage_days (pack_at) where pack_at is not null;

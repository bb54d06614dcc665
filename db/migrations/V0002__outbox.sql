-- release: 1

-- The outbox and its relay. Task events are published from the change log, everything else from messages.

create sequence message_ids cache 1;
create table messages (
    id       bigint      primary key default nextval('message_ids'),
    xid      xid8        not null default pg_current_xact_id(),
    shard    smallint    not null,
    topic    text        not null,
    key      text        not null,
    event_id uuid        not null,
    payload  text        not null,     -- the whole CloudEvent
    at       timestamptz not null default now()
);
create index messages_by_shard on messages (shard, id);
create index messages_by_xid on messages (shard, xid, id);
alter table messages alter column xid set (n_distinct = -1);
create index messages_by_age on messages (at);

-- Which replica publishes a shard, and how far it is. The cursor: everything visible in `snapshot` with an id up to
-- `position` (of a change) or `message_position` (of a message) is on the bus.
--
-- Late rows may be too many for one batch. Then everything visible in `late_snapshot` with an id up to `late_position`
-- or `late_message_position` is on the bus as well; the transactions in `late_transactions` wrote these rows.
create table relay_shards (
    shard                 smallint    primary key,
    owner                 text        not null default '',
    epoch                 bigint      not null default 0,   -- +1 with each new owner: stops one that lost its lease
    lease_until           timestamptz not null default '-infinity',
    position              bigint      not null default 0,
    message_position      bigint      not null default 0,
    snapshot              text        not null default '',
    late_position         bigint      not null default 0,
    late_message_position bigint      not null default 0,
    late_snapshot         text        not null default '',  -- empty: nothing is left over
    late_transactions     text        not null default ''
) with (fillfactor = 10);                                   -- updated every second: all versions stay in the page

insert into relay_shards (shard) select generate_series(0, 15);

create table relay_replicas (
    owner       text        primary key,
    lease_until timestamptz not null
) with (fillfactor = 10);

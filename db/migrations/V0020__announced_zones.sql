-- A change of preferences is announced before the state store gets it. An announcement that is later than the zone in
-- this table belongs to a process that died between the two, or to a write that is under way: the zone is looked up.

alter table preferred_zones add column announced_at timestamptz not null default '-infinity';

create index preferred_zones_announced on preferred_zones (announced_at) where announced_at > changed_at;

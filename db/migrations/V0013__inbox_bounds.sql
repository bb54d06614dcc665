-- What carries no date of ours is bounded too. An event without a readable date, and one of a foreign producer that
-- dates it as it likes, lies in no partition that is ever dropped: it is forgotten by when it came.

alter table inbox add column received_at timestamptz not null default now();

-- Unreadable records apart: making the partition of a new day scans the default one under a lock of the whole inbox,
-- and there may be many of them.
create temporary table undated on commit drop as select * from inbox_default where day < '1971-01-01';
delete from inbox_default where day < '1971-01-01';
create table inbox_undated partition of inbox for values from (minvalue) to ('1971-01-01');
insert into inbox_undated select * from undated;

create index inbox_default_received on inbox_default (received_at);
create index inbox_undated_received on inbox_undated (received_at);
create index dead_letters_resolved on dead_letters (resolved_at) where state <> 'open';

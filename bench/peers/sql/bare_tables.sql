create table owners (user_id text primary key, seq bigint not null default 0) with (fillfactor = 70);
create table writes (user_id text not null, seq bigint not null, body text not null, primary key (user_id, seq));
insert into owners (user_id) select 'user-' || n from generate_series(0, 999) n;

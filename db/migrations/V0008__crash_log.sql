-- release: 2

-- Whether the session that wrote the row holds the lock of its instance (crash_log_key). The lock is free once all
-- sessions of the process are gone, so any process can tell rows of a dead one, whatever name its successor has.
-- False: the process is of release 1 and holds no lock; then only a process of the same name counts its crash.
alter table processing add column holds_lock boolean not null default false;

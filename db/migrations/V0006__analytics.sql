-- release: 1

-- Usage: what was created, done and left, over time. All of it follows from the change log, but for the events of tasks
-- that other programs keep.
--
-- Numbers belong to an account. A user has two: one for the user's own tasks, and one for tasks of other programs. All
-- users together have one, the totals. A rebuild counts into new accounts, beside those that are read, and then
-- exchanges the numbers of the accounts.

create sequence usage_accounts;

create table usage_users (
    user_id           text           primary key,
    own_account       bigint         not null default nextval('usage_accounts'),
    foreign_account   bigint         not null default nextval('usage_accounts'),
    counted           int8multirange not null default '{}',  -- seq of the changes that own_account has
    uncounted_own     bigint         not null default 0,     -- events that were too old when they came
    uncounted_foreign bigint         not null default 0,
    -- The rebuild that last counted this user, and how far the running one is.
    rebuild           bigint         not null default 0,
    next_account      bigint,                                -- null: the running rebuild has not begun with this user
    next_seq          bigint         not null default 0      -- next_account has the changes up to this one
) with (fillfactor = 70);
create index usage_users_by_rebuild on usage_users (rebuild, user_id);

-- Events in a quarter of an hour of UTC, which begins at `at`. Every hour, day or week of every time zone is a sum of
-- rows.
create table usage_counts (
    account     bigint      not null,
    dimension   smallint    not null,            -- 0: none; of the totals also 1: priority, 2: tag
    at          timestamptz not null,
    key         text        not null,            -- value of the dimension; empty: none
    created     integer     not null default 0,
    updated     integer     not null default 0,
    completed   integer     not null default 0,
    uncompleted integer     not null default 0,
    deleted     integer     not null default 0,
    born        integer     not null default 0,  -- tasks created for the first time
    done        integer     not null default 0,  -- of the tasks created then: completed later, less uncompleted ones
    primary key (account, dimension, at, key)
) with (fillfactor = 80);

-- Each event of a user, for the parts of a breakdown and for exact times.
create table usage_events (
    account    bigint      not null,
    kind       text        not null,
    at         timestamptz not null,
    event_id   uuid        not null,
    seconds    float8,                -- from creating to completing; null: no completion, or not known
    created_at timestamptz,           -- of the task, never after `at`; null: not known
    born       boolean     not null,  -- the task was created for the first time
    priority   smallint,              -- null: not known
    tags       text[]      not null,
    series_id  uuid,
    primary key (account, kind, at, event_id) include (seconds)
);

-- The times of the completions of all users, as a histogram: see usage_bin.
create table usage_bins (
    account   bigint      not null,
    dimension smallint    not null,
    at        timestamptz not null,
    key       text        not null,
    bin       smallint    not null,
    count     integer     not null,
    primary key (account, dimension, at, key, bin)
) with (fillfactor = 80);

-- The quarters of an hour of a UTC day in which a user had an event, and in which a task was completed. The first bit is
-- the first quarter.
create table usage_days (
    account   bigint  not null,
    day       date    not null,
    active    bit(96) not null,
    completed bit(96) not null,
    primary key (account, day)
) with (fillfactor = 80);
create index usage_days_by_day on usage_days (day);

create table usage_state (
    only_row       boolean     primary key default true check (only_row),
    totals_account bigint      not null default nextval('usage_accounts'),
    rebuild        bigint      not null default 0,  -- number of the newest rebuild
    next_totals    bigint,                          -- the account that it counts the totals into; null: it has finished
    started_at     timestamptz,
    finished_at    timestamptz,                     -- of the last rebuild that has finished
    counted        bigint      not null default 0,  -- changes that the newest rebuild has counted
    added          bigint      not null default 0,  -- of these: changes that the numbers did not have before
    last_added     bigint      not null default 0   -- the same of the last rebuild that has finished
);
insert into usage_state default values;

-- Accounts that nobody reads any more: their rows are deleted bit by bit.
create table usage_garbage (account bigint primary key);

-- An event as it is counted into one account.
create type usage_event as (
    account    bigint,
    is_total   boolean,
    event_id   uuid,
    kind       text,
    at         timestamptz,
    created_at timestamptz,  -- of the task, not after `at`; null: not known
    born       boolean,
    priority   smallint,     -- null: not known
    tags       text[],
    series_id  uuid
);

-- The tasks that may be overdue.
create index tasks_open_due on tasks (user_id, due_at) include (due_kind, due_local)
    where not completed and deleted_at is null and due_at is not null;

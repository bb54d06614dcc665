-- release: 2

-- The rows that statements of batches take, as one array for each table: much cheaper for the server than an array for
-- each column. The types stand apart from their tables because a row is refused unless it has exactly the columns of
-- its type, and replicas of the release before go on sending theirs: a type is never altered. A new column comes with
-- a type of another name.

create type batch_user as (
    user_id    text,
    seq        bigint,
    open_tasks bigint
);

create type batch_task as (
    user_id             text,
    id                  bigint,
    version             bigint,
    seq                 bigint,
    title               text,
    description         text,
    completed           boolean,
    completed_at        timestamptz,
    priority            smallint,
    tags                text[],
    due_kind            text,
    due_local           timestamp,
    due_at              timestamptz,
    time_zone           text,
    recurrence_rule     text,
    recurrence_basis    text,
    created_at          timestamptz,
    updated_at          timestamptz,
    deleted_at          timestamptz,
    skipped_at          timestamptz,
    series_id           uuid,
    occurrence          bigint,
    series_anchor       timestamp,
    series_anchor_later boolean,
    scheduled_for       timestamp,
    missed              bigint,
    rule_since          bigint,
    following           jsonb,
    consumer_version    bigint
);

-- Null: that part of the text stays as it is.
create type batch_text as (
    user_id     text,
    id          bigint,
    title       text,
    description text
);

create type batch_change as (
    user_id     text,
    seq         bigint,
    shard       smallint,
    event_id    uuid,
    kind        text,
    task_id     bigint,
    version     bigint,
    task_json   text,
    at          timestamptz,
    traceparent text,
    request_id  uuid
);

create type batch_request as (
    user_id     text,
    request_id  uuid,
    fingerprint bytea,
    seq         bigint,
    answer      text,
    at          timestamptz
);

"""Databases that are filled as long use would leave them."""

from __future__ import annotations

from .databases import Child, Server
from .places import program

PORTION = 100_000


def with_tables(server: Server, database: str) -> None:
    """A new database with the tables of this tree."""
    Child().output([program("store_load"), "--migrate=yes"], {"TODO_DATABASE_URL": server.create(database)})


def fill_tasks(server: Server, database: str, users: int, per_user: int) -> None:
    """Tasks of user-0, user-1 …, of all kinds, with their texts; the first have been changed once."""
    server.run(database, f"""
        insert into users (user_id, shard, seq, open_tasks)
        select u, shard_of(u), {per_user}, {per_user} / 2 from (select 'user-' || n as u from generate_series(0, {users - 1}) n) x
        on conflict do nothing""")
    for first in range(0, users * per_user, PORTION):
        last = min(users * per_user, first + PORTION) - 1
        server.run(database, f"""
            insert into tasks (user_id, id, version, seq, title, description, completed, completed_at, priority, tags, due_kind,
                               due_at, time_zone, recurrence_basis, missed, created_at, updated_at)
            select 'user-' || g / {per_user}, nextval('task_ids'), 1, g % {per_user} + 1, 'task ' || g * 7919 % {per_user},
                   repeat('x', 40), g % 2 = 0, case when g % 2 = 0 then now() end, g % 3, array['tag-' || g % 50],
                   case when g % 4 > 0 then 'instant' end,
                   case when g % 4 > 0 then timestamptz '2030-01-01Z' + g * 7907 % 525600 * interval '1 minute' end,
                   'UTC', 'schedule', 0, timestamptz '2026-01-01Z' + g * interval '1 second',
                   timestamptz '2026-01-01Z' + g * 7901 % 1000000 * interval '1 second'
            from generate_series({first}, {last}) g;
            insert into task_texts (user_id, id, search_text)
            select t.user_id, t.id, t.title || chr(1) || t.description from tasks t
            where t.id > currval('task_ids') - {last - first + 1}""")
    server.postgres.query("vacuum analyze", superuser=True, database=database)
    server.settle()


def fill_inbox(server: Server, database: str, rows: int) -> None:
    """Rows of one consumer, spread over the days that the inbox keeps."""
    for first in range(0, rows, 5 * PORTION):
        last = min(rows, first + 5 * PORTION)
        server.run(database, f"""
            insert into inbox (consumer, day, event_id, identity)
            select 'recurring-tasks', current_date - g % 7, gen_random_uuid(), g from generate_series({first + 1}, {last}) g""")
    server.postgres.query("vacuum analyze inbox", superuser=True, database=database)
    server.settle()

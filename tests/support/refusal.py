"""An effect that the database refuses, until the cause is mended."""

from __future__ import annotations

from tools.stack import Stack


def refuse_successors_of(stack: Stack, title: str) -> None:
    """The database refuses the effect of events of tasks with this title: a cause that can be mended."""
    stack.postgres.query(f"""
        create or replace function refuse() returns trigger language plpgsql as $$
        begin
            if new.title = '{title}' and new.occurrence = 2 then raise exception 'the cause'; end if;
            return new;
        end $$;
        create trigger refuse before insert on tasks for each row execute function refuse();""")


def mend(stack: Stack) -> None:
    stack.postgres.query("drop trigger refuse on tasks")

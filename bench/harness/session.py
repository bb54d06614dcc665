"""One session of a database that stays open."""

from __future__ import annotations

import subprocess

from .places import Stack


class Session:
    """One database session that stays open: a psql that is spoken to."""

    def __init__(self, stack: Stack) -> None:
        self._psql = subprocess.Popen(["psql", stack.database_url, "-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1"],
                                      stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def run(self, sql: str) -> list[str]:
        """The rows of the answer."""
        assert self._psql.stdin and self._psql.stdout
        self._psql.stdin.write(f"{sql};\n\\echo :done\n")
        self._psql.stdin.flush()
        answer: list[str] = []
        while (line := self._psql.stdout.readline()) != ":done\n":
            assert line, "psql ended: its words are above"
            answer.append(line.rstrip("\n"))
        return answer

    def close(self) -> None:
        self._psql.communicate(timeout=30)

"""What the measurements share: a stack of their own, and figures of two sides taken in turns."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(REPOSITORY), str(REPOSITORY / "tests" / "support")]

from tools.stack import Stack  # noqa: E402


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


def build() -> Path:
    """The build folder whose programs are measured."""
    return REPOSITORY / "build" / os.environ.get("BUILD", "release")


@contextmanager
def running_stack(*flags: str, service: bool = True, secrets: Mapping[str, str] | None = None) -> Iterator[Stack]:
    """One replica on Kafka, with a durable PostgreSQL, as in production but on one machine. Without `service` somebody
    else takes its place behind the sidecar."""
    with tempfile.TemporaryDirectory(prefix="todo-bench-") as folder, \
            Stack(Path(folder) / "run", service_binary=build() / "todo-service" if service else None, service_flags=flags,
                  secrets=secrets, keep_data=False) as stack:
        yield stack


def in_turns(rounds: int, one: Callable[[], float], other: Callable[[], float]) -> tuple[list[float], list[float]]:
    """Samples of both sides, ABBA…: the machine's mood is the same for both. The first pair only warms up."""
    ones, others = [], []
    for turn in range(rounds + 1):
        for side in ((one, ones), (other, others))[:: 1 if turn % 2 == 0 else -1]:
            side[1].append(side[0]())
    return ones[1:], others[1:]


def verdict(name: str, longer: float, allowed: float, text: str) -> bool:
    """Prints the line. `longer`: by which factor it takes longer; it may be `allowed`."""
    held = longer <= allowed
    print(f"{name}: ratio {longer:.2f} (allowed {allowed:.2f}{'' if held else ': NOT HELD'}); {text}", flush=True)
    return held


def ratio(ones: list[float], others: list[float]) -> float:
    """How much longer the others take: the median over the pairs that were measured one after the other."""
    return median([other / one for one, other in zip(ones, others, strict=True)])


def median(samples: list[float]) -> float:
    return statistics.median(samples)


def spread(samples: list[float]) -> str:
    return f"{median(samples):.2f} s [{min(samples):.2f}-{max(samples):.2f}]"

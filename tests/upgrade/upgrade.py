#!/usr/bin/env python3
"""`make test-upgrade`: the release before and this tree's program side by side on one database and one broker.

Two replicas of the older program. Users change tasks all the time, while the replicas are replaced: all by the newer
program, one after the other, then all by the older one again, each with a drain. Then processes of both are killed (-9)
at random, and each comes back as either program. In the end the older program alone, and then the newer one alone,
answers for all that was done, by the rules of `make torture`.

Besides those rules: no call waits for an answer for longer than a drain while replicas are replaced, and no replica
logs an error.
"""

from __future__ import annotations

import argparse
import json
import random
import shutil
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

REPOSITORY = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(REPOSITORY), str(REPOSITORY / "tests" / "torture")]

from torture import PATIENCE, Result, report  # noqa: E402  it knows where the rest is

from checks import Finding, check, usage_is_what_the_log_says  # noqa: E402
from evidence import collect, wait_for_quiet, with_rebuilt_usage  # noqa: E402
from todo_client import eventually, insist_on_start, rows  # noqa: E402
from tormentor import Tormentor  # noqa: E402
from users import Users  # noqa: E402

from tools.stack import Stack  # noqa: E402

DRAIN = 10.0  # seconds, --drain-timeout
# What a mistake in the newer release would be, made in the database once its first replica is there: a column that the
# statements of the older program do not fill in loses its default.
PLANTS = {"migration": "alter table processing alter column holds_lock drop default"}


@dataclass(frozen=True)
class Programs:
    older: Path
    newer: Path


class Mixed(Tormentor):
    """Kills replicas; each comes back as one of the programs."""

    def __init__(self, stack: Stack, seed: int, programs: Programs) -> None:
        super().__init__(stack, seed, ["service"], hands=1)
        self._programs = (programs.older, programs.newer)

    def _do(self, action: str, name: str, rng: random.Random) -> None:
        for service in self._stack.services:
            if service.name == name and action != "freeze":
                service.binary = rng.choice(self._programs)
        super()._do(action, name, rng)


def replace_all(stack: Stack, program: Path, after_each: Callable[[], None] = lambda: None) -> None:
    """One replica after the other: it drains and ends, and the next waits until its successor is ready."""
    for service in stack.services:
        stack.stop_one(service.name)
        if service.exit_code:
            raise AssertionError(f"{service.name} ended with {service.exit_code}\n{service.last_words()}")
        service.binary = program
        insist_on_start(stack, service.name)
        after_each()


def logged(stack: Stack) -> Iterator[dict[str, Any]]:
    for service in stack.services:
        for line in service.log.read_text("utf-8").splitlines():
            with suppress(ValueError):
                yield {"service": service.name, **json.loads(line)}


def errors_logged(stack: Stack) -> list[str]:
    """The first of each kind."""
    first = {entry["event"]: entry for entry in reversed(list(logged(stack))) if entry["severity"] == "error"}
    return [f"logged: {json.dumps(entry)[:600]}" for entry in first.values()]


@contextmanager
def step(title: str, users: Users) -> Iterator[None]:
    first = len(users.mutations)
    yield
    waited = max((one.waited for one in users.mutations[first:]), default=0.0)
    print(f"  {title}: {len(users.mutations) - first} calls, the slowest took {waited:.1f} s", flush=True)


def more(users: Users, count: int) -> Callable[[], None]:
    """Waits until so many more changes were accepted."""
    def wait() -> None:
        goal = users.accepted + count
        eventually(lambda: users.accepted >= goal, f"{count} more changes are accepted", 120)
    return wait


def judge(stack: Stack, users: Users, *, rebuild: bool) -> list[Finding]:
    # The order on the topic is promised as long as the broker takes what it is given.
    order_kept = all(entry["event"] != "relay_publish_failing" for entry in logged(stack))
    evidence = collect(stack, users.mutations, order_kept)
    findings = check(evidence)
    if rebuild and not findings:
        findings = check(with_rebuilt_usage(stack, evidence), rules=[usage_is_what_the_log_says])
    return findings


def replacements(stack: Stack, users: Users, programs: Programs, changes: int, plant: str | None) -> list[str]:
    """All replicas by the newer program, and back. Returns what must not happen."""
    settle = more(users, changes)

    def settle_or_plant() -> None:
        if plant and stack.services[0].binary == programs.newer:
            rows(stack, PLANTS[plant])
        settle()

    settle()
    for title, program in (("upgrade", programs.newer), ("rollback", programs.older)):
        with step(title, users):
            replace_all(stack, program, settle_or_plant)
    waited = [f"{one.kind} of {one.user} waited {one.waited:.1f} s" for one in users.mutations if one.waited > DRAIN]
    return [*waited, *errors_logged(stack)]


def kills_of_both(stack: Stack, users: Users, programs: Programs, seed: int, kills: int) -> list[str]:
    """The same of a time in which each replica is killed and comes back as either program."""
    tormentor = Mixed(stack, seed, programs)
    with step(f"{kills} kills", users):
        tormentor.start()
        eventually(lambda: tormentor.kills >= kills, "kills", 600)
        tormentor.stop()
    tormentor.leave()
    return tormentor.trouble


def upgrade(folder: Path, programs: Programs, *, seed: int, kills: int = 10, changes: int = 200,
            plant: str | None = None) -> Result:
    """One run in `folder`. After each replacement `changes` more are accepted before the next."""
    with Stack(folder, service_binary=programs.older, replicas=2, keep_data=False) as stack:
        users = Users(stack, seed)
        users.start()
        try:
            trouble = replacements(stack, users, programs, changes, plant)
            if not plant:
                trouble += kills_of_both(stack, users, programs, seed, kills)
        finally:
            users.stop(within=120)
        # The older program could not bring what is broken to rest.
        replace_all(stack, programs.newer if plant else programs.older)
        if not_quiet := wait_for_quiet(stack, PATIENCE):
            trouble.append(f"it does not come to rest: {not_quiet}")
        findings = judge(stack, users, rebuild=False)
        replace_all(stack, programs.newer)
        findings += judge(stack, users, rebuild=not findings)
    trouble += users.trouble
    line = (f"upgrade: seed={seed} changes={users.accepted} kills={0 if plant else kills} findings={len(findings)} "
            f"trouble={len(trouble)}")
    return Result(line, findings, trouble, Counter(finding.kind for finding in findings))


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("older", type=Path, help="the program of the release before")
    parser.add_argument("newer", type=Path, help="the program of this tree")
    parser.add_argument("--kills", type=int, default=10)
    parser.add_argument("--seed", type=int, default=None, help="default: another one each time")
    parser.add_argument("--plant", choices=PLANTS, help="break this on purpose")
    given = parser.parse_args(arguments)
    seed = random.randrange(10**6) if given.seed is None else given.seed
    print(f"upgrade: seed={seed}", flush=True)
    folder = Path(tempfile.mkdtemp(prefix="todo-upgrade-"))
    result = upgrade(folder, Programs(given.older.resolve(), given.newer.resolve()), seed=seed, kills=given.kills,
                     plant=given.plant)
    if result.passed:
        shutil.rmtree(folder)
    else:
        print(f"  logs: {folder}")
    report(result)
    return 0 if result.passed else 1


if __name__ == "__main__":
    sys.exit(main())

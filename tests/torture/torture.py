#!/usr/bin/env python3
"""`make torture`: nothing is lost and nothing happens twice, whoever is killed.

Two replicas on Kafka. Users change tasks all the time while processes are killed (-9), frozen past their leases and
restarted at random; then everything runs again, and when all is quiet the rules of checks.py are held against the
database, the topics and the API. Ends with one line and exit code 0, or 1 when a rule is broken.

The seed settles what is done in which order; how it interleaves is up to the machine.
"""

from __future__ import annotations

import argparse
import os
import random
import shutil
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(REPOSITORY), str(REPOSITORY / "tests" / "support"), str(Path(__file__).parent)]

from checks import KINDS as FINDINGS  # noqa: E402
from checks import Finding, check, usage_is_what_the_log_says  # noqa: E402
from evidence import collect, wait_for_quiet, with_rebuilt_usage  # noqa: E402
from tormentor import KINDS, Tormentor, kind_of  # noqa: E402
from users import Users  # noqa: E402

from tools.stack import Stack  # noqa: E402

# What is broken on purpose: the inbox notes nothing; the outbox is published backwards; events are acknowledged whether
# their effect is stored or not, and now and then it is not; usage counts each event twice. See src/util/fault_point.h.
PLANTS = {"inbox": "skip-inbox=plant", "order": "swap-order=plant",
          "ack": "ack-before-commit=plant,before-effect-commit=fail@3", "double-count": "double-count=plant"}
# Without any movement for so long something hangs. daprd's own pauses after a long absence of the app are shorter.
PATIENCE = 90.0


@dataclass
class Result:
    line: str
    findings: list[Finding]
    trouble: list[str]
    counts: Counter[str] = field(default_factory=Counter)

    @property
    def passed(self) -> bool:
        return not self.findings and not self.trouble


def torture(folder: Path, *, binary: Path, seconds: float, seed: int, kills: int | None = None, mutations: int = 0,
            kinds: Iterable[str] = KINDS, plant: str | None = None, hands: int = 3) -> Result:
    """One run in `folder`, of `seconds` and at least so many `mutations`; with `kills` it goes on until so many were
    made, however long that takes. Up to `hands` processes are away at once."""
    env = {"TODO_FAULTS": PLANTS[plant]} if plant else {}
    with Stack(folder, service_binary=binary, replicas=2, service_env=env, keep_data=False) as stack:
        users = Users(stack, seed)
        tormentor = Tormentor(stack, seed, kinds, hands)
        began = told = time.monotonic()
        users.start()
        tormentor.start()
        while (tormentor.kills < kills if kills else time.monotonic() - began < seconds) or users.accepted < mutations:
            time.sleep(0.1)
            if time.monotonic() - told > 30:
                told = time.monotonic()
                print(f"  {told - began:4.0f} s: {users.accepted} mutations, {tormentor.kills} kills", flush=True)
        tormentor.stop()
        users.stop(within=120)
        quiet_began = time.monotonic()
        not_quiet = wait_for_quiet(stack, PATIENCE)
        quiet_took = time.monotonic() - quiet_began
        tormentor.leave()
        order_kept = not {"kafka", "daprd"} & {kind_of(name) for name in (*kinds, *tormentor.fallen)}
        evidence = collect(stack, users.mutations, order_kept)
        findings = check(evidence)
        if not findings:
            findings = check(with_rebuilt_usage(stack, evidence), rules=[usage_is_what_the_log_says])
    trouble = users.trouble + tormentor.trouble + ([f"it does not come to rest: {not_quiet}"] if not_quiet else [])
    counts = Counter(finding.kind for finding in findings)
    refused = sum(mutation.refusal is not None for mutation in users.mutations)
    attempts = sum(mutation.attempts for mutation in users.mutations)
    done = tormentor.counts
    print(f"  {users.accepted} accepted, {refused} refused, in {attempts} attempts; {done['freeze']} freezes, "
          f"{done['restart']} restarts, fell by themselves: {dict(tormentor.fallen)}; quiet after {quiet_took:.0f} s")
    line = (f"torture: seed={seed} mutations={users.accepted} kills={tormentor.kills} lost={counts['lost']} "
            f"duplicates={counts['duplicate']} ghosts={counts['ghost']} reordered={counts['reordered']}")
    return Result(line, findings, trouble, counts)


def report(result: Result) -> None:
    for kind in FINDINGS:
        found = [finding.text for finding in result.findings if finding.kind == kind]
        for text in found[:5]:
            print(f"  {kind}: {text[:2000]}")
        if len(found) > 5:
            print(f"  {kind}: ... and {len(found) - 5} more")
    for text, times in Counter(result.trouble).most_common(20):
        print(f"  trouble ({times} times): {text}")
    print(result.line, flush=True)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--kills", type=int, help="go on until so many were made, instead of for --seconds")
    parser.add_argument("--seed", type=int, default=None, help="default: another one each time")
    parser.add_argument("--only", default=",".join(KINDS), help="the kinds of processes to torment; with only service "
                        "and postgres the order on the topic is checked too")
    parser.add_argument("--plant", choices=PLANTS, help="break this on purpose")
    parser.add_argument("--keep-logs", action="store_true", help="also when all is well")
    parser.add_argument("--binary", type=Path, default=Path(os.environ.get(
        "TODO_SERVICE", REPOSITORY / "build" / "ci" / "todo-service")))
    arguments = parser.parse_args()
    kinds = arguments.only.split(",")
    if unknown := set(kinds) - set(KINDS):
        parser.error(f"--only: {', '.join(unknown)}? There are {', '.join(KINDS)}")
    seed = random.randrange(10**6) if arguments.seed is None else arguments.seed
    print(f"torture: seed={seed}", flush=True)
    folder = Path(tempfile.mkdtemp(prefix="todo-torture-"))
    result = torture(folder, binary=arguments.binary, seconds=arguments.seconds, seed=seed, kills=arguments.kills,
                     kinds=kinds, plant=arguments.plant)
    if result.passed and not arguments.keep_logs:
        shutil.rmtree(folder)
    else:
        print(f"  logs: {folder}")
    report(result)
    return 0 if result.passed else 1


if __name__ == "__main__":
    sys.exit(main())

"""Two sides, measured in turns: A B A B …, so that the mood of the machine is the same for both."""

from __future__ import annotations

import os
import signal
import statistics
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

Sample = dict[str, float]

SLICE = 0.02  # seconds, of a planted slowness


@dataclass(frozen=True)
class Plan:
    """How much is measured."""

    pairs: int
    seconds: float  # of each sample
    full: bool = False
    hold: float = 20  # seconds for which foreign transactions are held open
    plant: float = 0.0  # the part of the time for which our side is stopped, to see that a slowness shows


@dataclass
class Side:
    """One of the two. `measure(seconds)` answers the figures of one sample; `pids` are the processes that a planted
    slowness stops while it measures."""

    name: str
    measure: Callable[[float], Sample]
    pids: Callable[[], Sequence[int | None]] = field(default=lambda: ())


@dataclass
class Pairs:
    ours: list[Sample] = field(default_factory=list)
    peer: list[Sample] = field(default_factory=list)
    names: tuple[str, str] = ("", "")

    def of(self, figure: str) -> tuple[list[float], list[float]]:
        return [sample[figure] for sample in self.ours], [sample[figure] for sample in self.peer]


def take_pairs(plan: Plan, ours: Side, peer: Side) -> Pairs:
    """Samples of both. The first pair only warms up."""
    pairs = Pairs(names=(ours.name, peer.name))
    for turn in range(plan.pairs + 1):
        with planted(plan.plant, ours.pids):
            one = ours.measure(plan.seconds)
        other = peer.measure(plan.seconds)
        if turn > 0:
            pairs.ours.append(one)
            pairs.peer.append(other)
    return pairs


def in_turns(rounds: int, one: Callable[[], float], other: Callable[[], float]) -> tuple[list[float], list[float]]:
    """Single figures of both. The first pair only warms up."""
    taken = [(one(), other()) for _ in range(rounds + 1)][1:]
    return [first for first, _ in taken], [second for _, second in taken]


def median(samples: Sequence[float]) -> float:
    return statistics.median(samples)


@contextmanager
def planted(part: float, pids: Callable[[], Sequence[int | None]]) -> Iterator[None]:
    """Stops the processes for this part of the time."""
    if not part:
        yield
        return
    over = threading.Event()

    def slow() -> None:
        while not over.wait(SLICE * (1 - part)):
            stopped = [pid for pid in pids() if pid]
            for number in (signal.SIGSTOP, signal.SIGCONT):
                for pid in stopped:
                    with suppress(ProcessLookupError):
                        os.kill(pid, number)
                if number == signal.SIGSTOP:
                    over.wait(SLICE * part)

    thread = threading.Thread(target=slow)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()

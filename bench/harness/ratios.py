"""The ratio of two sides: the median over pairs that were measured one after the other, and an interval for it.

The interval is made of order statistics: it assumes nothing about how the ratios are spread, and needs no random numbers.
With n ratios, the k-th smallest and the k-th greatest enclose the true median with a probability that only depends on n
and k. Fewer than six pairs cannot reach 95 %; the interval then is the whole range, and its coverage says so."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass

WANTED = 0.95


@dataclass(frozen=True)
class Ratio:
    median: float
    low: float
    high: float
    coverage: float  # of the interval
    pairs: int

    def __str__(self) -> str:
        return f"{self.median:.2f} [{self.low:.2f}-{self.high:.2f}]"


def coverage_of(count: int, rank: int) -> float:
    """The probability that the median lies between the `rank`-th smallest and the `rank`-th greatest of `count` values."""
    below = sum(math.comb(count, k) for k in range(rank)) / 2**count
    return 1 - 2 * below


def ratio_of(ours: Sequence[float], peer: Sequence[float]) -> Ratio:
    """How many times the peer's figure ours is."""
    ratios = sorted(one / other if other else math.inf for one, other in zip(ours, peer, strict=True))
    count = len(ratios)
    rank = 1
    while 2 * (rank + 1) <= count and coverage_of(count, rank + 1) >= WANTED:
        rank += 1
    return Ratio(statistics.median(ratios), ratios[rank - 1], ratios[-rank], coverage_of(count, rank), count)

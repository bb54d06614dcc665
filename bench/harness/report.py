"""What a run has found: a line for each figure while it runs, and at the end a table and JSON in build/bench."""

from __future__ import annotations

import json
import statistics
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from .machine import describe
from .pairs import Pairs, Plan
from .ratios import Ratio, ratio_of

REPOSITORY = Path(__file__).resolve().parents[2]
FOLDER = REPOSITORY / "build" / "bench"


@dataclass(frozen=True)
class Goal:
    """What a ratio, or a figure that stands alone, should be."""

    value: float
    at_least: bool = True
    must: bool = False  # it holds already, and must not be lost
    stretch: float | None = None

    def reached(self, figure: float) -> bool:
        return figure >= self.value if self.at_least else figure <= self.value

    def __str__(self) -> str:
        text = f"{'≥' if self.at_least else '≤'} {self.value:g}"
        text += " (must hold)" if self.must else ""
        return text + (f", stretch {self.stretch:g}" if self.stretch is not None else "")


def at_least(value: float, *, must: bool = False, stretch: float | None = None) -> Goal:
    return Goal(value, must=must, stretch=stretch)


def at_most(value: float) -> Goal:
    return Goal(value, at_least=False)


@dataclass
class Row:
    name: str
    unit: str
    ours: list[float]
    peer: list[float] = field(default_factory=list)  # none: the figure stands alone
    peer_name: str = ""
    ratio: Ratio | None = None
    goal: Goal | None = None
    held: bool | None = None  # None: there is no goal
    note: str = ""
    details: dict[str, Any] = field(default_factory=dict)  # medians of all other figures, of both sides

    @property
    def verdict(self) -> str:
        if self.held is None:
            return ""
        if not self.held:
            return "NOT HELD"
        if self.ratio and self.goal and not (self.goal.reached(self.ratio.low) and self.goal.reached(self.ratio.high)):
            return "held, but the interval reaches beyond the goal"
        return "held"


class Report:
    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.rows: list[Row] = []
        self._machine = describe()
        self._began = time.time()

    @property
    def held(self) -> bool:
        """Whether every goal was."""
        return all(row.held is not False for row in self.rows)

    def compare(self, name: str, figure: str, unit: str, pairs: Pairs, goal: Goal | None = None, *, note: str = "") -> Row:
        """Our figure beside the peer's. A goal that is `at_most` is one of a cost."""
        ours, peer = pairs.of(figure)
        return self._add(Row(name, unit, ours, peer, pairs.names[1], ratio_of(ours, peer), goal, note=note,
                             details={"ours": _medians(pairs.ours), "peer": _medians(pairs.peer)}))

    def alone(self, name: str, unit: str, samples: Sequence[float], goal: Goal | None = None, *, note: str = "",
              details: Mapping[str, Any] | None = None) -> Row:
        """A figure without a peer, as an exact count; the goal is one of its median."""
        return self._add(Row(name, unit, list(samples), goal=goal, note=note, details=dict(details or {})))

    def times(self, name: str, unit: str, ours: list[float], peer: list[float], allowed: float, *, peer_name: str,
              note: str = "") -> Row:
        """Times or costs that were taken in turns, ours at most `allowed` times the other."""
        return self._add(Row(name, unit, ours, peer, peer_name, ratio_of(ours, peer), at_most(allowed), note=note))

    def promise(self, name: str, held: bool, note: str) -> Row:
        """Something that is true or not, told in words."""
        return self._add(Row(name, "", [], held=held, note=note))

    def same_with_itself(self, name: str, figure: str, unit: str, pairs: Pairs, within: float = 0.05) -> Row:
        """The A/A run: both sides are the same thing. Another ratio than 1 is a fault of the measurement."""
        row = self.compare(f"A/A {name}", figure, unit, pairs, note=f"must be 1.00 ± {within:g}: it measures the harness")
        assert row.ratio
        row.held = abs(row.ratio.median - 1) <= within
        if not row.held:
            print(f"A/A {name}: NOT HELD: on this machine, at this time, the other ratios say little", flush=True)
        return row

    def _add(self, row: Row) -> Row:
        if row.goal:
            row.held = row.goal.reached(row.ratio.median if row.ratio else statistics.median(row.ours))
        self.rows.append(row)
        print(line_of(row), flush=True)
        return row

    def write(self) -> Path:
        FOLDER.mkdir(parents=True, exist_ok=True)
        content = {
            "began": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(self._began)),
            "seconds": round(time.time() - self._began, 1),
            "plan": asdict(self.plan),
            "machine": self._machine,
            "rows": [{**asdict(row), "verdict": row.verdict} for row in self.rows],
        }
        (FOLDER / "report.json").write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n", "utf-8")
        (FOLDER / "report.md").write_text(table_of(content), "utf-8")
        return FOLDER / "report.json"


def table_of(content: Mapping[str, Any]) -> str:
    """The report as a table in Markdown."""
    machine, plan = content["machine"], content["plan"]
    lines = [f"Measured {content['began']} in {content['seconds'] / 60:.0f} minutes; at least {plan['pairs']} pairs of "
             f"{plan['seconds']:g} s.", "", *(f"- {key}: {value}" for key, value in machine.items()), "",
             "| figure | here | peer | ratio [95 %] | goal | |", "|---|---|---|---|---|---|"]
    for row in content["rows"]:
        here, peer = _told(row["ours"], row["unit"]), _told(row["peer"], row["unit"])
        ratio = row["ratio"]
        interval = f"{ratio['median']:.2f} [{ratio['low']:.2f}-{ratio['high']:.2f}]" if ratio else ""
        goal = str(Goal(**row["goal"])) if row["goal"] else row["note"]
        lines.append(f"| {row['name']} | {here} | {row['peer_name']}{': ' if peer else ''}{peer} | {interval} | {goal} | "
                     f"{row['verdict']} |")
    return "\n".join(lines) + "\n"


def line_of(row: Row) -> str:
    parts = [_told(row.ours, row.unit) or row.verdict]
    if row.ratio:
        parts = [f"{row.ratio} times {row.peer_name}", f"{parts[0]} against {_told(row.peer, row.unit)}"]
        if row.ratio.coverage < 0.95:
            parts.append(f"only {row.ratio.pairs} pairs: the interval covers {row.ratio.coverage:.0%}")
    goal = f" (goal {row.goal}: {row.verdict})" if row.goal else ""
    return f"{row.name}: {parts[0]}{goal}" + "".join(f"; {part}" for part in [*parts[1:], row.note] if part)


def _told(samples: Sequence[float], unit: str) -> str:
    if not samples:
        return ""
    value = statistics.median(samples)
    digits = 0 if value >= 100 else 1 if value >= 10 else 2
    return f"{value:,.{digits}f} {unit}".rstrip()


def _medians(samples: Sequence[Mapping[str, float]]) -> dict[str, float]:
    """Of the figures that all samples have."""
    names = set.intersection(*(set(sample) for sample in samples)) if samples else set()
    return {name: statistics.median(sample[name] for sample in samples) for name in sorted(names)}

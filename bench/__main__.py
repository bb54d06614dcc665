"""`make bench`: measures the figures of docs/performance.md, and the promises that are figures.

    python3 -m bench [NAME...] [--full] [--pairs N] [--seconds S] [--plant PART]

Each figure prints a line; a goal that is not met prints NOT HELD, and the exit code is 1. The table and the samples are in
build/bench (report.md, report.json, a plot for each group of figures)."""

from __future__ import annotations

import argparse
import importlib
import sys
import time
import traceback

from .harness import places  # noqa: F401  (the search path of what comes next)
from .harness.pairs import Plan
from .harness.plots import draw
from .harness.report import Report

# What the quick form measures; then the promises that only the full form does.
QUICK_NAMES = ("store", "calls", "events", "together", "publishing", "usual", "ways", "lists", "growth", "replicas",
               "json")
FULL_NAMES = (*QUICK_NAMES, "live", "recurrence", "shuffled", "poison", "tarpit", "attacked", "outbox", "drain_after_outage",
              "reminders", "usage", "page")
QUICK = Plan(pairs=3, seconds=1.0)
FULL = Plan(pairs=9, seconds=4.0, full=True)


def measure(name: str, report: Report, plan: Plan) -> None:
    """One that fails does not take the others with it."""
    began = time.monotonic()
    try:
        importlib.import_module(f"bench.rows.{name}").main(report, plan)
    except Exception as error:  # noqa: BLE001  whatever it was, it is told
        traceback.print_exc()
        report.promise(name, False, f"could not be measured: {type(error).__name__}: {str(error)[:300]}")
    print(f"({name}: {time.monotonic() - began:.0f} s)", flush=True)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python3 -m bench", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", choices=[[], *FULL_NAMES], help="default: all of the form")
    parser.add_argument("--full", action="store_true", help="all figures, with 9 pairs; else a quick form with 3")
    parser.add_argument("--pairs", type=int, help="pairs of samples")
    parser.add_argument("--seconds", type=float, help="of each sample")
    parser.add_argument("--plant", type=float, default=0.0, metavar="PART",
                        help="stop our side for this part of the time, to see that a slowness shows")
    parser.add_argument("--hold", type=float, default=20, help="seconds for which foreign transactions are held open (outbox)")
    given = parser.parse_args()
    usual = FULL if given.full else QUICK
    plan = Plan(given.pairs or usual.pairs, given.seconds or usual.seconds, given.full, given.hold, given.plant)
    report = Report(plan)
    if plan.pairs < 9:
        print(f"quick form: {plan.pairs} pairs, whose interval says less than that of the 9 of FULL=1", flush=True)
    try:
        for name in given.names or (FULL_NAMES if given.full else QUICK_NAMES):
            measure(name, report, plan)
    finally:
        file = report.write()
        draw(file, file.parent)
        print(f"{len(report.rows)} figures in {file.parent}", flush=True)
    return 0 if report.held else 1


if __name__ == "__main__":
    sys.exit(main())

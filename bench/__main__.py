"""`make bench`: the promises that are figures. Each prints one line; exit code 1 when one was not held.

    python3 -m bench [NAME...] [--hold SECONDS] [--rounds N]
"""

from __future__ import annotations

import argparse
import importlib
import sys

from . import measuring  # noqa: F401  (the search path of what comes next)

NAMES = ("shuffled", "poison", "outbox", "drain_after_outage", "recurrence", "reminders", "tarpit", "json", "attacked",
         "live", "usage", "page")


def main() -> int:
    parser = argparse.ArgumentParser(prog="python3 -m bench")
    parser.add_argument("names", nargs="*", choices=[[], *NAMES], help="default: all")
    parser.add_argument("--hold", type=float, default=20, help="seconds for which foreign transactions are held open")
    parser.add_argument("--rounds", type=int, default=5, help="samples of each side")
    arguments = parser.parse_args()
    held = True
    for name in arguments.names or NAMES:
        held &= importlib.import_module(f"bench.{name}").main(arguments)
    return 0 if held else 1


if __name__ == "__main__":
    sys.exit(main())

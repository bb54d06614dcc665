#!/usr/bin/env python3
"""Runs the fuzzers: each gets a number of inputs, made from its corpus with a fixed seed, under AddressSanitizer and
UndefinedBehaviorSanitizer. The first input that breaks a rule ends a fuzzer and is kept in build/fuzz/findings.

    make build-fuzz TARGETS=fuzzers
    tests/fuzz/fuzz.py --runs 1000000            # all of them
    tests/fuzz/fuzz.py --runs 20000 urls tokens
"""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

FOLDER = Path(__file__).resolve().parent
REPOSITORY = FOLDER.parents[1]
PROGRAMS = REPOSITORY / "build" / "fuzz" / "tests" / "fuzz"
FINDINGS = REPOSITORY / "build" / "fuzz" / "findings"
TARGETS = sorted(source.name.removesuffix("_fuzz.cc") for source in FOLDER.glob("*_fuzz.cc"))
# Longer inputs find nothing more, and take longer.
MAX_BYTES = {"recurrence": 600, "grammar": 600}
USUAL_MAX_BYTES = 4_096
DICTIONARIES = {"calls": "http", "events": "json", "mcp": "json", "requests": "json"}
SECONDS_FOR_AN_INPUT = 60  # an input above that is a finding; the machine may be busy


def command(target: str, runs: int, seed: int, found: str) -> list[str]:
    dictionary = FOLDER / f"{DICTIONARIES.get(target, target)}.dict"
    return [
        str(PROGRAMS / f"{target}_fuzz"), f"-runs={runs}", f"-seed={seed}", f"-timeout={SECONDS_FOR_AN_INPUT}",
        f"-max_len={MAX_BYTES.get(target, USUAL_MAX_BYTES)}", f"-artifact_prefix={FINDINGS}/{target}-", "-print_final_stats=1",
        *([f"-dict={dictionary}"] if dictionary.exists() else []), found, str(FOLDER / "corpus" / target),
    ]


def run(target: str, runs: int, seed: int) -> bool:
    """Whether nothing was found; prints a line."""
    began = time.monotonic()
    # New inputs of the run go to the first folder, so the corpus stays as it is.
    with tempfile.TemporaryDirectory() as found:
        done = subprocess.run(command(target, runs, seed, found), capture_output=True, text=True, errors="replace",
                              check=False)
        kept = len(os.listdir(found))
    seconds = time.monotonic() - began
    executed = re.search(r"stat::number_of_executed_units:\s*(\d+)", done.stderr)
    count = int(executed[1]) if executed else 0
    edges = re.findall(r" cov: (\d+)", done.stderr)
    print(f"{target:<11} {count:>9,} inputs  {seconds:>6.0f} s  {edges[-1] if edges else '?':>6} edges  {kept:>5} new inputs",
          flush=True)
    if done.returncode == 0 and count >= runs:
        return True
    (FINDINGS / f"{target}.log").write_text(done.stderr, errors="replace")
    told = [line for line in done.stderr.splitlines() if not line.startswith("#")]  # without the progress
    print("\n".join(told[-40:]), f"\n{target}: the input is in {FINDINGS}", flush=True)
    return False


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=1_000_000, help="inputs of each fuzzer")
    parser.add_argument("--seed", type=int, default=1, help="another seed gives other inputs")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="fuzzers at the same time")
    parser.add_argument("targets", nargs="*", metavar="target", help=", ".join(TARGETS))
    options = parser.parse_args(arguments)
    if unknown := set(options.targets) - set(TARGETS):
        parser.error(f"unknown: {', '.join(sorted(unknown))}")
    FINDINGS.mkdir(parents=True, exist_ok=True)
    with ThreadPoolExecutor(options.jobs) as pool:
        outcomes = list(pool.map(lambda target: run(target, options.runs, options.seed), options.targets or TARGETS))
    return 0 if all(outcomes) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

"""What recurrence rules cost, beside a reference loop: bench/load/recurrence_bench.cc."""

from __future__ import annotations

import subprocess

from ..harness.pairs import Plan
from ..harness.places import program
from ..harness.report import Report


def main(report: Report, _: Plan) -> None:
    done = subprocess.run([program("recurrence_bench")], check=False)
    report.promise("recurrence", done.returncode == 0, "the lines above")

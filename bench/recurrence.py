"""What recurrence rules cost, beside a reference loop: bench/recurrence_bench.cc."""

from __future__ import annotations

import argparse
import subprocess

from .measuring import build


def main(_: argparse.Namespace) -> bool:
    return subprocess.run([build() / "bench" / "recurrence_bench"], check=False).returncode == 0

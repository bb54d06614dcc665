"""Puts the last run into docs/performance.md: its table, what a call costs, and the plots. Meant for a quiet machine and
the full form.

    python3 -m bench.record [build/bench/report.json]"""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from .harness.plots import draw
from .harness.report import FOLDER, REPOSITORY, table_of

DOCUMENT = REPOSITORY / "docs" / "performance.md"
PLOTS = REPOSITORY / "docs" / "performance"
BEGIN, END = "<!-- figures of the last recorded run: python3 -m bench.record -->", "<!-- end of the figures -->"
CALLS = "mutations end to end, 16 clients"
SHARES = {"service_cpu_us": "todo-service", "postgres_cpu_us": "PostgreSQL", "kafka_cpu_us": "Kafka", "daprd_cpu_us": "daprd",
          "client_cpu_us": "the clients"}


def cost_of_a_call(content: Mapping[str, Any]) -> str:
    """Who takes how much CPU for a mutation, and how many a core so makes; empty without that figure."""
    row = next((row for row in content["rows"] if row["name"] == CALLS), None)
    if row is None:
        return ""
    costs = {name: row["details"]["ours"][figure] / 1e3 for figure, name in SHARES.items()}
    total = sum(costs.values())
    lines = ["| CPU of a mutation, until its event has had all effects | ms |", "|---|---|",
             *(f"| {name} | {cost:.2f} |" for name, cost in costs.items()),
             f"| together: {1e3 / total:,.0f} mutations a second for each core | {total:.2f} |"]
    return "\n".join(lines) + "\n\n"


def main() -> None:
    parser = argparse.ArgumentParser(prog="python3 -m bench.record", description=__doc__)
    parser.add_argument("report", type=Path, nargs="?", default=FOLDER / "report.json")
    report = parser.parse_args().report
    content = json.loads(report.read_text("utf-8"))
    PLOTS.mkdir(exist_ok=True)
    plots = draw(report, PLOTS)
    images = "".join(f"![Ratios of our figures to those of the peers, part {number}](performance/{plot.name})\n\n"
                     for number, plot in enumerate(plots, 1))
    text = DOCUMENT.read_text("utf-8")
    before, rest = text.split(BEGIN)
    after = rest.split(END)[1]
    DOCUMENT.write_text(f"{before}{BEGIN}\n\n{images}{cost_of_a_call(content)}{table_of(content)}\n{END}{after}", "utf-8")


if __name__ == "__main__":
    main()

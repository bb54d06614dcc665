"""Plots of a report, as SVG: for each figure with a peer its ratio, the interval, and the goal."""

from __future__ import annotations

import argparse
import json
import math
from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path
from typing import Any

LINE, LEFT, WIDTH, RIGHT = 26, 400, 420, 110
HELD, MISSED, PLAIN = "#2a7d4f", "#b3261e", "#4a6fa5"
ROWS_OF_A_PLOT = 24


def draw(report: Path, folder: Path) -> list[Path]:
    """Writes ratios-1.svg, ratios-2.svg …, and returns them."""
    content = json.loads(report.read_text("utf-8"))
    rows = [row for row in content["rows"]
            if row["ratio"] and math.isfinite(row["ratio"]["high"]) and row["ratio"]["low"] > 0]
    for old in folder.glob("ratios-*.svg"):
        old.unlink()
    files = []
    for number, first in enumerate(range(0, len(rows), ROWS_OF_A_PLOT), 1):
        files.append(folder / f"ratios-{number}.svg")
        files[-1].write_text(_plot(rows[first:first + ROWS_OF_A_PLOT], content), "utf-8")
    return files


def _plot(rows: Sequence[Mapping[str, Any]], content: Mapping[str, Any]) -> str:
    values = [value for row in rows for value in (row["ratio"]["low"], row["ratio"]["high"], 1.0,
                                                  *([row["goal"]["value"]] if row["goal"] else []))]
    low, high = math.log2(min(values)) - 0.2, math.log2(max(values)) + 0.2

    def across(value: float) -> float:
        return LEFT + WIDTH * (math.log2(value) - low) / (high - low)

    height = LINE * (len(rows) + 3)
    parts = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {LEFT + WIDTH + RIGHT} {height}" '
             'font-family="sans-serif" font-size="12">', '<rect width="100%" height="100%" fill="white"/>']
    for power in range(math.ceil(low), math.floor(high) + 1):
        x = across(2.0**power)
        parts.append(f'<line x1="{x:.1f}" y1="{LINE}" x2="{x:.1f}" y2="{height - LINE * 1.5:.0f}" '
                     f'stroke="{"#555" if power == 0 else "#ddd"}"/>')
        parts.append(f'<text x="{x:.1f}" y="{LINE - 8}" text-anchor="middle">{2.0**power:g}×</text>')
    for number, row in enumerate(rows):
        parts += _bar(row, across, LINE * (number + 1.5))
    machine = content["machine"]
    caption = (f"{content['began'][:10]}, {machine['processor']}, commit {machine['commit']}. Dot: median of the ratios to the "
               "peer; bar: 95 % interval; tick: goal.")
    parts.append(f'<text x="8" y="{height - 10}" fill="#555" font-size="11">{escape(caption)}</text></svg>')
    return "\n".join(parts) + "\n"


def _bar(row: Mapping[str, Any], across: Any, y: float) -> list[str]:
    ratio = row["ratio"]
    colour = PLAIN if row["held"] is None else HELD if row["held"] else MISSED
    parts = [f'<text x="{LEFT - 10}" y="{y + 4:.0f}" text-anchor="end">{escape(row["name"][:64])}</text>',
             f'<line x1="{across(ratio["low"]):.1f}" y1="{y:.0f}" x2="{across(ratio["high"]):.1f}" y2="{y:.0f}" '
             f'stroke="{colour}" stroke-width="5"/>',
             f'<circle cx="{across(ratio["median"]):.1f}" cy="{y:.0f}" r="5" fill="{colour}"/>',
             f'<text x="{LEFT + WIDTH + 8}" y="{y + 4:.0f}" fill="{colour}">{ratio["median"]:.2f}</text>']
    if row["goal"]:
        x = across(row["goal"]["value"])
        parts.append(f'<line x1="{x:.1f}" y1="{y - 9:.0f}" x2="{x:.1f}" y2="{y + 9:.0f}" stroke="black" stroke-width="2"/>')
    return parts


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("report", type=Path, help="build/bench/report.json")
    parser.add_argument("folder", type=Path, help="docs/performance")
    given = parser.parse_args()
    for file in draw(given.report, given.folder):
        print(file)


if __name__ == "__main__":
    main()

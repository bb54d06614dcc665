#!/usr/bin/env python3
"""Writes the table of values in the chart's README from the comments in values.yaml; --check only compares.

A value is described by the comment line "# -- …" right above it, or above the mapping that it is in.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

CHART = Path(__file__).resolve().parents[2] / "charts" / "todo-service"
README = CHART / "README.md"
BEGIN, END = "<!-- values: written by tools/install/values_table.py -->\n", "<!-- end of values -->\n"


def rows(text: str) -> list[tuple[str, str, str]]:
    """Name, default and meaning of each description. ValueError: a value has none."""
    found = []
    path: list[tuple[int, str]] = []
    meaning = ""
    lines = text.splitlines()
    for number, line in enumerate(lines):
        if described := re.match(r"\s*# -- (.*)", line):
            meaning = described[1]
            continue
        value = re.match(r"(\s*)([A-Za-z]+):(?: (.*))?$", line)
        if not value:
            continue
        indent = len(value[1])
        path = [part for part in path if part[0] < indent] + [(indent, value[2])]
        dotted = ".".join(name for _, name in path)
        if meaning:
            default = value[3]
            if default is None:  # a mapping on the next lines
                inner = [one.strip() for one in lines[number + 1:]]
                end = next((n for n, one in enumerate(lines[number + 1:])
                            if one.strip() and len(one) - len(one.lstrip()) <= indent), len(inner))
                default = "; ".join(one for one in inner[:end] if one and not one.startswith("#"))
            found.append((dotted, default, meaning))
            meaning = ""
        elif value[3] and not any(dotted.startswith(f"{name}.") for name, _, _ in found):
            raise ValueError(f"{dotted} has no description")
    return found


def table() -> str:
    lines = ["| value | default | meaning |", "|---|---|---|"]
    for name, default, meaning in rows((CHART / "values.yaml").read_text(encoding="utf-8")):
        cells = (f"`{name}`", "empty" if default in ('""', "{}", "[]") else f"`{default}`", meaning)
        lines.append("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |")
    return "\n".join(lines) + "\n"


def main() -> int:
    text = README.read_text(encoding="utf-8")
    before, rest = text.split(BEGIN)
    _, after = rest.split(END)
    wanted = before + BEGIN + table() + END + after
    if "--check" in sys.argv[1:]:
        if wanted != text:
            print(f"{README} does not tell the values of values.yaml: run tools/install/values_table.py", file=sys.stderr)
            return 1
        return 0
    README.write_text(wanted, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())

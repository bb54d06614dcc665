#!/usr/bin/env python3
"""Keeps docs/configuration.md true: its table of settings is that of the binary's --help.

    tools/settings_table.py BINARY            rewrites the table
    tools/settings_table.py --check BINARY    exit code 1, with the difference, when it is not up to date
"""

from __future__ import annotations

import argparse
import difflib
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

DOCUMENT = Path(__file__).resolve().parent.parent / "docs" / "configuration.md"
BEGIN, END = "<!-- settings: written by `make docs` -->", "<!-- end of settings -->"


@dataclass(frozen=True)
class Setting:
    flag: str  # empty: from the environment only
    variable: str
    default: str
    meaning: str


def settings_of(help_text: str) -> list[Setting]:
    """The settings that --help lists. Raises ValueError when its form is not as expected."""
    listed, _, rest = help_text.partition("\nFrom the environment only:\n")
    found = [
        Setting(flag, variable, default, meaning)
        for flag, meaning, variable, default in re.findall(
            r"^  --([a-z-]+)=\S+\n      (.+)\n      (TODO_[A-Z_]+), default (.+)$", listed, re.MULTILINE
        )
    ]
    if not found or len(found) != len(re.findall(r"^  --", listed, re.MULTILINE)):
        raise ValueError("--help has settings of another form than this program knows")
    secrets = rest.partition("\n\n")[0]
    found += [Setting("", name, "", text) for name, text in re.findall(r"^  ([A-Z_]+)\n      (.+)$", secrets, re.MULTILINE)]
    return found


def table_of(settings: list[Setting]) -> str:
    rows = ["| flag | environment | default | meaning |", "|---|---|---|---|"]
    for setting in settings:
        flag = f"`--{setting.flag}`" if setting.flag else "(none)"
        default = setting.default
        if default and re.fullmatch(r"[\w.:-]+", default):
            default = f"`{default}`"
        rows.append(f"| {flag} | `{setting.variable}` | {default} | {setting.meaning.replace('|', chr(92) + '|')} |")
    return "\n".join(rows)


def with_table(document: str, table: str) -> str:
    before, begin, rest = document.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"docs/configuration.md lacks {BEGIN!r} or {END!r}")
    return f"{before}{begin}\n{table}\n{end}{after}"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true")
    parser.add_argument("binary", type=Path)
    arguments = parser.parse_args()
    help_text = subprocess.run([arguments.binary, "--help"], check=True, capture_output=True, text=True).stdout
    is_now = DOCUMENT.read_text()
    should_be = with_table(is_now, table_of(settings_of(help_text)))
    if not arguments.check:
        DOCUMENT.write_text(should_be)
        return 0
    difference = list(difflib.unified_diff(is_now.splitlines(), should_be.splitlines(), DOCUMENT.name, "--help", lineterm=""))
    print("\n".join(difference), file=sys.stderr, end="\n" if difference else "")
    return 1 if difference else 0


if __name__ == "__main__":
    sys.exit(main())

#!/usr/bin/env python3
"""Holds the sources of `src` to the limits of size: 70 lines for a function, 400 for a file. clang-format has run before,
so a function ends at the first closing brace that is indented as its first line."""

from __future__ import annotations

import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
MAX_FUNCTION = 70
MAX_FILE = 400
# "file" or "file: function" below src -> why a division would not help the reader
EXCEPTIONS: dict[str, str] = {}

NO_FUNCTION = re.compile(r"^\s*(namespace|class|struct|enum|union|extern|if|for|while|switch|else|do|try|case|default)\b")
NAME = re.compile(r"([~\w:]+)\s*\(")


def functions(lines: list[str]) -> list[tuple[str, int, int]]:
    """Name, number of the first line and count of lines of each function that is not inside another."""
    found = []
    at = 0
    lines = [re.sub(r"\s*//.*", "", line) for line in lines]
    while at < len(lines):
        line = lines[at]
        indent = len(line) - len(line.lstrip())
        begins = line.strip() and line.lstrip()[0] not in "/#*}:" and not NO_FUNCTION.match(line) and indent in (0, 2)
        if not begins:
            at += 1
            continue
        # A head may take some lines; it ends with the brace that opens the body, or was none.
        head = at
        while head < len(lines) and not lines[head].rstrip().endswith(("{", ";", "}")):
            head += 1
        text = " ".join(part.strip() for part in lines[at : head + 1])
        name = NAME.search(text)
        if head == len(lines) or not lines[head].rstrip().endswith("{") or name is None or "= {" in text or "={" in text:
            at += 1 if indent == 0 and NO_FUNCTION.match(text) else max(1, head - at + 1)
            continue
        end = head
        while end < len(lines) and not re.match(rf" {{{indent}}}}}", lines[end]):
            end += 1
        found.append((name[1], at + 1, end - at + 1))
        at = end + 1
    return found


def faults(path: Path, root: Path) -> list[str]:
    name = str(path.relative_to(root / "src"))
    lines = path.read_text().splitlines()
    found = []
    if len(lines) > MAX_FILE and name not in EXCEPTIONS:
        found.append(f"src/{name}: {len(lines)} lines, {MAX_FILE} are allowed: divide it by subject")
    for function, first, count in functions(lines):
        if count > MAX_FUNCTION and f"{name}: {function}" not in EXCEPTIONS:
            found.append(f"src/{name}:{first}: {function} has {count} lines, {MAX_FUNCTION} are allowed: divide it")
    return found


def unused(root: Path) -> list[str]:
    """Exceptions that nothing needs any more."""
    found = []
    for entry in EXCEPTIONS:
        name, _, function = entry.partition(": ")
        path = root / "src" / name
        lines = path.read_text().splitlines() if path.exists() else []
        if function:
            needed = any(f == function and count > MAX_FUNCTION for f, _, count in functions(lines))
        else:
            needed = len(lines) > MAX_FILE
        if not needed:
            found.append(f"{Path(__file__).name}: nothing needs the exception '{entry}'")
    return found


def main() -> int:
    paths = sorted(path for path in (ROOT / "src").rglob("*") if path.suffix in (".cc", ".h"))
    found = [fault for path in paths for fault in faults(path, ROOT)] + unused(ROOT)
    print("\n".join(found), file=sys.stderr, end="\n" if found else "")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())

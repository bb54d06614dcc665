#!/usr/bin/env python3
"""clang-tidy over the sources given, on all cores. What was found clean is remembered by the content of everything it
read: the file, our headers that it includes (protoc's count by the protos they are made from, the system's by the list
of packages), the settings and the flags."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shlex
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BUILD = ROOT / "build" / "lint"
_USER_CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
CACHE = Path(os.environ.get("TODO_CACHE") or _USER_CACHE / "todo-service") / "tidy"
# The flags are those of GCC, some of which clang does not know.
TIDY = ["clang-tidy-14", "--quiet", "--extra-arg=-Wno-unknown-warning-option", "-p", str(BUILD)]


# Of a source or header, and of a proto.
INCLUDE = re.compile(r'^\s*(?:#\s*include|import)\s+"([^"]+)"', re.MULTILINE)
# Where a name in quotes is looked for.
FOLDERS = [ROOT / "src", ROOT / "db", ROOT / "proto"]


def read_by(source: Path) -> set[Path]:
    """The source, and what it includes of ours, directly or not: headers, and protos in place of protoc's headers."""
    files, todo = set(), [source]
    while todo:
        path = todo.pop()
        if path in files:
            continue
        files.add(path)
        for name in INCLUDE.findall(path.read_text()):
            name = re.sub(r"(\.grpc)?\.pb\.h$", ".proto", name)
            todo += [found for folder in FOLDERS if (found := folder / name).exists()]
    return files


def key_of(source: Path, command: list[str]) -> str:
    digest = hashlib.sha256(" ".join([*TIDY, *command]).replace(str(ROOT), "").encode())
    settings = [ROOT / ".clang-tidy", ROOT / "tools" / "packages.txt"]
    for path in [*settings, *sorted(read_by(source))]:
        digest.update(path.read_bytes())
    return digest.hexdigest()[:32]


def check(source: Path, command: list[str]) -> bool:
    clean = CACHE / key_of(source, command)
    if clean.exists():
        return True
    done = subprocess.run([*TIDY, str(source)], capture_output=True, text=True)
    if done.returncode == 0:
        clean.touch()
    else:
        print(done.stdout or done.stderr, flush=True)
    return done.returncode == 0


def main() -> int:
    CACHE.mkdir(parents=True, exist_ok=True)
    commands = {Path(entry["file"]).resolve(): shlex.split(entry["command"])
                for entry in json.loads((BUILD / "compile_commands.json").read_text())}
    sources = [Path(name).resolve() for name in sys.argv[1:]]
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        clean = list(pool.map(lambda source: check(source, commands[source]), sources))
    return 0 if all(clean) else 1


if __name__ == "__main__":
    sys.exit(main())

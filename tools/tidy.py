#!/usr/bin/env python3
"""clang-tidy over the sources given, on all cores. What was found clean is remembered by the content of everything it
read: the file, our headers that it includes (protoc's count by the protos they are made from, the system's by the list
of packages), the settings and the flags.

Most of clang-tidy's time goes into headers. So a plugin keeps the checks out of the system's headers, and sources are
looked at together, as one source made of their texts. Where that finds anything, also because the texts do not go
together, halves of them are looked at, and at last each alone."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shlex
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BUILD = ROOT / "build" / "lint"
_USER_CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
CACHE = Path(os.environ.get("TODO_CACHE") or _USER_CACHE / "todo-service") / "tidy"
# The flags are those of GCC, some of which clang does not know.
TIDY = ["clang-tidy-14", "--quiet", "--extra-arg=-Wno-unknown-warning-option"]
# Without the plugin the checks visit the declarations of system headers, five times as long as all the rest.
PLUGIN = ROOT / "tools" / "tidy_plugin" / "own_declarations.cc"
LOADED = [f"--load={BUILD}/tools/tidy_plugin/libtidy_plugin.so"]
MAX_TOGETHER = 24
# The compiler says what is shadowed in one source.
TOGETHER = ["--extra-arg=-Wno-shadow"]

# Of a source or header, and of a proto.
INCLUDE = re.compile(r'^\s*(?:#\s*include|import)\s+"([^"]+)"', re.MULTILINE)
# Where a name in quotes is looked for.
FOLDERS = [ROOT / "src", ROOT / "db", ROOT / "proto"]
# A name of another room, for short.
USED = re.compile(r"^using [\w:]+::(\w+);", re.MULTILINE)
# What one file has for itself: between these lines, declared from the beginning of a line.
OWN_PART = re.compile(r"^namespace \{$(.*?)^\}  // namespace$", re.MULTILINE | re.DOTALL)
RAW_TEXT = re.compile(r'R"(\w*)\(.*?\)\1"', re.DOTALL)
DECLARED = re.compile(r"^(?:(?:class|struct|enum class|enum) (\w+)|using (\w+) =|"
                      r"(?!using |namespace )[A-Za-z].*?\b([A-Za-z_]\w*)\s*[({=;[])", re.MULTILINE)


@dataclass
class Source:
    path: Path
    command: list[str]  # of the compiler, in which the path is one word
    key: str
    own: set[str]  # the names that it declares for itself
    used: set[str]  # the names of others that it takes over


@dataclass
class Group:
    members: list[Source] = field(default_factory=list)

    def takes(self, source: Source) -> bool:
        return len(self.members) < MAX_TOGETHER and not any(
            member.own & (source.own | source.used) or member.used & source.own for member in self.members)


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
    settings = [ROOT / ".clang-tidy", ROOT / "tools" / "packages.txt", PLUGIN]
    for path in [*settings, *sorted(read_by(source))]:
        digest.update(path.read_bytes())
    return digest.hexdigest()[:32]


def load(path: Path, command: list[str]) -> Source:
    text = RAW_TEXT.sub("", path.read_text())
    own = {name for part in OWN_PART.findall(text) for names in DECLARED.findall(part) for name in names if name}
    return Source(path, command, key_of(path, command), own, set(USED.findall(text)))


def flags_of(source: Source) -> tuple[str, ...]:
    """The compiler's command without what names this source."""
    output = source.command.index("-o")
    return tuple(word for place, word in enumerate(source.command)
                 if place not in (output, output + 1) and word != str(source.path))


def groups_of(sources: list[Source]) -> list[Group]:
    groups: dict[tuple[str, ...], list[Group]] = {}
    for source in sources:
        alike = groups.setdefault(flags_of(source), [])
        group = next((one for one in alike if one.takes(source)), None)
        if group is None:
            group = Group()
            alike.append(group)
        group.members.append(source)
    return [group for alike in groups.values() for group in alike]


def together(group: Group) -> bool:
    """Whether clang-tidy finds nothing in the texts of all members."""
    with tempfile.TemporaryDirectory(dir=BUILD) as folder:
        unit = Path(folder) / "together.cc"
        unit.write_text("\n".join(member.path.read_text() for member in group.members))
        command = [*flags_of(group.members[0]), str(unit)]
        entry = {"directory": str(BUILD), "file": str(unit), "command": shlex.join(command)}
        (Path(folder) / "compile_commands.json").write_text(json.dumps([entry]))
        return subprocess.run([*TIDY, *LOADED, *TOGETHER, "-p", folder, str(unit)], capture_output=True).returncode == 0


def alone(source: Source) -> bool:
    done = subprocess.run([*TIDY, *LOADED, "-p", str(BUILD), str(source.path)], capture_output=True, text=True)
    if done.returncode:
        print(done.stdout or done.stderr, flush=True)
    return done.returncode == 0


def check(group: Group) -> bool:
    members = group.members
    if len(members) == 1:
        clean = alone(members[0])
    else:
        clean = together(group)
        if not clean:
            middle = len(members) // 2
            # Both, so that one run tells all that is wrong.
            return all([check(Group(members[:middle])), check(Group(members[middle:]))])
    if clean:
        for member in members:
            (CACHE / member.key).touch()
    return clean


def main() -> int:
    CACHE.mkdir(parents=True, exist_ok=True)
    commands = {Path(entry["file"]).resolve(): shlex.split(entry["command"])
                for entry in json.loads((BUILD / "compile_commands.json").read_text())}
    sources = [load(path, commands[path]) for name in sys.argv[1:] if (path := Path(name).resolve())]
    groups = groups_of([source for source in sources if not (CACHE / source.key).exists()])
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        clean = list(pool.map(check, groups))
    return 0 if all(clean) else 1


if __name__ == "__main__":
    sys.exit(main())

#!/usr/bin/env python3
"""Holds the includes of each room against the arrows of ARCHITECTURE.md, and each library to its one room."""

from __future__ import annotations

import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent

# room -> rooms it may include besides itself
ARROWS = {
    "util": set(),
    "domain": {"util"},
    "ports": {"domain", "util"},
    "service": {"domain", "ports", "util"},
    "api": {"chat", "chat/grammar", "domain", "ports", "service", "util"},
    "appcallback": {"domain", "ports", "service", "util"},
    "chat": {"chat/grammar", "domain", "ports", "service", "util"},
    "chat/grammar": {"domain", "util"},  # pure: no port, no use case
    "auth": {"domain", "net", "ports", "util"},
    "client": {"domain", "ports", "util"},
    "store": {"domain", "ports", "util"},
    "relay": {"domain", "ports", "util"},
    "live": {"domain", "ports", "util"},
    "edge": {"util"},
    "page": {"util"},
    "front": {"util"},
    "net": {"util"},
    "telemetry": {"net", "util"},
    "notify": {"domain", "net", "ports", "util"},
    "app": {"api", "appcallback", "auth", "chat", "client", "domain", "edge", "front", "live", "net", "notify", "page", "ports", "relay", "service", "store", "telemetry", "util"},
}
# include pattern -> the only rooms that may use it
LIBRARIES = {
    r"<pqxx/": {"store"},
    r"<curl/": {"net"},
    r"[<\"]grpc": {"api", "appcallback", "client", "app"},
    r"[<\"]google/protobuf": {"api", "app", "appcallback", "client"},
    r"[<\"](dapr|todo|google/rpc)/": {"api", "appcallback", "client"},
    r"<spdlog/": {"util"},
    r"<unicode/": {"util"},
    r"<boost/": {"edge"},
    r"<zlib": {"api"},
    r"<prometheus/": {"app"},
}
INCLUDE = re.compile(r'^\s*#\s*include\s*([<"][^>"]+)', re.MULTILINE)


def room_of(path: str) -> str:
    """The room of a file below src: the deepest folder that has arrows of its own."""
    parts = path.split("/")
    return "/".join(parts[:2]) if "/".join(parts[:2]) in ARROWS else parts[0]


def faults(room: str, path: Path) -> list[str]:
    found = []
    for target in INCLUDE.findall(path.read_text()):
        other = room_of(target[1:])
        if target[0] == '"' and other in ARROWS and other != room and other not in ARROWS[room]:
            found.append(f"{path.relative_to(ROOT)}: '{room}' must not include '{target[1:]}'")
        for pattern, rooms in LIBRARIES.items():
            if re.match(pattern, target) and room not in rooms:
                found.append(f"{path.relative_to(ROOT)}: {target[1:]} belongs into {', '.join(sorted(rooms))}")
    return found


def main() -> int:
    source = ROOT / "src"
    rooms = {path.name for path in source.iterdir() if path.is_dir()}
    found = [f"src/{room} has no line in {Path(__file__).name}" for room in sorted(rooms - ARROWS.keys())]
    for room in sorted(rooms & ARROWS.keys()):
        for path in sorted((source / room).rglob("*.[ch]*")):
            found += faults(room_of(str(path.relative_to(source))), path)
    print("\n".join(found), file=sys.stderr, end="\n" if found else "")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())

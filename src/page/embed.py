#!/usr/bin/env python3
"""Writes the C++ source with the files of the page: those of `web`, and below /lib those of its libraries.

embed.py WEB NODE_MODULES OUTPUT

The same files give the same source, whenever and wherever it is written. Python's standard library only.
"""

from __future__ import annotations

import hashlib
import sys
import zlib
from dataclasses import dataclass
from pathlib import Path

TYPES = {
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".ico": "image/x-icon",
    ".js": "text/javascript; charset=utf-8",
    ".png": "image/png",
    ".svg": "image/svg+xml",
    ".txt": "text/plain; charset=utf-8",
    ".webmanifest": "application/manifest+json",
}
# path of the URL -> file below node_modules
LIBRARY_FILES = {
    "/lib/preact.js": "htm/preact/standalone.module.js",
    "/lib/uplot.css": "uplot/dist/uPlot.min.css",
    "/lib/uplot.js": "uplot/dist/uPlot.esm.js",
}
# What the files above are made of. htm's standalone module contains preact.
LICENCES = {"htm": "Apache License 2.0", "preact": "MIT", "uplot": "MIT"}
LINE = 100


@dataclass(frozen=True)
class File:
    path: str
    type: str
    body: bytes

    @property
    def etag(self) -> str:
        return f'W/"{hashlib.sha256(self.body).hexdigest()[:32]}"'

    @property
    def gzip(self) -> bytes:
        """Empty where it saves nothing. The header of zlib's own gzip format has neither a time nor a name."""
        packer = zlib.compressobj(9, zlib.DEFLATED, 31)
        packed = packer.compress(self.body) + packer.flush()
        return packed if len(packed) < len(self.body) else b""


def type_of(path: Path) -> str:
    if path.suffix not in TYPES:
        raise SystemExit(f"embed.py: {path}: the page has no files of this kind; TYPES in embed.py has those it has")
    return TYPES[path.suffix]


def licences(modules: Path) -> bytes:
    parts = ["The page uses these libraries.\n"]
    for name, title in LICENCES.items():
        text = (modules / name / "LICENSE").read_text(encoding="utf-8").strip("\n")
        parts.append(f"{'=' * 78}\n{name} ({title})\n{'=' * 78}\n\n{text}\n")
    return "\n".join(parts).encode()


def files(web: Path, modules: Path) -> list[File]:
    """Ordered by path."""
    found = {f"/{path.relative_to(web).as_posix()}": path for path in web.rglob("*") if path.is_file()}
    for path in found:
        if path.startswith("/lib/") or path == "/settings.json":
            raise SystemExit(f"embed.py: web{path}: this path is not a file's")
    found |= {path: modules / name for path, name in LIBRARY_FILES.items()}
    content = [File(path, type_of(file), file.read_bytes()) for path, file in found.items()]
    content.append(File("/lib/licences.txt", TYPES[".txt"], licences(modules)))
    return sorted(content, key=lambda file: file.path.encode())


def literal(data: bytes) -> str:
    """An expression of type std::string_view."""
    if not data:
        return "std::string_view()"
    pieces = []
    line = ""
    for byte in data:
        character = chr(byte)
        # Always three digits, so that a digit that follows is not taken for one more.
        line += character if 32 <= byte < 127 and character not in '"\\?' else f"\\{byte:03o}"
        if len(line) >= LINE:
            pieces.append(line)
            line = ""
    pieces.append(line)
    text = "\n    ".join(f'"{piece}"' for piece in pieces)
    return f"std::string_view(\n    {text},\n    {len(data)})"


def source(content: list[File]) -> str:
    entries = "".join(
        "    {" + ",\n     ".join(literal(value) for value in (file.path.encode(), file.type.encode(), file.etag.encode(), file.body, file.gzip)) + "},\n"
        for file in content
    )
    return f"""// Written by src/page/embed.py.
#include <array>
#include <string_view>

#include "page/file.h"

namespace todo::page {{
namespace {{

constexpr std::array<File, {len(content)}> kFiles = {{{{
{entries}}}}};

}}  // namespace

std::span<const File> EmbeddedFiles() {{ return kFiles; }}

}}  // namespace todo::page
"""


def main(web: Path, modules: Path, output: Path) -> None:
    output.write_text(source(files(web, modules)), encoding="ascii")


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:4]))

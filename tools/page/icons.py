#!/usr/bin/env python3
"""Draws the PNG icons of the page: a white tick on the accent colour. Python's standard library only.

icons.py FOLDER      (web/icons)
"""

from __future__ import annotations

import math
import struct
import sys
import zlib
from pathlib import Path

ACCENT = (63, 91, 217)
TICK = ((18.5, 33.5), (28.0, 43.0), (46.0, 23.5))  # on a square of 64, as in icon.svg
HALF_STROKE = 3.25
RADIUS = 15.0


def to_segment(x: float, y: float, a: tuple[float, float], b: tuple[float, float]) -> float:
    """The distance of a point from a stretch."""
    length = (b[0] - a[0]) ** 2 + (b[1] - a[1]) ** 2
    along = max(0.0, min(1.0, ((x - a[0]) * (b[0] - a[0]) + (y - a[1]) * (b[1] - a[1])) / length))
    return math.hypot(x - a[0] - along * (b[0] - a[0]), y - a[1] - along * (b[1] - a[1]))


def to_square(x: float, y: float) -> float:
    """The distance of a point from the rounded square; negative inside."""
    dx, dy = abs(x - 32) - 32 + RADIUS, abs(y - 32) - 32 + RADIUS
    return math.hypot(max(dx, 0), max(dy, 0)) + min(max(dx, dy), 0) - RADIUS


def pixel(x: float, y: float, unit: float, maskable: bool) -> bytes:
    # A mask may cut up to a tenth of each side, so the tick of a maskable icon is smaller.
    scale = 1.25 if maskable else 1.0
    tick_x, tick_y = 32 + (x - 32) * scale, 32 + (y - 32) * scale
    far = min(to_segment(tick_x, tick_y, TICK[0], TICK[1]), to_segment(tick_x, tick_y, TICK[1], TICK[2]))
    white = max(0.0, min(1.0, 0.5 - (far - HALF_STROKE) / (unit * scale)))
    opaque = 1.0 if maskable else max(0.0, min(1.0, 0.5 - to_square(x, y) / unit))
    colour = [round(part + (255 - part) * white) for part in ACCENT]
    return bytes([*colour, round(255 * opaque)])


def chunk(name: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))


def png(size: int, maskable: bool) -> bytes:
    unit = 64 / size
    rows = bytearray()
    for row in range(size):
        rows.append(0)
        for column in range(size):
            rows += pixel((column + 0.5) * unit, (row + 0.5) * unit, unit, maskable)
    header = struct.pack(">IIBBBBB", size, size, 8, 6, 0, 0, 0)
    body = chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(bytes(rows), 9)) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + body


def main() -> None:
    folder = Path(sys.argv[1])
    for name, size, maskable in (("icon-192", 192, False), ("icon-512", 512, False), ("icon-maskable-512", 512, True)):
        (folder / f"{name}.png").write_bytes(png(size, maskable))


if __name__ == "__main__":
    main()

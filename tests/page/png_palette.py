"""PNG files with a palette: a third of the size, for pictures of few colours such as those of a page."""

from __future__ import annotations

import struct
import zlib
from collections import Counter

SIGNATURE = b"\x89PNG\r\n\x1a\n"
COLOURS = 256


def with_palette(png: bytes) -> bytes:
    """The same picture in at most 256 colours. Takes what Chromium writes: 8 bits for each of RGB or RGBA."""
    width, height, channels, pixels = _decode(png)
    counts = Counter(pixels[at:at + 3] for at in range(0, len(pixels), channels))
    palette = _palette(counts)
    index = {colour: _nearest(colour, palette) for colour in counts}
    rows = bytearray()
    for y in range(height):
        rows.append(0)
        row = pixels[y * width * channels:(y + 1) * width * channels]
        rows += bytes(index[row[at:at + 3]] for at in range(0, len(row), channels))
    return SIGNATURE + b"".join([
        _chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 3, 0, 0, 0)),
        _chunk(b"PLTE", b"".join(palette)), _chunk(b"IDAT", zlib.compress(bytes(rows), 9)), _chunk(b"IEND", b"")])


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def _decode(png: bytes) -> tuple[int, int, int, bytes]:
    assert png.startswith(SIGNATURE)
    at, data, width, height, channels = len(SIGNATURE), b"", 0, 0, 0
    while at < len(png):
        length, kind = struct.unpack(">I4s", png[at:at + 8])
        body = png[at + 8:at + 8 + length]
        if kind == b"IHDR":
            width, height, depth, colour, _, _, interlaced = struct.unpack(">IIBBBBB", body)
            assert depth == 8 and colour in (2, 6) and not interlaced
            channels = 3 if colour == 2 else 4
        data += body if kind == b"IDAT" else b""
        at += length + 12
    return width, height, channels, _unfilter(zlib.decompress(data), width * channels, height, channels)


def _unfilter(data: bytes, stride: int, height: int, step: int) -> bytes:
    out = bytearray()
    above = bytearray(stride)
    for y in range(height):
        kind, row = data[y * (stride + 1)], bytearray(data[y * (stride + 1) + 1:(y + 1) * (stride + 1)])
        for x in range(stride) if kind else ():
            left = row[x - step] if x >= step else 0
            corner = above[x - step] if x >= step else 0
            row[x] = (row[x] + (0, left, above[x], (left + above[x]) // 2, _paeth(left, above[x], corner))[kind]) & 255
        out += row
        above = row
    return bytes(out)


def _paeth(left: int, above: int, corner: int) -> int:
    guess = left + above - corner
    return min((left, above, corner), key=lambda each: abs(guess - each))


def _palette(counts: Counter[bytes]) -> list[bytes]:
    """The most frequent colours that differ enough from each other."""
    chosen: list[bytes] = []
    for apart in (48, 24, 12, 6, 3, 0):
        for colour, _ in counts.most_common(20_000):
            if len(chosen) == COLOURS:
                return chosen
            if colour not in chosen and all(_distance(colour, other) > apart for other in chosen):
                chosen.append(colour)
        if len(chosen) >= len(counts):
            break
    return chosen


def _nearest(colour: bytes, palette: list[bytes]) -> int:
    return min(range(len(palette)), key=lambda number: _distance(colour, palette[number]))


def _distance(one: bytes, other: bytes) -> int:
    return abs(one[0] - other[0]) + abs(one[1] - other[1]) + abs(one[2] - other[2])

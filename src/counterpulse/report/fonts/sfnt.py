"""A TrueType file's character map and advances, and nothing else.

A report measures text in every run, and a library of fonts takes forty milliseconds to load and up to five hundred to read one of
these files; this takes one. The tables are those of the OpenType specification: `cmap` in formats 4 and 12, `head`, `hhea` and `hmtx`.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from struct import unpack_from

import numpy as np
from numpy.typing import NDArray

Integers = NDArray[np.int64]
UNICODE = ((3, 10), (0, 4), (0, 6), (3, 1), (0, 3))
"""Platforms and encodings of Unicode maps, the fullest first."""


@dataclass(frozen=True, slots=True, eq=False)
class Sfnt:
    """A face: its file, and for each character it holds, the glyph; for each glyph, the advance in em."""

    path: Path
    characters: Integers
    glyphs: Integers
    advances: NDArray[np.float64]

    def glyph(self, code: int) -> int:
        """The number of a character's glyph; 0 when the face has none."""
        at = int(self.characters.searchsorted(code))
        return int(self.glyphs[at]) if at < self.characters.size and self.characters[at] == code else 0

    def advance(self, code: int) -> float:
        """The width of a character in em."""
        return float(self.advances[min(self.glyph(code), self.advances.size - 1)])


@cache
def read_sfnt(path: Path) -> Sfnt:
    """Read a face."""
    data = path.read_bytes()
    (count,) = unpack_from(">H", data, 4)
    tables = {data[at : at + 4]: unpack_from(">I", data, at + 8)[0] for at in range(12, 12 + 16 * count, 16)}
    (units,) = unpack_from(">H", data, tables[b"head"] + 18)
    (measured,) = unpack_from(">H", data, tables[b"hhea"] + 34)
    advances = np.frombuffer(data, ">u2", 2 * measured, tables[b"hmtx"])[::2].astype(np.float64) / units
    characters, glyphs = _map(data, tables[b"cmap"])
    order = np.argsort(characters, kind="stable")
    return Sfnt(path, characters[order], glyphs[order], advances)


def _map(data: bytes, cmap: int) -> tuple[Integers, Integers]:
    (count,) = unpack_from(">H", data, cmap + 2)
    records = (unpack_from(">HHI", data, cmap + 4 + 8 * k) for k in range(count))
    found = {(platform, encoding): cmap + offset for platform, encoding, offset in records}
    start = next(found[kind] for kind in UNICODE if kind in found)
    (form,) = unpack_from(">H", data, start)
    characters, glyphs = {4: _segments, 12: _groups}[form](data, start)
    known = glyphs != 0
    return characters[known], glyphs[known]


def _groups(data: bytes, start: int) -> tuple[Integers, Integers]:
    """Format 12: runs of characters with runs of glyphs."""
    (count,) = unpack_from(">I", data, start + 12)
    first, last, glyph = np.frombuffer(data, ">u4", 3 * count, start + 16).astype(np.int64).reshape(-1, 3).T
    characters, at = _runs(first, last)
    return characters, glyph[at] + characters - first[at]


def _segments(data: bytes, start: int) -> tuple[Integers, Integers]:
    """Format 4: segments whose glyphs follow from a difference or stand in an array."""
    (doubled,) = unpack_from(">H", data, start + 6)
    count = doubled // 2
    last = np.frombuffer(data, ">u2", count, start + 14).astype(np.int64)
    first = np.frombuffer(data, ">u2", count, start + 16 + doubled).astype(np.int64)
    shift = np.frombuffer(data, ">i2", count, start + 16 + 2 * doubled).astype(np.int64)
    place = start + 16 + 3 * doubled
    offset = np.frombuffer(data, ">u2", count, place).astype(np.int64)
    characters, at = _runs(first, np.where(last == 0xFFFF, 0xFFFE, last))
    words = np.frombuffer(data, ">u2", (len(data) - place) // 2, place).astype(np.int64)
    index = np.minimum(at + offset[at] // 2 + characters - first[at], words.size - 1)
    stored = words[index]
    listed = np.where(stored == 0, 0, (stored + shift[at]) & 0xFFFF)
    return characters, np.where(offset[at] == 0, (characters + shift[at]) & 0xFFFF, listed)


def _runs(first: Integers, last: Integers) -> tuple[Integers, Integers]:
    """Every number from each first to its last, and the number of its run."""
    lengths = np.maximum(last - first + 1, 0)
    at = np.repeat(np.arange(first.size), lengths)
    begins = np.cumsum(lengths) - lengths
    return first[at] + np.arange(at.size) - begins[at], at

"""A CSV that a spreadsheet opens as it is meant, and that runs nothing there."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence

FORMULA = ("=", "+", "-", "@", "\t", "\r")


def spreadsheet_csv(names: Sequence[str], rows: Iterable[Iterable[object]]) -> bytes:
    """UTF-8 with a mark, so that a spreadsheet reads it; text that a spreadsheet would run is made plain."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(names)
    writer.writerows([_cell(value) for value in row] for row in rows)
    return b"\xef\xbb\xbf" + out.getvalue().encode()


def _cell(value: object) -> object:
    if isinstance(value, tuple):
        return "|".join(map(str, value))
    if isinstance(value, str) and value.startswith(FORMULA) and not _is_number(value):
        return f"'{value}"
    return "" if value is None else repr(value) if isinstance(value, float) else value


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True

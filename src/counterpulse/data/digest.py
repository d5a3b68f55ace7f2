"""The digest of a table's content, whatever file it came from."""

from __future__ import annotations

import hashlib

import numpy as np
import polars as pl


def content_digest(frame: pl.DataFrame) -> str:
    """SHA-256 over names, types, nulls and values of the typed columns in their order; row order counts."""
    digest = hashlib.sha256(f"rows {frame.height}".encode())
    for column in frame:
        digest.update(f"\0{column.name}\0{_type_name(column)}\0".encode())
        digest.update(np.packbits(column.is_null().to_numpy()).tobytes())
        for part in _value_bytes(column):
            digest.update(part)
    return "sha256:" + digest.hexdigest()


def _type_name(column: pl.Series) -> str:
    if isinstance(column.dtype, pl.Enum):
        return "levels\0" + "\0".join(column.dtype.categories)
    return str(column.dtype)


def _value_bytes(column: pl.Series) -> list[bytes]:
    """Little-endian numbers; text as lengths and UTF-8."""
    if column.dtype == pl.String:
        text = column.fill_null("")
        return [text.str.len_bytes().to_numpy().astype("<u4").tobytes(), "".join(text).encode()]
    if column.dtype == pl.Float64:
        return [(column.fill_null(0.0) + 0.0).to_numpy().astype("<f8").tobytes()]  # -0.0 becomes 0.0
    if column.dtype == pl.Boolean:
        return [column.fill_null(False).to_numpy().astype("u1").tobytes()]
    return [column.to_physical().cast(pl.Int64).fill_null(0).to_numpy().astype("<i8").tobytes()]

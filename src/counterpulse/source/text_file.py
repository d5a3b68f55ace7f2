"""Bytes become text, and the encoding is named."""

from __future__ import annotations

import codecs
from dataclasses import dataclass
from pathlib import Path

from counterpulse.errors import UsageError

SAMPLE_BYTES = 4096

_BYTE_ORDER_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig", "UTF-8"),
    (codecs.BOM_UTF32_LE, "utf-32", "UTF-32"),
    (codecs.BOM_UTF32_BE, "utf-32", "UTF-32"),
    (codecs.BOM_UTF16_LE, "utf-16", "UTF-16"),
    (codecs.BOM_UTF16_BE, "utf-16", "UTF-16"),
)


@dataclass(frozen=True, slots=True)
class DecodedText:
    """Text without byte order mark; `encoding` is its name for people, `guessed` says that no mark proved it."""

    text: str
    encoding: str
    guessed: bool = False


def decode(data: bytes) -> DecodedText | None:
    """The text of a file: UTF-8, UTF-16 or UTF-32, else Windows-1252 as a guess; None where nothing fits."""
    for mark, codec, name in _BYTE_ORDER_MARKS:
        if data.startswith(mark):
            return _attempt(data, codec, name, guessed=False)
    if codec_without_mark := _utf16_without_mark(data[:SAMPLE_BYTES]):
        return _attempt(data, codec_without_mark, "UTF-16", guessed=True)
    if b"\0" in data:
        return None
    return _attempt(data, "utf-8", "UTF-8", guessed=False) or _attempt(data, "cp1252", "Windows-1252", guessed=True)


def read_bytes(path: Path, *, what: str) -> bytes:
    """The bytes of a file; `what` names it for the reader of an error ("protocol").

    Raises
    ------
    UsageError : the file is missing, is a directory, or cannot be opened
    """
    try:
        return path.read_bytes()
    except FileNotFoundError:
        raise UsageError(f"the {what} {path} is not there; check the spelling and the folder") from None
    except OSError as error:
        if isinstance(error, IsADirectoryError | PermissionError) and path.is_dir():
            raise UsageError(f"{path} is a folder; name the {what} file inside it") from None
        raise UsageError(f"the {what} {path} cannot be opened: {error.strerror}") from None


def _attempt(data: bytes, codec: str, name: str, *, guessed: bool) -> DecodedText | None:
    try:
        return DecodedText(data.decode(codec), name, guessed)
    except UnicodeDecodeError:
        return None


def _utf16_without_mark(sample: bytes) -> str | None:
    """The byte order, where every other byte of mostly Latin text is zero."""
    half = len(sample) // 2
    if half < 2:
        return None
    if sample[1 : 2 * half : 2].count(0) > 0.7 * half and 0 not in sample[0 : 2 * half : 2]:
        return "utf-16-le"
    if sample[0 : 2 * half : 2].count(0) > 0.7 * half and 0 not in sample[1 : 2 * half : 2]:
        return "utf-16-be"
    return None

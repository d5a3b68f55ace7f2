"""Files with line and column, and what is said about them."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from counterpulse.source.finding import Finding, Location, Severity, did_you_mean

if TYPE_CHECKING:
    from counterpulse.source.csv_file import CsvCell, CsvFile, detect_separator, parse_csv, read_csv_file
    from counterpulse.source.text_file import DecodedText, decode, read_bytes
    from counterpulse.source.yaml_file import YamlFile, load_yaml

__all__ = [
    "CsvCell",
    "CsvFile",
    "DecodedText",
    "Finding",
    "Location",
    "Severity",
    "YamlFile",
    "decode",
    "detect_separator",
    "did_you_mean",
    "load_yaml",
    "parse_csv",
    "read_bytes",
    "read_csv_file",
]

_HOMES = {
    "CsvCell": "csv_file",
    "CsvFile": "csv_file",
    "detect_separator": "csv_file",
    "parse_csv": "csv_file",
    "read_csv_file": "csv_file",
    "DecodedText": "text_file",
    "decode": "text_file",
    "read_bytes": "text_file",
    "YamlFile": "yaml_file",
    "load_yaml": "yaml_file",
}


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)

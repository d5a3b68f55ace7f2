"""The small vocabularies of the protocol language: yes/no, durations, British spellings."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import BeforeValidator, GetCoreSchemaHandler, GetJsonSchemaHandler, PlainSerializer, WithJsonSchema
from pydantic_core import CoreSchema, core_schema

HOURS: Mapping[str, float] = {"minute": 1 / 60, "hour": 1.0, "day": 24.0, "week": 168.0, "month": 730.5, "year": 8766.0}
UNITS: Mapping[str, str] = {
    "min": "minutes", "minute": "minutes", "minutes": "minutes", "h": "hours", "hr": "hours", "hour": "hours",
    "hours": "hours", "d": "days", "day": "days", "days": "days", "wk": "weeks", "week": "weeks", "weeks": "weeks",
    "mo": "months", "month": "months", "months": "months", "y": "years", "yr": "years", "year": "years",
    "years": "years",
}  # fmt: skip
"""The units of time as dictionaries write them."""

BRITISH_KEYS: Mapping[str, str] = {"analyse_as": "analyze_as", "randomisation": "randomization"}
BRITISH_VALUES: Mapping[tuple[str, str], str] = {
    ("design", "randomised-trial"): "randomized-trial",
    ("assigned_by", "randomisation"): "randomization",
    ("method", "standardisation"): "standardization",
    ("also", "standardisation"): "standardization",
}
AMERICAN_TO_BRITISH_KEYS: Mapping[str, str] = {american: british for british, american in BRITISH_KEYS.items()}


@dataclass(frozen=True, slots=True)
class Duration:
    """A length of time as written: ``30 days``, ``24 hours``."""

    value: float
    unit: str

    @property
    def hours(self) -> float:
        """The length in hours (a month is 30.4375 days, a year 365.25 days)."""
        return self.value * HOURS[self.unit.removesuffix("s")]

    @property
    def days(self) -> float:
        """The length in days."""
        return self.hours / 24

    def within(self, unit: str) -> float:
        """Convert the length to another unit."""
        return self.value if unit == self.unit else self.hours / HOURS[unit.removesuffix("s")]

    def __str__(self) -> str:
        return f"{_number_as_text(self.value)} {self.unit.removesuffix('s')}{'' if self.value == 1 else 's'}"


def read_duration(value: object) -> Duration:
    """Read a length of time.

    Raises
    ------
    ValueError : it is none
    """
    if isinstance(value, Duration):
        return value
    found = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*(minute|hour|day|week|month|year)s?\s*", str(value), re.ASCII)
    if not found:
        raise ValueError("a length of time is a number and a unit, such as 30 days or 24 hours")
    return Duration(float(found[1]), f"{found[2]}s")


def _read_yes_no(value: object) -> bool:
    if isinstance(value, bool):
        return value
    known = {"yes": True, "no": False, "true": True, "false": False}
    if isinstance(value, str) and value.lower() in known:
        return known[value.lower()]
    raise ValueError("write yes or no")


def _number_as_text(value: float) -> str:
    return str(int(value)) if isinstance(value, int) or value.is_integer() else repr(value)


def _read_text(value: object) -> object:
    """Read text as it is written in YAML, where 2019040 and 1.2 are numbers."""
    return _number_as_text(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else value


def _read_level(value: object) -> object:
    """Read a level as it is written in YAML: true is yes, 1.0 is 1."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    return _read_text(value)


def _read_many(value: object) -> object:
    return value if isinstance(value, (list, tuple)) or value is None else (value,)


class _Many:
    """One value stands for a list of one."""

    def __get_pydantic_core_schema__(self, source: object, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_before_validator_function(_read_many, handler(source))

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        several = handler(schema)
        return {"anyOf": [several["items"], several]}


YesNo = Annotated[
    bool,
    BeforeValidator(_read_yes_no),
    PlainSerializer(lambda yes: "yes" if yes else "no"),
    WithJsonSchema({"enum": ["yes", "no", True, False], "title": "yes or no"}),
]
Length = Annotated[
    Duration,
    BeforeValidator(read_duration),
    PlainSerializer(str),
    WithJsonSchema({
        "type": "string",
        "pattern": r"^\d+(\.\d+)? *(minute|hour|day|week|month|year)s?$",
        "title": "a length of time with its unit, such as 30 days or 24 hours",
    }),
]  # fmt: skip
Text = Annotated[
    str, BeforeValidator(_read_text), WithJsonSchema({"type": ["string", "number"], "title": "text"})
]  # fmt: skip
Level = Annotated[
    str,
    BeforeValidator(_read_level),
    WithJsonSchema({"type": ["string", "number", "boolean"], "title": "a level (a code of the variable)"}),
]
Many = _Many()


def americanize(tree: object) -> object:
    """Write the keywords that have a British spelling in the American one; names stay as they are."""
    return _americanize(tree, "")


def _americanize(tree: object, key: object) -> object:
    if isinstance(tree, Mapping):
        return {BRITISH_KEYS.get(name, name): _americanize(value, name) for name, value in tree.items()}
    if isinstance(tree, list):
        return [_americanize(value, key) for value in tree]
    return BRITISH_VALUES.get((str(key), tree), tree) if isinstance(tree, str) else tree

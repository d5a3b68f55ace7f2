"""A reporting guideline: its items in our own words, in the numbering of the original statement.

The words of the statements are their authors'; the files beside this one paraphrase every item and name the original.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

FILES = {
    "STROBE": "strobe.csv",
    "RECORD": "record.csv",
    "CONSORT-2025": "consort-2025.csv",
    "PRISMA-2020": "prisma-2020.csv",
    "TARGET": "target.csv",
    "SAP-2017": "sap-2017.csv",
}


TITLES = {"SAP-2017": "Guideline for statistical analysis plans (2017)"}
"""Where the name and version do not make one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One item: its number in the statement, what it asks for, the rule that finds the answer, what to write without one.

    `designs` are the designs it is for; none means all.
    """

    number: str
    section: str
    words: str
    rule: str
    remains: str
    designs: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Guideline:
    """A guideline with its items in order."""

    name: str
    version: str
    link: str
    items: tuple[Item, ...]

    @property
    def title(self) -> str:
        """The name with its version."""
        return TITLES.get(self.name, f"{self.name.removesuffix(f'-{self.version}')} {self.version}")

    def for_design(self, design: str) -> tuple[Item, ...]:
        """The items that a design is asked; of an item with variants, the one for it."""
        return tuple(item for item in self.items if not item.designs or design in item.designs)


@cache
def read_guideline(name: str) -> Guideline:
    """Read a guideline.

    Raises
    ------
    KeyError : there is none of this name
    """
    text = (files("counterpulse.report.checklists") / FILES[name]).read_text(encoding="utf-8")
    rows = list(csv.DictReader(text.splitlines()))
    items = tuple(
        Item(
            number=row["item"], section=row["section"], words=row["paraphrase"], rule=row["rule"], remains=row["remains"],
            designs=tuple(row["designs"].split()),
        )
        for row in rows
    )  # fmt: skip
    return Guideline(name=rows[0]["guideline"], version=rows[0]["version"], link=rows[0]["link"], items=items)

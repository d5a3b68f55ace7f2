"""Reporting guidelines by name: which ones the report fills in, how their names are written, and which a design asks for."""

from __future__ import annotations

import re
from collections.abc import Mapping

GUIDELINES = ("STROBE", "RECORD", "CONSORT-2025", "PRISMA-2020", "TARGET")
BY_DESIGN: Mapping[str, str] = {
    "cohort": "STROBE",
    "case-control": "STROBE",
    "single-arm": "STROBE",
    "randomized-trial": "CONSORT-2025",
    "review": "PRISMA-2020",
}
"""The guideline of each design, where the protocol names none."""


def guideline_named(words: str) -> str | None:
    """The guideline that a name means, however it is written ("consort 2025", "PRISMA"); None where there is none.

    A year other than that of the version that is filled in means another statement.
    """
    plain = re.sub(r"[\W_]+", "-", words.strip(), flags=re.ASCII).strip("-").upper()
    return next((name for name in GUIDELINES if plain in (name, name.partition("-")[0])), None)


def guidelines_of(asked: tuple[str, ...], design: str) -> tuple[str, ...]:
    """The guidelines to fill in: those asked for, each once, else the one of the design."""
    named = dict.fromkeys(name for words in asked if (name := guideline_named(words)) is not None)
    return tuple(named) if asked else (BY_DESIGN[design],)

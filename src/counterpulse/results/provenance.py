"""Where a number comes from: every choice with its origin, and the works it rests on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Origin = Literal["given", "default", "derived"]


@dataclass(frozen=True, slots=True)
class Choice:
    """One choice: given by the researcher, a default, or derived by a rule from other choices or the data."""

    name: str
    value: str | float | int | bool | None
    origin: Origin
    reference: str | None = None


@dataclass(frozen=True, slots=True)
class Provenance:
    """How a result was made; `citations` are keys of `counterpulse.results.references`."""

    method: str
    choices: tuple[Choice, ...] = ()
    citations: tuple[str, ...] = ()

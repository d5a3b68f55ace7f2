"""A sample with what its making removed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from counterpulse.data.sample import Sample
from counterpulse.protocol.words import Duration
from counterpulse.results import Cell, FlowStep, Notice


@dataclass(frozen=True, slots=True, kw_only=True)
class MadeSample:
    """A sample with what its making removed; `variant` names it where an analysis has several, `landmark` when it begins."""

    sample: Sample
    variant: str | None = None
    flow: tuple[FlowStep, ...] = ()
    notices: tuple[Notice, ...] = ()
    details: Mapping[str, Cell] | None = None
    landmark: Duration | None = None


def details_of(name: str, **values: Cell) -> dict[str, Cell]:
    """Details of a sample, named by its outcome or variant."""
    return {f"{name}.{key}": value for key, value in values.items()}

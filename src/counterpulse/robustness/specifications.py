"""The specification curve: one effect under every combination of defensible choices."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import isfinite
from statistics import median

import polars as pl

from counterpulse.errors import InputError
from counterpulse.results.block import Block, Cell
from counterpulse.results.estimate import Estimate, finite_or_none
from counterpulse.results.provenance import Choice, Provenance
from counterpulse.results.status import Status
from counterpulse.results.tidy import tidy


@dataclass(frozen=True, slots=True, kw_only=True)
class Specification:
    """One combination of choices, as names and options, with the estimate it gives; `main` marks the planned one."""

    choices: Mapping[str, str]
    estimate: Estimate
    n: int | None = None
    events: int | None = None
    main: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class SpecificationCurve:
    """Specifications in order of their estimates, those without one last.

    Attributes
    ----------
    n_failed : without an estimate
    lowest, median, highest : estimates, on the scale of estimation; None where all failed
    n_above, n_below : with an interval above, and below, no effect
    """

    specifications: tuple[Specification, ...]
    n_failed: int
    lowest: float | None
    median: float | None
    highest: float | None
    n_above: int
    n_below: int
    status: Status
    provenance: Provenance

    def estimates(self) -> tuple[Estimate, ...]:
        """The estimate of every specification, in order."""
        return tuple(one.estimate for one in self.specifications)

    def tidy(self) -> pl.DataFrame:
        """One row a specification."""
        return tidy(self.estimates())

    def glance(self) -> pl.DataFrame:
        """One row: how far the specifications agree."""
        natural = [
            None if value is None else self._natural(value) for value in (self.lowest, self.median, self.highest)
        ]
        return pl.DataFrame(
            {
                "specifications": [len(self.specifications)], "failed": [self.n_failed], "lowest": [natural[0]],
                "median": [natural[1]], "highest": [natural[2]], "above_no_effect": [self.n_above],
                "below_no_effect": [self.n_below], "status": [self.status.code],
            }
        )  # fmt: skip

    def block(self, *, id: str, analysis: str) -> Block:
        """What a figure draws: a row for each specification and choice; estimates as a reader reads them."""
        rows: list[tuple[Cell, ...]] = []
        for rank, one in enumerate(self.specifications, start=1):
            shown = one.estimate.natural()
            low, high = (shown.interval.low, shown.interval.high) if shown.interval else (None, None)
            numbers = tuple(finite_or_none(value) for value in (shown.value, low, high, one.estimate.p_value))
            fixed = (one.estimate.measure, *numbers, one.n, one.events, "yes" if one.main else "no")
            rows += [(rank, name, option, *fixed) for name, option in one.choices.items()]
        names = ("specification", "choice", "option", "measure", "estimate", "conf_low", "conf_high", "p_value", "n", "events",
                 "main")  # fmt: skip
        columns = {name: tuple(row[at] for row in rows) for at, name in enumerate(names)}
        return Block(id=id, analysis=analysis, kind="specification-curve", columns=columns)

    def _natural(self, value: float) -> float:
        first = self.specifications[0].estimate
        return Estimate(term="", measure=first.measure, scale=first.scale, value=value).natural().value


def specification_curve(specifications: Sequence[Specification]) -> SpecificationCurve:
    """Order the estimates of all specifications of one effect, and say how far they agree.

    Parameters
    ----------
    specifications : of the same measure and scale, with the same names of choices; no combination twice, at most one main

    Raises
    ------
    InputError : no specification, different measures or choices, a combination twice, two main ones

    Notes
    -----
    The specifications are analyses of the same patients: their number and their agreement are no test, and no p-value is made
    of them.

    References
    ----------
    Simonsohn, Simmons and Nelson 2020 (doi:10.1038/s41562-020-0912-z); Steegen and others 2016
    (doi:10.1177/1745691616658637)
    """
    _check(specifications)
    ordered = sorted(specifications, key=lambda one: (not _known(one), one.estimate.value if _known(one) else 0.0))
    values = [one.estimate.value for one in ordered if _known(one)]
    intervals = [one.estimate.interval for one in ordered if _known(one) and one.estimate.interval is not None]
    return SpecificationCurve(
        specifications=tuple(ordered), n_failed=len(ordered) - len(values), lowest=values[0] if values else None,
        median=median(values) if values else None, highest=values[-1] if values else None,
        n_above=sum(interval.low > 0 for interval in intervals), n_below=sum(interval.high < 0 for interval in intervals),
        status=Status.OK if values else Status.UNDEFINED,
        provenance=Provenance(
            method="specification curve", choices=(Choice("specifications", len(ordered), "given"),),
            citations=("simonsohn-2020",),
        ),
    )  # fmt: skip


def _known(one: Specification) -> bool:
    return one.estimate.status in (Status.OK, Status.ONE_STUDY) and isfinite(one.estimate.value)


def _check(specifications: Sequence[Specification]) -> None:
    if not specifications:
        raise InputError("there is no specification; give at least the main one")
    if len({(one.estimate.measure, one.estimate.scale) for one in specifications}) > 1:
        raise InputError("the specifications are of different measures or scales; make one curve of each")
    if any(list(one.choices) != list(specifications[0].choices) or not one.choices for one in specifications):
        raise InputError("every specification names the same choices, in the same order, and at least one")
    if len({tuple(one.choices.values()) for one in specifications}) < len(specifications):
        raise InputError("a combination of choices stands twice; leave one out")
    if sum(one.main for one in specifications) > 1:
        raise InputError("two specifications are marked as the main one; mark one")

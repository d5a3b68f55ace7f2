"""Effects of several studies on the scale they are pooled on, with what was wrong, corrected or assumed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import sqrt

import numpy as np
import polars as pl

from counterpulse.errors import InputError
from counterpulse.numerics.distributions import critical_value
from counterpulse.results import Choice, Estimate, Interval, Provenance, Status
from counterpulse.results.estimate import Scale
from counterpulse.results.tidy import tidy
from counterpulse.synthesis.effects.printed_rows import Flags, Floats, PrintedRows
from counterpulse.synthesis.effects.problem import Problem
from counterpulse.synthesis.pooling.asked import check_level

MEASURES: Mapping[str, tuple[str, Scale]] = {
    "OR": ("odds ratio", "log"),
    "RR": ("risk ratio", "log"),
    "HR": ("hazard ratio", "log"),
    "IRR": ("rate ratio", "log"),
    "ROM": ("ratio of means", "log"),
    "PETO": ("Peto odds ratio", "log"),
    "RD": ("risk difference", "identity"),
    "AS": ("difference of arcsine transformed risks", "identity"),
    "PHI": ("phi coefficient", "identity"),
    "YUQ": ("Yule's Q", "identity"),
    "YUY": ("Yule's Y", "identity"),
    "RTET": ("tetrachoric correlation", "identity"),
    "PBIT": ("probit transformed standardized mean difference", "identity"),
    "OR2DN": ("standardized mean difference", "identity"),
    "OR2DL": ("standardized mean difference", "identity"),
    "MD": ("mean difference", "identity"),
    "SMD": ("standardized mean difference", "identity"),
    "COR": ("correlation", "identity"),
    "ZCOR": ("Fisher's z", "identity"),
    "PR": ("proportion", "identity"),
    "PLN": ("proportion", "log"),
    "PLO": ("proportion", "logit"),
    "PAS": ("proportion", "arcsine"),
    "PFT": ("double arcsine transformed proportion", "identity"),
    "IR": ("incidence rate", "identity"),
    "IRLN": ("incidence rate", "log"),
}
RATIOS = frozenset({"OR", "RR", "HR", "IRR", "ROM", "PETO"})


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class EffectRows:
    """One effect a row, in the order given.

    Attributes
    ----------
    measure : key of `MEASURES`
    scale : scale of `yi`; ratios are on the log scale
    yi, vi : effects and sampling variances, shape (k,); nan in a dropped row
    corrected : rows whose cells were corrected for a zero, shape (k,)
    dropped : rows without an effect, shape (k,); each has a problem that says why
    problems : what was wrong, corrected or doubtful, row after row
    assumptions : in words, what had to be assumed
    """

    measure: str
    scale: Scale
    yi: Floats
    vi: Floats
    corrected: Flags
    dropped: Flags
    problems: tuple[Problem, ...]
    assumptions: tuple[str, ...]
    provenance: Provenance

    @property
    def k(self) -> int:
        """Rows with an effect."""
        return int((~self.dropped).sum())

    def kept(self) -> tuple[Floats, Floats]:
        """The effects and variances of the rows that have one, ready to be pooled."""
        return self.yi[~self.dropped], self.vi[~self.dropped]

    def limits(self, *, level: float = 0.95) -> tuple[Floats, Floats]:
        """Normal confidence limits of every row, on the scale of `yi`."""
        check_level(level)
        reach = critical_value(level) * np.sqrt(self.vi)
        return self.yi - reach, self.yi + reach

    def estimates(self, *, level: float = 0.95, labels: Sequence[str] | None = None) -> tuple[Estimate, ...]:
        """One estimate a row, dropped rows with the status UNDEFINED and their problems as notes."""
        names = [f"row {i + 1}" for i in range(len(self.yi))] if labels is None else list(labels)
        if len(names) != len(self.yi):
            raise InputError(f"{len(names)} labels for {len(self.yi)} rows; give one a row")
        low, high = self.limits(level=level)
        notes: dict[int, list[str]] = {}
        for problem in self.problems:
            notes.setdefault(problem.row - 1, []).append(problem.text)
        return tuple(
            Estimate(
                term=name,
                measure=MEASURES[self.measure][0],
                value=float(self.yi[i]),
                std_error=None if self.dropped[i] else sqrt(self.vi[i]),
                interval=None if self.dropped[i] else Interval(float(low[i]), float(high[i]), level, "wald"),
                scale=self.scale,
                status=Status.UNDEFINED if self.dropped[i] else Status.OK,
                notes=tuple(notes.get(i, ())),
            )
            for i, name in enumerate(names)
        )

    def tidy(self, *, level: float = 0.95, labels: Sequence[str] | None = None) -> pl.DataFrame:
        """One row a study on the natural scale."""
        return tidy(self.estimates(level=level, labels=labels))


def effect_rows(
    rows: PrintedRows,
    yi: Floats,
    vi: Floats,
    *,
    measure: str,
    provenance: Provenance,
    scale: Scale | None = None,
    corrected: Flags | None = None,
    assumptions: tuple[str, ...] = (),
) -> EffectRows:
    """The effects with the ledger of their rows; what is not finite is dropped as undefined."""
    yi, vi = rows.standing(yi, vi)
    marks = np.zeros(rows.k, dtype=bool) if corrected is None else corrected & ~rows.dropped
    return EffectRows(
        measure=measure,
        scale=MEASURES[measure][1] if scale is None else scale,
        yi=yi,
        vi=vi,
        corrected=marks,
        dropped=rows.dropped.copy(),
        problems=rows.problems,
        assumptions=assumptions,
        provenance=provenance,
    )


def chosen(name: str, value: str | float, default: str | float | None, *, reference: str | None = None) -> Choice:
    """A choice that was given where it is not the default."""
    return Choice(name, value, "default" if value == default else "given", reference)


def check_measure(measure: str, allowed: Sequence[str]) -> str:
    """The measure in capitals.

    Raises
    ------
    InputError
        A measure that this method does not make.
    """
    name = measure.upper()
    if name not in allowed:
        raise InputError(f"measure is {measure!r}; this method makes {', '.join(allowed)}")
    return name

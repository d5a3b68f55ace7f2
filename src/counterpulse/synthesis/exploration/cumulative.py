"""The pooled effect as the studies come in, one more each time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import ArrayLike, NDArray

from counterpulse.errors import InputError
from counterpulse.results.estimate import Estimate, Scale
from counterpulse.results.provenance import Choice, Provenance
from counterpulse.synthesis.exploration.labels import study_labels
from counterpulse.synthesis.exploration.refits import Refits, asked, refit
from counterpulse.synthesis.pooling.asked import LEVEL
from counterpulse.synthesis.pooling.given_numbers import numbers
from counterpulse.synthesis.pooling.study_input import read_studies


@dataclass(frozen=True, slots=True, kw_only=True)
class Cumulative:
    """Pooled effects of the first 1, 2, …, k studies.

    Attributes
    ----------
    labels : of the study that each row adds
    order : the studies' rows in the order they come in, counted from 0
    fits : row i has the first i + 1 studies
    """

    labels: tuple[str, ...]
    order: NDArray[np.intp]
    fits: Refits
    provenance: Provenance

    def estimates(self) -> tuple[Estimate, ...]:
        """The pooled effect of all studies, then after each that came in."""
        added = tuple(self.fits.estimate(row, f"+ {label}") for row, label in enumerate(self.labels))
        return (self.fits.estimate(len(self.labels) - 1, "all studies"), *added)

    def tidy(self) -> pl.DataFrame:
        """One row a study added."""
        return self.fits.frame("added", self.labels)


def cumulative(
    yi: ArrayLike,
    vi: ArrayLike,
    *,
    by: ArrayLike | None = None,
    tau2: str | None = None,
    interval: str | None = None,
    prediction: str | None = None,
    convention: str | None = None,
    level: float = LEVEL,
    measure: str = "effect",
    scale: Scale = "identity",
    labels: Sequence[str] | None = None,
) -> Cumulative:
    """Pool the studies one more at a time.

    Parameters
    ----------
    yi : effects, shape (k,)
    vi : sampling variances, shape (k,)
    by : a number a study, such as its year, from low to high; studies with the same number keep the order given. Without
        it the studies come in as given
    tau2, interval, prediction, convention, measure, scale : as in `pool`
    level : of every interval; they are not corrected for looking again and again

    Raises
    ------
    InputError : of effects, variances or an order that do not go together, or a word that is not known

    References
    ----------
    Lau et al. 1992, doi:10.1056/NEJM199207233270406.
    """
    y, v = read_studies(yi, vi)
    how = asked(
        tau2=tau2, interval=interval, prediction=prediction, convention=convention, level=level, measure=measure, scale=scale
    )  # fmt: skip
    order = _order(by, len(y))
    rows = np.where(np.tri(len(y), dtype=bool), y[order], np.nan)
    names = study_labels(labels, len(y))
    order_of = Choice(
        "order", "as given" if by is None else "by a number a study", "default" if by is None else "given"
    )
    return Cumulative(
        labels=tuple(names[i] for i in order), order=order, fits=refit(rows, v[order], how),
        provenance=how.provenance("cumulative pooling", ("lau-1992",), order_of),
    )  # fmt: skip


def _order(by: ArrayLike | None, k: int) -> NDArray[np.intp]:
    if by is None:
        return np.arange(k)
    keys = numbers(by, "by")
    if keys.shape != (k,):
        raise InputError(f"`by` has the shape {keys.shape} and there are {k} studies; give one number a study")
    if not np.isfinite(keys).all():
        raise InputError("`by` has a missing value; give every study its place, or leave the study out")
    return np.argsort(keys, kind="stable")

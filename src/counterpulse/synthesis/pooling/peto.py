"""Peto's one-step odds ratio, and the same pooling of observed less expected events from anywhere (a log-rank test)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
from numpy.typing import ArrayLike, NDArray

from counterpulse.errors import InputError
from counterpulse.results.provenance import Choice, Provenance
from counterpulse.results.status import Status
from counterpulse.results.wald import no_estimate, wald_estimate
from counterpulse.synthesis.pooling.asked import LEVEL, check_level, check_word, choice
from counterpulse.synthesis.pooling.counts import read_two_arms
from counterpulse.synthesis.pooling.given_numbers import numbers, rows
from counterpulse.synthesis.pooling.homogeneity import NOT_TESTED, PooledOnce, about

Floats = NDArray[np.float64]
PetoMeasure = Literal["odds ratio", "hazard ratio"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Peto(PooledOnce):
    """A common ratio from observed less expected events.

    Attributes
    ----------
    measure : "odds ratio" or "hazard ratio"
    pooled : the common effect on the log scale, ``sum (O - E) / sum V``, with its Wald interval
    observed_less_expected : events in arm 1 less those expected without an effect, shape (k,)
    variances : their (hypergeometric or log-rank) variances V, shape (k,); the effect of a study has variance 1 / V
    effects : the one-step log ratio of each study, shape (k,); nan for a study without variance
    weights : what each study counts for, shape (k,), of sum 1
    k : studies given
    k_used : studies with a variance
    heterogeneity : Q, ``sum V (effect - pooled)**2``
    level : of the interval
    status : OK, or why there is no estimate
    """

    measure: PetoMeasure
    observed_less_expected: Floats
    variances: Floats
    effects: Floats
    weights: Floats
    k: int
    k_used: int
    level: float
    status: Status
    provenance: Provenance


def peto(events_1: ArrayLike, n_1: ArrayLike, events_2: ArrayLike, n_2: ArrayLike, *, level: float = LEVEL) -> Peto:
    """Common odds ratio of arm 1 against arm 2 by Peto's one-step method; nothing is added to empty cells.

    Biased where the effect is large or the arms are very unequal in size; good with rare events and balanced arms.

    Parameters
    ----------
    events_1, n_1, events_2, n_2 : events and patients of both arms, shape (k,)
    level : of the interval

    Raises
    ------
    InputError : an argument that is no count, or more events than patients

    References
    ----------
    Yusuf, Peto, Lewis, Collins and Sleight 1985, doi:10.1016/S0033-0620(85)80003-7.
    """
    t = read_two_arms(events_1, n_1, events_2, n_2)
    share = t.n_1 / t.n
    difference = np.where(t.informative, t.a - t.events * share, 0.0)
    others = np.where(t.n > 1, t.n - 1, 1.0)
    return _pooled(difference, t.events * (t.n - t.events) * share * (1 - share) / others, "odds ratio", level)


def peto_from(
    o_minus_e: ArrayLike, v: ArrayLike, *, measure: PetoMeasure = "hazard ratio", level: float = LEVEL
) -> Peto:
    """Common ratio from observed less expected events and their variances, as a log-rank test gives them.

    Parameters
    ----------
    o_minus_e, v : shape (k,)
    measure : what the ratio is

    Raises
    ------
    InputError : unequal lengths, numbers that are not finite, or a variance below zero

    References
    ----------
    Yusuf, Peto, Lewis, Collins and Sleight 1985, doi:10.1016/S0033-0620(85)80003-7.
    """
    check_word(measure, "measure", get_args(PetoMeasure))
    difference, variance = (
        np.atleast_1d(numbers(values, name)) for values, name in ((o_minus_e, "o_minus_e"), (v, "v"))
    )
    if difference.ndim != 1 or difference.shape != variance.shape or not len(difference):
        raise InputError("o_minus_e and v differ in length, or are empty; give one of each a study")
    bad = ~np.isfinite(difference) | ~np.isfinite(variance) | (variance < 0)
    if bad.any():
        raise InputError(
            f"o_minus_e or v is missing, infinite or negative (v) in {rows(bad)}; correct it or leave it out"
        )
    return _pooled(difference, variance, measure, level)


def _pooled(difference: Floats, variance: Floats, measure: PetoMeasure, level: float) -> Peto:
    check_level(level)
    used = variance > 0
    information = float(variance.sum())
    effects = np.divide(difference, variance, out=np.full(len(variance), np.nan), where=used)
    silent = f"A study without a variance of O - E says nothing of the ratio: {rows(~used)} not used."
    notes = () if used.all() else (silent,)
    if information > 0:
        status = Status.OK
        value = float(difference[used].sum()) / information
        pooled = wald_estimate(
            measure, value, information**-0.5, level, term="pooled", scale="log", null=0.0, notes=notes
        )
        heterogeneity = about(value, effects[used], 1 / variance[used])
    else:
        status, heterogeneity = Status.ZERO_CELL, NOT_TESTED
        pooled = no_estimate(measure, status, term="pooled", scale="log", notes=notes)
    return Peto(
        measure=measure, pooled=pooled, observed_less_expected=difference, variances=variance, effects=effects,
        weights=variance / information if information > 0 else variance, k=len(variance), k_used=int(used.sum()),
        heterogeneity=heterogeneity, level=level, status=status,
        provenance=Provenance(
            "peto", (Choice("measure", measure, "derived"), choice("level", level, LEVEL)), ("yusuf-1985",)
        ),
    )  # fmt: skip

"""Many random-effects fits of subsets of the same studies: what leaving out, adding and grouping have in common."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from counterpulse.results.estimate import Estimate, Interval, Scale, finite_or_none
from counterpulse.results.provenance import Choice, Provenance
from counterpulse.results.status import Status
from counterpulse.synthesis.engine.between_variance import between_variance
from counterpulse.synthesis.engine.heterogeneity import heterogeneity
from counterpulse.synthesis.engine.weighted_fit import WeightedFit, weighted_fit
from counterpulse.synthesis.pooling.asked import check_level
from counterpulse.synthesis.pooling.conventions import FROM_Q, Chosen, choose
from counterpulse.synthesis.pooling.intervals import WALD, inference
from counterpulse.synthesis.pooling.pool import NO_WIDTH
from counterpulse.synthesis.pooling.prediction_intervals import NONE, prediction_ends

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Asked:
    """How the subsets are pooled, and what the effect is called: `measure` and `scale` as in `pool`."""

    chosen: Chosen
    level: float
    measure: str
    scale: Scale

    def provenance(self, method: str, citations: tuple[str, ...], *more: Choice) -> Provenance:
        """The choices, those of the method itself last, with the works that they and the method rest on."""
        choices = (*self.chosen.choices, *more)
        cited = (*citations, *(choice.reference for choice in choices if choice.reference))
        return Provenance(method, choices, tuple(dict.fromkeys(cited)))


def asked(
    *,
    tau2: str | None,
    interval: str | None,
    prediction: str | None,
    convention: str | None,
    level: float,
    measure: str,
    scale: Scale,
) -> Asked:
    """Resolve the options of `pool`.

    Raises
    ------
    InputError : a level outside (0, 1), or a name that does not exist
    """
    check_level(level)
    chosen = choose(tau2=tau2, interval=interval, prediction=prediction, convention=convention, level=level)
    return Asked(chosen, level, measure, scale)


@dataclass(frozen=True, slots=True, kw_only=True)
class Refits:
    """Pooled effects of B subsets; every array has shape (B,).

    Attributes
    ----------
    k : studies in the subset; with 1 the effect is that study's, and what needs more is nan
    effect, std_error, low, high, p_value : pooled effect with its interval and test
    df : degrees of freedom of the interval, infinite for the normal
    tau2, q, q_p_value, i2, h2 : heterogeneity; I2 is a fraction
    prediction_low, prediction_high : ends of the prediction interval, nan where there is none
    asked : estimator, intervals and level, and what the effect is called
    """

    k: NDArray[np.int64]
    effect: Floats
    std_error: Floats
    df: Floats
    statistic: Floats
    p_value: Floats
    low: Floats
    high: Floats
    tau2: Floats
    q: Floats
    q_p_value: Floats
    i2: Floats
    h2: Floats
    prediction_low: Floats
    prediction_high: Floats
    asked: Asked

    def __len__(self) -> int:
        return len(self.k)

    def take(self, rows: slice) -> Refits:
        """Some of the subsets."""
        parts = ((field.name, getattr(self, field.name)) for field in fields(self))
        taken: dict[str, Any] = {name: part[rows] for name, part in parts if isinstance(part, np.ndarray)}
        return replace(self, **taken)

    def estimate(self, row: int, term: str) -> Estimate:
        """The pooled effect of one subset."""
        value = float(self.effect[row])
        if not np.isfinite(value):
            return Estimate(
                term=term, measure=self.asked.measure, value=value, scale=self.asked.scale, status=Status.UNDEFINED
            )
        alone = bool(self.k[row] == 1 and np.isnan(self.tau2[row]))
        kind = WALD if alone else self.asked.chosen.interval
        df = float(self.df[row])
        defined = bool(np.isfinite(self.low[row]))
        status = Status.OK if defined else Status.ZERO_VARIANCE
        return Estimate(
            term=term, measure=self.asked.measure, value=value, std_error=finite_or_none(self.std_error[row]),
            interval=Interval(float(self.low[row]), float(self.high[row]), self.asked.level, kind) if defined else None,
            statistic=finite_or_none(self.statistic[row]), statistic_name="t" if np.isfinite(df) else "z",
            df=df if np.isfinite(df) else None, p_value=finite_or_none(self.p_value[row]),
            scale=self.asked.scale, status=Status.ONE_STUDY if alone else status,
        )  # fmt: skip

    def columns(self) -> dict[str, NDArray[Any]]:
        """The numbers as columns of a table."""
        return {
            "k": self.k, "estimate": self.effect, "std_error": self.std_error, "conf_low": self.low,
            "conf_high": self.high, "p_value": self.p_value, "tau2": self.tau2, "i2": self.i2, "h2": self.h2, "q": self.q,
            "q_p_value": self.q_p_value, "prediction_low": self.prediction_low, "prediction_high": self.prediction_high,
        }  # fmt: skip

    def frame(self, name: str, labels: tuple[str, ...]) -> pl.DataFrame:
        """One row a subset, called by `labels` in the column `name`."""
        return pl.DataFrame({name: list(labels)} | self.columns())


def refit(rows: Floats, v: Floats, how: Asked) -> Refits:
    """Pool every row of (B, k), with nan where a study is absent; tau2 is estimated again in each."""
    return refit_with(rows, v, between_variance(rows, v, estimator=how.chosen.tau2).tau2, how)


def refit_with(rows: Floats, v: Floats, tau2: Floats, how: Asked) -> Refits:
    """Pool every row with a given variance between studies, shape (B,)."""
    chosen, k = how.chosen, (~np.isnan(rows)).sum(axis=1)
    fit = weighted_fit(rows, v, tau2=np.where(k == 1, 0.0, tau2))
    pooled, known = inference(fit, chosen.interval, how.level), inference(fit, WALD, how.level)
    spread = heterogeneity(rows, v, tau2=tau2, estimator=chosen.tau2)
    width = pooled.std_error[:, 0] > NO_WIDTH * known.std_error[:, 0]
    low, high = predictions(fit, tau2, how)

    def merged(name: str) -> Floats:
        own, single = getattr(pooled, name)[:, 0], getattr(known, name)[:, 0]
        out: Floats = np.where(k == 1, single, np.where(width, own, np.nan))
        return out

    return Refits(
        k=k, effect=fit.coefficients[:, 0], std_error=merged("std_error"), df=merged("df"), statistic=merged("statistic"),
        p_value=merged("p_value"), low=merged("low"), high=merged("high"), tau2=np.where(k == 1, np.nan, tau2), q=spread.q,
        q_p_value=np.where(k > 1, spread.p_value, np.nan), i2=spread.q_i2 if chosen.i2 == FROM_Q else spread.i2,
        h2=spread.q_h2 if chosen.i2 == FROM_Q else spread.h2, prediction_low=np.where(width, low, np.nan),
        prediction_high=np.where(width, high, np.nan), asked=how,
    )  # fmt: skip


def predictions(fit: WeightedFit, tau2: Floats, how: Asked) -> tuple[Floats, Floats]:
    """Ends of the prediction intervals; nan where none is asked for."""
    if how.chosen.prediction == NONE:
        return np.full(len(tau2), np.nan), np.full(len(tau2), np.nan)
    return prediction_ends(fit, tau2, how.chosen.prediction, how.level)

"""Many reviews pooled at once."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

from counterpulse.results.provenance import Provenance
from counterpulse.synthesis.engine.between_variance import variance_of
from counterpulse.synthesis.engine.heterogeneity import heterogeneity_of
from counterpulse.synthesis.engine.studies import studies_of
from counterpulse.synthesis.engine.weighted_fit import weighted_fit
from counterpulse.synthesis.pooling.asked import check_level
from counterpulse.synthesis.pooling.conventions import FROM_Q, choose
from counterpulse.synthesis.pooling.intervals import WALD, Inference, inference
from counterpulse.synthesis.pooling.pool import NO_WIDTH
from counterpulse.synthesis.pooling.study_input import read_reviews

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class PooledBatch:
    """Pooled effects of B reviews; every array has shape (B,), with nan where a quantity is not defined.

    Attributes
    ----------
    k : studies of each review
    effect, std_error, df, low, high, statistic, p_value : the pooled effects with their intervals and tests of 0; all but
        the effect and df are nan where equal effects leave Hartung and Knapp no width
    tau2 : variances between studies, at the global mode for ML and REML
    modes : local modes of the profile likelihood; 1 for other estimators
    q, q_df, q_p_value, i2, h2 : heterogeneity; i2 is a fraction
    level : of the intervals
    """

    k: NDArray[np.int64]
    effect: Floats
    std_error: Floats
    df: Floats
    low: Floats
    high: Floats
    statistic: Floats
    p_value: Floats
    tau2: Floats
    modes: NDArray[np.int64]
    q: Floats
    q_df: Floats
    q_p_value: Floats
    i2: Floats
    h2: Floats
    level: float
    provenance: Provenance


def pool_many(
    Y: ArrayLike,
    V: ArrayLike,
    *,
    tau2: str | None = None,
    interval: str | None = None,
    level: float = 0.95,
    convention: str | None = None,
) -> PooledBatch:
    """Pool B reviews at once, each as `pool` would; a review of one study has its Wald interval and tau2 nan.

    Parameters
    ----------
    Y : effects, shape (B, k), a row a review; nan fills up a review with fewer studies
    V : their sampling variances, shape (B, k), or (k,) for all reviews
    tau2, interval, level, convention : as in `pool`

    Raises
    ------
    InputError : shapes that do not go together, a variance that is not positive, or a name that does not exist
    """
    y, v = read_reviews(Y, V)
    check_level(level)
    chosen = choose(tau2=tau2, interval=interval, prediction=None, convention=convention, level=level)
    studies = studies_of(y, v)
    between = variance_of(studies, chosen.tau2)
    used = np.where(np.isnan(between.tau2) & (studies.k == 1), 0.0, between.tau2)
    fit = weighted_fit(y, v, tau2=used)
    mean = _as_pool(studies.k == 1, inference(fit, chosen.interval, level), inference(fit, WALD, level))
    spread = heterogeneity_of(studies, between.tau2, chosen.tau2)
    from_q = chosen.i2 == FROM_Q
    return PooledBatch(
        k=np.nan_to_num(studies.k).astype(np.int64), effect=fit.coefficients[:, 0], std_error=mean.std_error[:, 0],
        df=mean.df[:, 0], low=mean.low[:, 0], high=mean.high[:, 0], statistic=mean.statistic[:, 0],
        p_value=mean.p_value[:, 0], tau2=between.tau2, modes=between.modes, q=spread.q, q_df=np.where(fit.df >= 0, fit.df, np.nan),
        q_p_value=spread.p_value, i2=spread.q_i2 if from_q else spread.i2, h2=spread.q_h2 if from_q else spread.h2,
        level=level, provenance=Provenance("many reviews, inverse variance", chosen.choices),
    )  # fmt: skip


def _as_pool(single: NDArray[np.bool_], many: Inference, wald: Inference) -> Inference:
    """Wald's inference for the reviews of one study, the chosen one for the others, and nan where that has no width."""
    empty = many.std_error <= NO_WIDTH * wald.std_error
    if not (single.any() or empty.any()):
        return many
    shown = {
        name: np.where(empty, np.nan, getattr(many, name))
        for name in ("std_error", "statistic", "p_value", "low", "high")
    }
    shown["df"] = many.df
    return replace(
        many, **{name: np.where(single[:, None], getattr(wald, name), values) for name, values in shown.items()}
    )

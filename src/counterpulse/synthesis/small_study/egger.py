"""Egger's regression test for funnel asymmetry, in its variants."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Literal, get_args

import numpy as np
from numpy.typing import ArrayLike, NDArray

from counterpulse.errors import InputError
from counterpulse.results import Provenance
from counterpulse.synthesis.engine.between_variance import estimator_named
from counterpulse.synthesis.pooling.asked import LEVEL, check_level, check_word, choice
from counterpulse.synthesis.pooling.study_input import read_positive, read_studies
from counterpulse.synthesis.small_study.asymmetry_test import AsymmetryTest, line_test
from counterpulse.synthesis.small_study.weighted_line import weighted_line

Floats = NDArray[np.float64]
Predictor = Literal["sei", "vi", "ni", "ninv", "sqrtni", "sqrtninv"]
Model = Literal["regression", "random"]

OF_VARIANCE: Mapping[str, Callable[[Floats], Floats]] = {"sei": np.sqrt, "vi": np.positive}
OF_SIZE: Mapping[str, Callable[[Floats], Floats]] = {
    "ni": np.positive,
    "ninv": np.reciprocal,
    "sqrtni": np.sqrt,
    "sqrtninv": lambda n: 1 / np.sqrt(n),
}
WORDS: Mapping[str, str] = {
    "sei": "standard error",
    "vi": "sampling variance",
    "ni": "sample size",
    "ninv": "inverse sample size",
    "sqrtni": "root sample size",
    "sqrtninv": "inverse root sample size",
}
WITH_LIMIT = frozenset({"sei", "vi", "ninv", "sqrtninv"})
"""Predictors that are zero for an infinitely large study."""

MODEL_WORDS: Mapping[str, Model] = {"regression": "regression", "lm": "regression", "random": "random", "rma": "random"}


def egger(
    yi: ArrayLike,
    vi: ArrayLike,
    *,
    predictor: Predictor = "sei",
    model: Literal["regression", "random", "lm", "rma"] = "regression",
    ni: ArrayLike | None = None,
    tau2: str = "REML",
    level: float = LEVEL,
) -> AsymmetryTest:
    """Regress the effects on their standard errors (or on another measure of size) and test the slope.

    Parameters
    ----------
    yi, vi : effects (ratios as logarithms) and sampling variances, shape (k,)
    predictor : "sei" standard error, "vi" variance, "ni" sample size, "ninv" 1 / n, "sqrtni" root n, "sqrtninv" 1 / root n
    model : "regression" (also "lm"): weights 1 / vi and a multiplicative residual variance, t with k - 2 degrees of
        freedom (Egger 1997); "random" (also "rma"): weights 1 / (vi + tau2), a normal statistic (mixed-effects
        meta-regression)
    ni : sample sizes, shape (k,), for the predictors made of them
    tau2 : estimator of the variance between studies for "random"
    level : of the intervals

    Returns
    -------
    AsymmetryTest
        `UNDEFINED` with fewer than 3 studies or a predictor that does not vary.

    Raises
    ------
    InputError : unequal lengths, variances or sizes that are not positive, a word that is not offered, no `ni`

    References
    ----------
    Egger et al. 1997, doi:10.1136/bmj.315.7109.629; Sterne et al. 2011, doi:10.1136/bmj.d4002.
    """
    check_level(level)
    check_word(predictor, "predictor", get_args(Predictor))
    check_word(model, "model", tuple(MODEL_WORDS))
    chosen = MODEL_WORDS[model]
    y, v = read_studies(yi, vi)
    x = _predictor(predictor, v, ni)
    return fitted_test(
        y, v, x, name="Egger", predictor=WORDS[predictor], model=chosen, normal=chosen == "random",
        estimator=estimator_named(tau2), has_limit=predictor in WITH_LIMIT, level=level, citations=("egger-1997",),
    )  # fmt: skip


def fitted_test(
    y: Floats,
    v: Floats,
    x: Floats,
    *,
    name: str,
    predictor: str,
    citations: tuple[str, ...],
    level: float,
    model: Model = "regression",
    normal: bool = False,
    estimator: str = "REML",
    has_limit: bool = True,
    notes: tuple[str, ...] = (),
) -> AsymmetryTest:
    """The slope of `y` on `x` with weights ``1 / v`` ("regression") or ``1 / (v + tau2)`` ("random"), tested."""
    choices = [choice("predictor", predictor, "standard error"), choice("model", model, "regression")]
    if model == "random":
        choices.append(choice("tau2", estimator, "REML"))
    return line_test(
        weighted_line(y, v, x, estimator=estimator if model == "random" else "common"),
        name=name, predictor=predictor, k=len(y), level=level, model=model, normal=normal, has_limit=has_limit,
        notes=notes, provenance=Provenance(f"{name} test of funnel asymmetry", tuple(choices), (*citations, "sterne-2011")),
    )  # fmt: skip


def _predictor(predictor: Predictor, v: Floats, ni: ArrayLike | None) -> Floats:
    if predictor in OF_VARIANCE:
        return OF_VARIANCE[predictor](v)
    if ni is None:
        raise InputError(f"predictor {predictor!r} needs the sample sizes; give ni, one number a study")
    return OF_SIZE[predictor](read_positive(ni, "ni", len(v)))

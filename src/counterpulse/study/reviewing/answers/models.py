"""The models by which effects are pooled, each giving the same few things."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from math import inf, isfinite, nan
from typing import TypedDict

import numpy as np
from numpy.typing import NDArray

from counterpulse.data.terms import Term
from counterpulse.errors import InputError
from counterpulse.protocol.planned_review import effects_of
from counterpulse.results import Estimate, Status
from counterpulse.results.estimate import Interval
from counterpulse.study.planning.drafts import Desk, Draft
from counterpulse.study.reviewing.answers.effects import Effects
from counterpulse.study.reviewing.columns import COUNTED, STUDY
from counterpulse.study.reviewing.order import refuse_order
from counterpulse.synthesis.exploration.robust import robust
from counterpulse.synthesis.pooling.generalized_linear import glmm, glmm_proportion
from counterpulse.synthesis.pooling.mantel_haenszel import mantel_haenszel
from counterpulse.synthesis.pooling.peto import peto
from counterpulse.synthesis.pooling.pool import pool
from counterpulse.synthesis.pooling.three_level import NestedInterval, three_level

Floats = NDArray[np.float64]
MAKES: Mapping[str, tuple[str, ...]] = {
    "mantel-haenszel": ("odds ratio", "risk ratio", "risk difference"), "peto": ("odds ratio",),
    "generalized-linear": ("odds ratio", "proportion"),
}  # fmt: skip
"""The measures of models that do not pool every one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pooled:
    """A pooled effect, however it was pooled; `weights` are shares, nan where the model has none."""

    estimate: Estimate
    k: int
    weights: Floats
    tau2: float = nan
    tau2_interval: Interval | None = None
    i2: float = nan
    i2_interval: Interval | None = None
    q: float = nan
    q_df: float = nan
    q_p_value: float = nan
    prediction: Interval | None = None
    modes: tuple[float, ...] = ()
    within: float = nan
    notes: tuple[str, ...] = ()
    citations: tuple[str, ...] = ()


def refuse_model(
    desk: Desk, draft: Draft, options: Mapping[str, object], terms: tuple[Term, ...], outcomes: tuple[str, ...]
) -> None:
    """A model that makes another measure than the one that is pooled."""
    model = str(options["model"])
    if options["cumulative"] is not None:
        refuse_order(desk, draft, "cumulative", options["cumulative"])
    if options["design_bias"]:
        _refuse_bias(desk, draft)
    nodes = effects_of(desk.nodes)
    for name in outcomes:
        own = desk.nodes.question.every_outcome[name].measure if desk.nodes.question is not None else None
        measure = own or nodes.measure
        raw = model == "generalized-linear" and measure == "proportion" and nodes.proportion != "logit"
        if raw or measure not in MAKES.get(model, (measure,)):
            desk.refuse(
                draft.where("model"), "E813", f"analysis {draft.node.id}: the model {model} does not pool {measure}s"
                + (f" on the scale {nodes.proportion}" if raw else "") + f" ({name})",
                "proportion: logit" if raw else ", ".join(MAKES[model]), "use model: random, or another measure",
            )  # fmt: skip


def _refuse_bias(desk: Desk, draft: Draft) -> None:
    """A bias to be taken off must be stated; whether it is of every design that occurs, the rows will tell."""
    if effects_of(desk.nodes).bias is None:
        desk.refuse(
            draft.where("design_bias"), "E818", f"analysis {draft.node.id}: design_bias: yes, and no bias is stated of any design",
            "effects: {bias: {column: design, of: {…}}}, with bias, sd and reason of each design",
            "state the bias of each design, none being 0",
        )  # fmt: skip


def pooled(effects: Effects) -> Pooled:
    """Pool effects by the model of the analysis."""
    model = str(effects.request.option("model"))
    return MODELS[model](effects)


class Asked(TypedDict):
    """What `pool` and its relatives are asked for."""

    tau2: str
    interval: str
    prediction: str
    convention: str | None


def asked(effects: Effects) -> Asked:
    """The words of the analysis for `pool` and its relatives."""
    option = effects.request.option
    common = option("model") == "common"
    convention = str(option("convention"))
    return {
        "tau2": "common" if common else str(option("tau2")), "interval": str(option("interval")),
        "prediction": str(option("prediction")), "convention": None if convention == "none" else convention,
    }  # fmt: skip


def _inverse_variance(effects: Effects) -> Pooled:
    fit = pool(
        effects.yi, effects.vi, level=effects.level, scale=effects.scale, measure=effects.measure, **asked(effects)
    )
    estimate = fit.estimates()[0]
    if effects.request.option("dependence") == "robust":
        estimate = _robust(effects, asked(effects)["tau2"])
    return Pooled(
        estimate=estimate, k=fit.k, weights=fit.weights, tau2=fit.tau2, tau2_interval=fit.tau2_interval, i2=fit.i2,
        i2_interval=fit.i2_interval, q=fit.q, q_df=fit.q_df, q_p_value=fit.q_p_value, prediction=fit.prediction_interval,
        modes=tuple(mode.tau2 for mode in fit.modes), notes=fit.notes, citations=fit.provenance.citations,
    )  # fmt: skip


def _robust(effects: Effects, tau2: str) -> Estimate:
    """The effect with a variance that is robust to the dependence of effects of one study."""
    found = robust(effects.yi, effects.vi, effects.frame[STUDY].to_list(), tau2=tau2, level=effects.level).estimates()[
        0
    ]
    return Estimate(
        term=found.term, measure=effects.measure, value=found.value, std_error=found.std_error, interval=found.interval, scale=effects.scale,
        statistic=found.statistic, statistic_name=found.statistic_name, df=found.df, p_value=found.p_value, status=found.status,
        notes=found.notes,
    )  # fmt: skip


def counts_of(effects: Effects, what: str | None = None) -> tuple[Floats, Floats, Floats, Floats]:
    """The counts of both arms; `what` needs them, by default the model.

    Raises
    ------
    InputError : a study does not print them
    """
    counts = effects.counts()
    known = effects.frame[COUNTED].to_numpy() & np.all([np.isfinite(part) for part in counts], axis=0)
    if not known.all():
        missing = ", ".join(effects.names[index] for index in np.flatnonzero(~known))
        raise InputError(
            f"{what or 'the model ' + str(effects.request.option('model'))} needs counts, and these studies have none: {missing}; "
            f"leave them out with `keep`{', or use model: random' if what is None else ''}"
        )
    return counts


def sizes_of(effects: Effects) -> Floats:
    """The patients of each study.

    Raises
    ------
    InputError : a study does not print them
    """
    _, n_1, _, n_2 = effects.counts()
    total = n_1 + n_2
    if not np.isfinite(total).all():
        missing = ", ".join(effects.names[index] for index in np.flatnonzero(~np.isfinite(total)))
        raise InputError(f"these studies print no numbers of patients: {missing}; extract them")
    return total


def _mantel_haenszel(effects: Effects) -> Pooled:
    zero = "half" if effects.request.option("convention") == "revman-5.4" else "none"
    fit = mantel_haenszel(*counts_of(effects), measure=effects.measure, zero_cells=zero, level=effects.level)  # type: ignore[arg-type]
    return Pooled(
        estimate=fit.pooled, k=fit.k, weights=fit.weights, i2=fit.i2, q=fit.q, q_df=fit.q_df, q_p_value=fit.q_p_value,
        citations=fit.provenance.citations,
    )  # fmt: skip


def _peto(effects: Effects) -> Pooled:
    fit = peto(*counts_of(effects), level=effects.level)
    spread = fit.heterogeneity
    return Pooled(
        estimate=fit.pooled, k=fit.k, weights=fit.weights, i2=spread.i2, q=spread.statistic, q_df=spread.df, q_p_value=spread.p_value,
        citations=fit.provenance.citations,
    )  # fmt: skip


def _generalized_linear(effects: Effects) -> Pooled:
    if effects.measure == "proportion":
        events, n, *_ = effects.counts()
        if not np.isfinite(events + n).all():
            missing = ", ".join(effects.names[index] for index in np.flatnonzero(~np.isfinite(events + n)))
            raise InputError(
                f"the model generalized-linear pools counts, and these studies have none: {missing}; extract them"
            )
        fit = glmm_proportion(events, n, level=effects.level)
    elif effects.measure == "odds ratio":
        fit = glmm(*counts_of(effects), model=str(effects.request.option("glmm")), level=effects.level)  # type: ignore[arg-type]
    else:
        raise InputError(
            f"model: generalized-linear pools odds ratios and proportions, not a {effects.measure}; use model: random"
        )
    test = fit.heterogeneity
    return Pooled(
        estimate=fit.pooled, k=fit.k, weights=no_weights(effects), tau2=fit.tau2, i2=test.i2, q=test.statistic, q_df=test.df,
        q_p_value=test.p_value, prediction=fit.prediction_interval, notes=fit.pooled.notes, citations=fit.provenance.citations,
    )  # fmt: skip


def _three_level(effects: Effects) -> Pooled:
    kind: NestedInterval = "wald" if effects.request.option("interval") == "wald" else "t"
    fit = three_level(effects.yi, effects.vi, effects.frame[STUDY].to_list(), interval=kind, level=effects.level)
    spread = fit.heterogeneity
    return Pooled(
        estimate=replace(fit.pooled, scale=effects.scale), k=fit.k, weights=fit.weights, tau2=fit.tau2_between, tau2_interval=fit.tau2_between_interval,
        i2=np.nansum([fit.i2_between, fit.i2_within]), q=spread.statistic, q_df=spread.df, q_p_value=spread.p_value,
        prediction=fit.prediction_interval, within=fit.tau2_within, notes=fit.pooled.notes, citations=fit.provenance.citations,
    )  # fmt: skip


def no_weights(effects: Effects) -> Floats:
    """Of a model without weights."""
    return np.full(effects.k, nan)


def defined(estimate: Estimate) -> bool:
    """Whether there is a number."""
    return isfinite(estimate.value) and estimate.status in (Status.OK, Status.ONE_STUDY) and abs(estimate.value) < inf


MODELS: Mapping[str, Callable[[Effects], Pooled]] = {
    "random": _inverse_variance,
    "common": _inverse_variance,
    "mantel-haenszel": _mantel_haenszel,
    "peto": _peto,
    "generalized-linear": _generalized_linear,
    "three-level": _three_level,
}

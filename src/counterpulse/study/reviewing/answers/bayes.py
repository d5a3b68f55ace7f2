"""The posterior of a pooled effect, of the heterogeneity and of a new study, and how far they depend on the prior."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from math import isfinite

import numpy as np

from counterpulse.data.terms import Term
from counterpulse.errors import InputError
from counterpulse.protocol.planned_review import effects_of
from counterpulse.results import Block, Cell, EstimateRow, Notice
from counterpulse.results.estimate import Scale
from counterpulse.study.planning.drafts import Desk, Draft
from counterpulse.study.request import Answer, Request
from counterpulse.study.reviewing.answers.effects import Effects, beside, block, cell, effect_row, effects_in
from counterpulse.study.reviewing.answers.forest import forest_block
from counterpulse.study.reviewing.answers.models import Pooled, no_weights
from counterpulse.study.reviewing.answers.pooled import nothing_to_pool
from counterpulse.study.reviewing.answers.told import PREDICTION
from counterpulse.study.reviewing.measures import on_scale, scale_of
from counterpulse.synthesis.bayes import heterogeneity_priors as priors
from counterpulse.synthesis.bayes.bayes_pool import BayesPool, Posterior, bayes_pool
from counterpulse.synthesis.bayes.heterogeneity_priors import HeterogeneityPrior

POINTS = 161
WIDE = 4.5
"""How many standard deviations a density is drawn to either side of its median."""
PRIOR = re.compile(r"\s*(?P<name>[a-z-]+)\s*(?:\(\s*(?P<values>[^)]*)\))?\s*", re.ASCII | re.IGNORECASE)
HETEROGENEITY: Mapping[str, tuple[int, Callable[..., HeterogeneityPrior]]] = {
    "half-normal": (1, priors.half_normal), "half-cauchy": (1, priors.half_cauchy),
    "half-t": (2, lambda scale, df: priors.half_t(scale, df=df)), "exponential": (1, priors.exponential),
    "uniform": (1, priors.uniform), "log-normal": (2, priors.log_normal),
}  # fmt: skip
EXAMPLES = "half-normal(0.5), half-cauchy(0.5), half-t(0.5, 4), exponential(0.5), uniform(4), log-normal(-2, 1)"


def heterogeneity_prior(text: str) -> HeterogeneityPrior:
    """The prior that a text like ``half-normal(0.5)`` names.

    Raises
    ------
    ValueError : it names none
    """
    name, values = _parts(text)
    count, make = HETEROGENEITY.get(name, (0, None))
    if make is None or len(values) != count:
        raise ValueError(f"'{text}' is no prior of the heterogeneity")
    return make(*values)


def effect_prior(text: str) -> tuple[float, float] | None:
    """Mean and standard deviation of ``normal(0, 4)``; None of ``flat``.

    Raises
    ------
    ValueError : it names no prior
    """
    name, values = _parts(text)
    if name == "flat" and not values:
        return None
    if name != "normal" or len(values) != 2 or values[1] <= 0:
        raise ValueError(f"'{text}' is no prior of the effect")
    return values[0], values[1]


def _parts(text: str) -> tuple[str, list[float]]:
    found = PRIOR.fullmatch(text)
    if found is None:
        raise ValueError(f"'{text}' is no prior")
    return found["name"].lower(), [float(part) for part in (found["values"] or "").split(",") if part.strip()]


def refuse_priors(
    desk: Desk, draft: Draft, options: Mapping[str, object], terms: tuple[Term, ...], outcomes: tuple[str, ...]
) -> None:
    """Priors that cannot be read."""
    _refuse_threshold(desk, draft, options["below"], outcomes)
    written = [("heterogeneity_prior", str(options["heterogeneity_prior"]), heterogeneity_prior, EXAMPLES)]
    others = options["other_priors"]
    written += [
        ("other_priors", str(text), heterogeneity_prior, EXAMPLES)
        for text in (others if isinstance(others, tuple) else ())
    ]
    checks: list[tuple[str, str, Callable[[str], object], str]] = [
        *written,
        ("effect_prior", str(options["effect_prior"]), effect_prior, "flat, or normal(0, 4)"),
    ]
    for key, text, read, allowed in checks:
        try:
            read(text)
        except (ValueError, InputError):
            desk.refuse(
                draft.where(key),
                "E808",
                f"analysis {draft.node.id}: '{text}' is no prior that can be read",
                allowed,
                "write one of these, with its numbers",
            )


def _refuse_threshold(desk: Desk, draft: Draft, below: object, outcomes: tuple[str, ...]) -> None:
    """A value below which no effect of the measure can lie."""
    if not isinstance(below, int | float) or desk.nodes.question is None:
        return
    effects = effects_of(desk.nodes)
    for name in outcomes:
        measure = desk.nodes.question.every_outcome[name].measure or effects.measure
        try:
            on_scale(float(below), scale_of(measure, effects))
        except ValueError:
            desk.refuse(
                draft.where("below"), "E817", f"analysis {draft.node.id}: below is {below}, which no {measure} is",
                "a value as a reader reads it, such as 0.8", "correct it",
            )  # fmt: skip


def bayes_answer(request: Request) -> Answer:
    """The posterior under the planned prior, and its summary under the others."""
    effects = effects_in(request)
    if effects.k == 0:
        return nothing_to_pool(effects)
    option = request.option
    fit = _fit(effects, str(option("heterogeneity_prior")))
    named = [(str(option("heterogeneity_prior")), fit)]
    named += [(str(text), _fit(effects, str(text))) for text in option("other_priors") if str(text) != named[0][0]]
    found = Pooled(
        estimate=fit.estimates()[0], k=fit.k, weights=no_weights(effects), tau2=fit.tau2, tau2_interval=fit.tau2_interval, i2=fit.i2,
        prediction=fit.prediction_interval,
    )  # fmt: skip
    name, threshold = request.name, _threshold(effects)
    details: dict[str, Cell] = {
        f"{name}.studies": fit.k, f"{name}.probability_below": fit.probability_below(threshold), f"{name}.below": effects.natural(threshold),
        f"{name}.bayes_factor_no_effect": cell(fit.bayes_factors.no_effect), f"{name}.bayes_factor_no_heterogeneity": cell(fit.bayes_factors.no_heterogeneity),
    }  # fmt: skip
    return Answer(
        rows=tuple(_rows(effects, fit)),
        blocks=(
            forest_block(effects, found),
            _densities(effects, fit, named[0][0]),
            _summaries(effects, named, threshold),
        ),
        details={key: value for key, value in details.items() if value is not None},
        notices=tuple(Notice("W863", request.analysis.id, f"{request.outcome.label}: {note}.") for note in fit.notes),
        citations=fit.provenance.citations,
    )


def _fit(effects: Effects, prior: str) -> BayesPool:
    option = effects.request.option
    return bayes_pool(
        effects.yi, effects.vi, heterogeneity_prior=heterogeneity_prior(prior), effect_prior=effect_prior(str(option("effect_prior"))),
        measure=effects.measure, scale=effects.scale, level=effects.level, interval=str(option("credible")),  # type: ignore[arg-type]
    )  # fmt: skip


def _threshold(effects: Effects) -> float:
    """The value below which the probability of the effect is told, on the scale of estimation; by default no effect."""
    written = effects.request.option("below")
    if written is None:
        return 0.0
    return on_scale(float(written), effects.scale)


def _rows(effects: Effects, fit: BayesPool) -> Iterator[EstimateRow]:
    effect, prediction, heterogeneity = fit.estimates()
    yield effect_row(effects, effect)
    yield beside(
        effects, PREDICTION, effects.measure, prediction.value, interval=prediction.interval, scale=effects.scale
    )
    yield beside(
        effects, "tau", "standard deviation between studies", heterogeneity.value, interval=heterogeneity.interval
    )


def _densities(effects: Effects, fit: BayesPool, prior: str) -> Block:
    rows: list[dict[str, Cell]] = []
    for parameter, of in (("effect", fit.effect), ("prediction", fit.prediction), ("heterogeneity", fit.heterogeneity)):
        points = _points(of, positive=parameter == "heterogeneity")
        density = fit.posterior_density(parameter, points)  # type: ignore[arg-type]
        before = fit.prior_density(parameter, points) if parameter != "prediction" else np.full_like(points, np.nan)  # type: ignore[arg-type]
        scale: Scale = "identity" if parameter == "heterogeneity" else effects.scale
        rows += [
            {
                "prior": prior, "parameter": parameter, "measure": effects.measure if scale == effects.scale else "standard deviation between studies",
                "value": float(x), "density": cell(float(y)), "prior_density": cell(float(z)),
            }
            for x, y, z in zip(points, density, before, strict=True)
        ]  # fmt: skip
    return block(effects, "posterior", rows)


def _points(of: Posterior, *, positive: bool) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """Where a density is drawn: as far as its central interval is wide, to both sides of it."""
    spread = of.sd if isfinite(of.sd) and of.sd > 0 else (of.central.high - of.central.low) / 4
    spread = min(spread, (of.central.high - of.central.low) / 2)
    low = max(of.median - WIDE * spread, 1e-6) if positive else of.median - WIDE * spread
    return np.linspace(low, of.median + WIDE * spread, POINTS)


def _summaries(effects: Effects, named: list[tuple[str, BayesPool]], threshold: float) -> Block:
    rows: list[dict[str, Cell]] = []
    for index, (prior, fit) in enumerate(named):
        for parameter, of in (
            ("effect", fit.effect),
            ("prediction", fit.prediction),
            ("heterogeneity", fit.heterogeneity),
        ):
            own = parameter != "heterogeneity"
            ends = of.shortest if fit.interval == "shortest" else of.central
            shown = effects.natural if own else cell
            rows.append(
                {
                    "prior": prior, "parameter": parameter, "measure": effects.measure if own else "standard deviation between studies",
                    "median": shown(of.median), "mean": cell(of.mean), "sd": cell(of.sd), "low": shown(ends.low), "high": shown(ends.high),
                    "probability_below": fit.probability_below(threshold, parameter=parameter) if own else None,  # type: ignore[arg-type]
                    "main": "yes" if index == 0 else "no",
                }
            )  # fmt: skip
    return block(effects, "posterior-summary", rows)

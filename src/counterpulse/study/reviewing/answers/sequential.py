"""A meta-analysis that grows study by study, against the information it needs."""

from __future__ import annotations

from collections.abc import Mapping
from math import isfinite

import numpy as np

from counterpulse.data.terms import Term
from counterpulse.errors import InputError
from counterpulse.numerics.group_sequential import Futility
from counterpulse.results import Cell
from counterpulse.study.planning.drafts import Desk, Draft
from counterpulse.study.request import Answer, Request
from counterpulse.study.reviewing.answers.effects import Effects, beside, block, cell, effect_row, effects_in
from counterpulse.study.reviewing.answers.models import sizes_of
from counterpulse.study.reviewing.answers.pooled import nothing_to_pool, refused
from counterpulse.study.reviewing.order import order_of, refuse_order, without_order
from counterpulse.synthesis.sequential.required_information import (
    RequiredInformation,
    diversity,
    required_for_means,
    required_for_risks,
)
from counterpulse.synthesis.sequential.trial_sequential import TrialSequential, trial_sequential

RISKS = ("odds ratio", "risk ratio", "risk difference")
MEASURES = (*RISKS, "mean difference")
FRACTIONS = ("power", "control_risk", "relative_risk_reduction")
"""Options that lie between 0 and 1; the diversity may be 0."""


def refuse_information(
    desk: Desk, draft: Draft, options: Mapping[str, object], terms: tuple[Term, ...], outcomes: tuple[str, ...]
) -> None:
    """What is worth finding must be said, for the measure of the outcome."""
    refuse_order(desk, draft, "order", options["order"])
    for key in (*FRACTIONS, "diversity"):
        value = options[key]
        if isinstance(value, int | float) and not (0 < value < 1 or (key == "diversity" and value == 0)):
            desk.refuse(draft.where(key), "E816", f"analysis {draft.node.id}: {key} is {value}",
                        "a fraction between 0 and 1", "write 0.2 for 20 percent")  # fmt: skip
    question = desk.nodes.question
    usual = desk.nodes.effects.measure if desk.nodes.effects is not None else "odds ratio"
    for name in outcomes:
        measure = (question.every_outcome[name].measure if question is not None else None) or usual
        needed = ("relative_risk_reduction",) if measure in RISKS else ("difference", "sd")
        lacking = [key for key in needed if options[key] is None]
        if measure not in MEASURES:
            desk.refuse(
                draft.where("method"),
                "E809",
                f"analysis {draft.node.id}: no required information is known for a {measure}",
                ", ".join(MEASURES),
                "leave the analysis out",
            )
        elif lacking:
            desk.refuse(draft.path, "E810", f"analysis {draft.node.id}: {', '.join(lacking)} not given, without which no information can be required",
                        "relative_risk_reduction: 0.2, or difference and sd", "say what effect is worth finding")  # fmt: skip


def sequential_answer(request: Request) -> Answer:
    """The z value after each study, the boundaries, and whether enough is known."""
    effects = effects_in(request)
    if effects.k == 0:
        return nothing_to_pool(effects)
    effects = effects.of(np.argsort(order_of(effects, "order"), kind="stable"))
    try:
        size, required, share = _required(effects)
        fit = trial_sequential(
            effects.yi, effects.vi, participants=size, required=required.participants, alpha=1 - effects.level,
            power=float(request.option("power")), spending=request.option("spending"), futility=_futility(request),
            tau2=str(request.option("tau2")), labels=effects.names, measure=effects.measure, scale=effects.scale,
        )  # fmt: skip
    except InputError as error:
        return refused(effects, "W873", f"{request.outcome.label}: {error}")
    name = request.name
    details: dict[str, Cell] = {
        f"{name}.studies": effects.k, f"{name}.participants": round(float(size.sum())), f"{name}.required": required.participants,
        f"{name}.required_without_heterogeneity": required.without_heterogeneity, f"{name}.diversity": cell(share),
        f"{name}.planned": round(fit.planned), f"{name}.conclusion": fit.conclusion,
    }  # fmt: skip
    rows = [effect_row(effects, fit.estimates()[0])]
    if fit.adjusted is not None:
        adjusted = fit.estimates()[1]
        rows.append(
            beside(
                effects,
                "stage-wise",
                effects.measure,
                adjusted.value,
                scale=effects.scale,
                p_value=adjusted.p_value,
                interval=adjusted.interval,
            )
        )
    return Answer(
        rows=tuple(rows),
        blocks=(block(effects, "sequential", _looks(fit)),),
        details=details,
        notices=tuple(without_order(effects, "order")),
        citations=fit.provenance.citations,
    )


def _futility(request: Request) -> Futility | None:
    offered: Mapping[str, Futility | None] = {"none": None, "binding": "binding", "non-binding": "non-binding"}
    return offered[str(request.option("futility"))]


def _required(effects: Effects) -> tuple[np.ndarray[tuple[int], np.dtype[np.float64]], RequiredInformation, float]:
    """The participants of each study, the required information, and the diversity it rests on.

    Raises
    ------
    InputError : participants are not printed, or numbers outside their range
    """
    option = effects.request.option
    _, _, control, n_2 = effects.counts()
    size = sizes_of(effects)
    share = (
        float(option("diversity"))
        if option("diversity") is not None
        else diversity(effects.yi, effects.vi, tau2=str(option("tau2")))
    )
    alpha, power = 1 - effects.level, float(option("power"))
    if effects.measure not in RISKS:
        return (
            size,
            required_for_means(
                difference=float(option("difference")),
                sd=float(option("sd")),
                alpha=alpha,
                power=power,
                diversity=share,
            ),
            share,
        )
    risk = option("control_risk")
    if risk is None:
        if not np.isfinite(control).all():
            raise InputError(
                "the risk without the exposure is not known, as not every study prints its events; say control_risk"
            )
        risk = float(control.sum() / n_2.sum())
    reduction = float(option("relative_risk_reduction"))
    return (
        size,
        required_for_risks(
            control_risk=float(risk), relative_risk_reduction=reduction, alpha=alpha, power=power, diversity=share
        ),
        share,
    )


def _looks(fit: TrialSequential) -> list[dict[str, Cell]]:
    return [
        {
            "study": look.study, "information": cell(look.participants), "fraction": cell(look.fraction), "z": cell(look.z),
            "efficacy_low": _minus(look.efficacy), "efficacy_high": cell(look.efficacy), "futility_low": _minus(look.futility),
            "futility_high": cell(look.futility), "conventional": cell(fit.conventional),
        }
        for look in fit.looks
    ]  # fmt: skip


def _minus(value: float) -> float | None:
    return -value if isfinite(value) else None

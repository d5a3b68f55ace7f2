"""Risks standardized from a logistic model: what everybody, or the treated, would show under each group."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from math import nan
from typing import Any

import numpy as np

from counterpulse import regression
from counterpulse.data.terms import Term
from counterpulse.regression import BootstrappedRisks, LogisticFit, Standardized
from counterpulse.results import Estimate, EstimateRow, Scale, Status
from counterpulse.study.answers.fitted_model import group_counts, patients, total_events
from counterpulse.study.planning.drafts import Desk, Draft
from counterpulse.study.planning.measures import MARGINAL
from counterpulse.study.request import Request, place


def standardized_rows(
    request: Request, model: LogisticFit, wanted: Sequence[str]
) -> tuple[tuple[EstimateRow, ...], tuple[str, ...]]:
    """Contrasts of the risks if the target belonged to each group, then the risks; and the works behind them."""
    found: list[Estimate] = []
    replicates = int(request.option("bootstrap") or 0)
    groups = group_counts(request, model.rows_used)
    filled = {count.group for count in groups if count.n}
    for treated in request.treated:
        if not {treated, request.reference} <= filled:
            found += [_empty(request, treated, measure) for measure in wanted]
            continue
        risks = _standardized(request, model, treated, replicates)
        every = (*risks.estimates(), risks.odds_ratio())
        found += [item for item in every if item.measure in wanted or item.measure == "risk"]
    contrasts = [item for name in wanted for item in found if item.measure == name]
    risk_of_group = {item.term: item for item in found if item.measure == "risk"}
    ordered = [*contrasts, *risk_of_group.values()] if model.status is Status.OK else contrasts
    rows = tuple(
        place(
            request, replace(item, variable=str(request.group)), kind="marginal", n=patients(request, model.rows_used),
            events=total_events(request, model.rows_used), n_missing=model.n_missing,
            groups=groups if item.measure != "risk" else (), clusters=model.clusters,
        )
        for item in ordered
    )  # fmt: skip
    return rows, ("efron-tibshirani-1993" if replicates else "stefanski-boos-2002",)


def _standardized(
    request: Request, model: LogisticFit, treated: str, replicates: int
) -> Standardized | BootstrappedRisks:
    level, among = request.analysis.level, _target(request, treated)
    if not replicates:
        return regression.standardize(
            model, request.frame, variable=str(request.group), treated=treated, reference=request.reference,
            among=among, level=level,
        )  # fmt: skip
    return regression.bootstrap_standardized(
        model, request.frame, variable=str(request.group), treated=treated, reference=request.reference, among=among,
        level=level, replicates=replicates, seed=request.seed_used,
        analysis=f"{request.analysis.id}.{request.name}", jobs=request.workers,
    )  # fmt: skip


def _target(request: Request, treated: str) -> np.ndarray[Any, np.dtype[np.bool_]] | None:
    """Whom the effect is about."""
    level = {"treated": treated, "untreated": request.reference}.get(request.analysis.target)
    return None if level is None else (request.frame[str(request.group)] == level).fill_null(value=False).to_numpy()


def _empty(request: Request, treated: str, measure: str) -> Estimate:
    scale: Scale = "log" if measure.endswith("ratio") else "identity"
    return Estimate(
        term=treated, reference=request.reference, measure=measure, scale=scale, value=nan, status=Status.EMPTY_GROUP
    )


def refuse_bootstrap(
    desk: Desk, draft: Draft, options: Mapping[str, object], terms: tuple[Term, ...], outcomes: tuple[str, ...]
) -> None:
    """A bootstrap of nothing, of so many samples as cannot be drawn, or of a penalized model."""
    replicates = options["bootstrap"]
    if not isinstance(replicates, float | int) or replicates == 0:
        return
    node = draft.node
    estimand = node.estimand
    asked = (*node.also, *((estimand.contrast, *estimand.also) if estimand else ()))
    marginal = bool(set(asked) & set(MARGINAL)) or (estimand is not None and estimand.kind == "marginal")
    misfits = (
        (replicates != int(replicates) or replicates < 2, "so many bootstrap samples cannot be drawn",
         "a whole number such as 1000, or 0 for none", "write bootstrap: 1000"),
        (not marginal, "the bootstrap is of standardized risks, and none is asked for",
         ", ".join(MARGINAL), "add also: [risk difference], or take `bootstrap` out"),
        (options["penalty"] != "none", "a penalized model is not fitted again in bootstrap samples", "penalty: none",
         "take `bootstrap` or `penalty` out"),
    )  # fmt: skip
    for wrong, seen, allowed, remedy in misfits:
        if wrong:
            desk.refuse(draft.where("bootstrap"), "E687", f"analysis {node.id}: {seen}", allowed, remedy)

"""A sample maker: the patients of an analysis matched or weighted, with what a reader needs to judge it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from math import nan
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from counterpulse import propensity
from counterpulse.data.terms import variables_of
from counterpulse.propensity import BalanceTable, Matching, Stratification, Weighting
from counterpulse.propensity.balance import UNADJUSTED
from counterpulse.protocol.plan import PlannedAnalysis, PlannedBalancing, PlannedOutcome
from counterpulse.results import Block, Cell, Choice, Estimate, EstimateRow, Notice, Scale, Status
from counterpulse.study.patients.samples import picked
from counterpulse.study.planning.measures import split_measure
from counterpulse.study.request import UNIT, WEIGHT, Answer, Request, block_id, place

ESTIMANDS = {"all": "ATE", "treated": "ATT", "untreated": "ATC", "overlap": "ATO", "matched": "ATM"}
"""The target of a protocol as the propensity room names it."""

WARNINGS = (Status.OK, Status.FEWER_CONTROLS, Status.FEWER_TREATED)
"""With these there are matched or weighted patients to go on with."""

NOBODY = np.empty(0, dtype=np.intp)

RATIOS = ("odds ratio", "marginal odds ratio", "risk ratio", "hazard ratio", "rate ratio", "rmst ratio")
"""Measures on the log scale."""

MEASURES: Mapping[str, tuple[str, ...]] = {
    "binary": ("odds ratio", "risk difference", "risk ratio"),
    "continuous": ("mean difference",),
    "count": ("mean difference",),
    "time-to-event": ("hazard ratio", "risk difference", "risk ratio", "rmst difference", "rmst ratio"),
}
"""The contrasts of comparable patients by the kind of outcome."""

USUAL = {kind: measures[0] for kind, measures in MEASURES.items()}
"""The contrast of each kind of outcome where the protocol names none."""

Balanced = Matching | Weighting | Stratification


def balance(request: Request) -> tuple[Request, Answer]:
    """The request with comparable patients, and the balance that was reached.

    The frame gets the columns `WEIGHT` and, where patients stand in sets, `UNIT`; who is not used is left out. Where nobody is
    left to compare, the request is empty and its status says why; so it is where single patients would decide the result.
    """
    planned = request.analysis.balancing
    assert planned is not None
    lacking = _lacking(request)
    if lacking is not None:
        return replace(request, sample=picked(request.sample, NOBODY)), _nothing(request, lacking)
    found = MAKERS[planned.by](request, planned, ESTIMANDS[request.analysis.target])
    kept = np.flatnonzero(found.weights) if found.status in WARNINGS else NOBODY
    frame = request.frame.with_columns(pl.Series(WEIGHT, found.weights))
    sets = np.full(request.frame.height, -1) if isinstance(found, Weighting) else found.sets
    in_sets = bool(len(kept)) and bool((sets[kept] >= 0).all())
    if in_sets:
        frame = frame.with_columns(pl.Series(UNIT, sets))
    whole = replace(
        request.sample, frame=frame, weights=found.weights, stage=(*request.sample.stage, planned.use),
        cluster=sets.astype(np.intp) if in_sets else request.sample.cluster,
    )  # fmt: skip
    analysis = replace(request.analysis, target=_target(request, found))
    balanced = replace(request, sample=picked(whole, kept), balanced=found, analysis=analysis)
    return balanced, _shown(request, planned, found)


def _lacking(request: Request) -> Status | None:
    """Why there is nobody to compare before anybody is matched or weighted."""
    present = set(request.frame[str(request.group)].drop_nulls().cast(pl.String).unique().to_list())
    if not present:
        return Status.NO_ROWS
    if request.reference not in present:
        return Status.NO_CONTROLS
    return None if present & set(request.treated) else Status.NO_TREATED


def _nothing(request: Request, status: Status, missing: int = 0) -> Answer:
    """A row for every effect that was asked for, with the reason why there is none."""
    rows = tuple(row for treated in request.treated for row in not_compared(request, status, treated, missing))
    return Answer(rows=rows, details=_named(request, status=status.code), n_missing=missing)


def _target(request: Request, found: Balanced) -> str:
    """Whom the effect is about after all: matching or trimming may leave out some of those it was meant for."""
    if found.estimand.startswith("matched") or "trimmed" in found.estimand:
        return found.estimand if found.estimand.startswith("matched") else f"{request.analysis.target}, trimmed"
    return request.analysis.target


def _match(request: Request, planned: PlannedBalancing, estimand: str) -> Matching:
    options: dict[str, Any] = dict(planned.options)
    return propensity.match(
        request.frame, treatment=str(request.group), covariates=planned.terms, score=request.scores, estimand=estimand,  # type: ignore[arg-type]
        method="optimal" if planned.by == "optimal" else "nearest", seed=request.seed or 0, **options,
    )  # fmt: skip


def _weigh(request: Request, planned: PlannedBalancing, estimand: str) -> Weighting:
    options: dict[str, Any] = dict(planned.options)
    return propensity.weight(
        request.frame, treatment=str(request.group), covariates=planned.terms, estimand=estimand, score=request.scores,
        method="entropy-balancing" if planned.by == "entropy-balancing" else "logistic",
        focal=request.reference if len(request.treated) > 1 and estimand == "ATC" else None, **options,
    )  # fmt: skip


def _full(request: Request, planned: PlannedBalancing, estimand: str) -> Stratification:
    options: dict[str, Any] = dict(planned.options)
    score = propensity.propensity_score(
        request.frame, treatment=str(request.group), covariates=planned.terms, needed=options.get("exact", ())
    )
    return propensity.full_match(score, request.frame, covariates=_names(planned), estimand=estimand, **options)


def _subclasses(request: Request, planned: PlannedBalancing, estimand: str) -> Stratification:
    options: dict[str, Any] = dict(planned.options)
    score = propensity.propensity_score(request.frame, treatment=str(request.group), covariates=planned.terms)
    return propensity.subclasses(score, request.frame, covariates=_names(planned), estimand=estimand, **options)


def _coarsened(request: Request, planned: PlannedBalancing, estimand: str) -> Stratification:
    return propensity.coarsened_exact(
        request.frame, treatment=str(request.group), covariates=_names(planned), estimand=estimand
    )


MAKERS: Mapping[str, Callable[[Request, PlannedBalancing, str], Balanced]] = {
    "nearest": _match, "optimal": _match, "full": _full, "subclasses": _subclasses, "coarsened-exact": _coarsened,
    "logistic": _weigh, "entropy-balancing": _weigh,
}  # fmt: skip


def _names(planned: PlannedBalancing) -> tuple[str, ...]:
    return tuple(dict.fromkeys(name for term in planned.terms for name in variables_of(term)))


def _shown(request: Request, planned: PlannedBalancing, found: Balanced) -> Answer:
    """The balance before and after, the overlap, the sizes and the weights; details and notices."""
    works = found.provenance.citations
    failed = Answer()
    if found.status not in WARNINGS:
        failed = replace(_nothing(request, found.status, _incomplete(request, found)), citations=works)
    if not found.weights.any():
        return failed
    tables = list(_tables(request, found))
    blocks: list[Block] = []
    for treated, table in tables:
        parts = () if len(tables) == 1 else (treated,)
        blocks.append(table.block(id=block_id(request, *parts, "balance"), analysis=request.analysis.id))
        blocks.append(
            table.effective_sizes(id=block_id(request, *parts, "effective-size"), analysis=request.analysis.id)
        )
    if isinstance(found, Weighting):
        blocks.append(found.weights_block(id=block_id(request, "weights"), analysis=request.analysis.id))
    blocks += _overlap(request, found)
    largest = max(_largest(planned, table) for _, table in tables)
    shown = Answer(
        blocks=tuple(blocks),
        details=_named(
            request,
            **_counts(request, found),
            **_told(found),
            largest_difference=largest if np.isfinite(largest) else None,
        ),
        notices=tuple(_notices(request, found)),
        citations=(*works, "austin-2009"),
        n_missing=_incomplete(request, found),
        choices=(Choice("effect in", _target(request, found), "derived"),)
        if _target(request, found) != request.analysis.target
        else (),
    )
    return failed.joined(shown)


def _incomplete(request: Request, found: Balanced) -> int:
    """Patients without a value of the score's covariates."""
    used = found.groups.rows if isinstance(found, Weighting) else found.units.rows
    return request.frame.height - len(used)


def not_compared(request: Request, status: Status, treated: str, missing: int = 0) -> Iterator[EstimateRow]:
    """The rows of a comparison for which nobody is left, one for each measure, with the reason."""
    usual = USUAL.get(request.outcome.kind, "")
    for text in dict.fromkeys(usual if name == "by type" else name for name in request.analysis.measures):
        measure, at = split_measure(text)
        timed = at is not None or (request.outcome.kind == "time-to-event" and measure != "hazard ratio")
        scale: Scale = "log" if measure in RATIOS else "identity"
        estimate = Estimate(
            term=treated, variable=request.group, reference=request.reference, measure=measure, scale=scale, value=nan,
            at=request.at(None if at is None else at.within(request.time_unit or "days")) if timed else None, status=status,
        )  # fmt: skip
        yield place(request, estimate, n=0, n_missing=missing)


def _tables(request: Request, found: Balanced) -> Iterator[tuple[str, BalanceTable]]:
    """The balance of each treated group against the reference."""
    if isinstance(found, Weighting) and len(found.groups.names) > 2:
        for treated in request.treated:
            yield treated, found.balance(between=(treated, request.reference))
    else:
        yield request.treated[0], found.balance(prognostic=_prognosis(request, found))


def _prognosis(request: Request, found: Balanced) -> NDArray[np.float64] | None:
    """The outcome that the untreated would lead one to expect, by the covariates of the score; of outcomes that have a mean."""
    planned = request.analysis.balancing
    if planned is None or request.outcome.kind not in ("binary", "continuous"):
        return None
    score = propensity.prognostic_score(
        found.table, treatment=str(request.group), outcome=request.outcome.name, covariates=planned.terms
    )
    return score if np.isfinite(score).any() else None


def _largest(planned: PlannedBalancing, table: BalanceTable) -> float:
    """The largest absolute standardized difference of a covariate that is left; the score itself is none."""
    left = [row for row in table.rows if row.sample == table.sizes[-1].sample and row.variable in _names(planned)]
    return max((np.inf if row.smd is None else abs(row.smd) for row in left), default=0.0)


def _overlap(request: Request, found: Balanced) -> Iterator[Block]:
    analysis = request.analysis.id
    if isinstance(found, Stratification):
        return
    if isinstance(found, Weighting) and (len(found.groups.names) > 2 or not len(found.probabilities)):
        if not len(found.probabilities):
            return
        for treated in request.treated:
            yield found.overlap(of=treated).block(id=block_id(request, treated, "overlap"), analysis=analysis)
        return
    yield found.overlap().block(id=block_id(request, "overlap"), analysis=analysis)


def _counts(request: Request, found: Balanced) -> dict[str, Cell]:
    if isinstance(found, Matching):
        treated, control = found.n_matched
        return {
            "pairs": found.pairs.height, "matched_treated": treated, "matched_reference": control,
            "unmatched_treated": int(found.units.treated.sum()) - treated, "incomplete": found.units.n_missing,
        }  # fmt: skip
    if isinstance(found, Weighting):
        return {
            "weighted": int((found.weights > 0).sum()),
            "incomplete": _incomplete(request, found),
            "trimmed": found.n_trimmed,
            "largest_weight": float(found.weights.max()),
        }
    kept = found.weights > 0
    return {"matched": int(kept.sum()), "sets": len(np.unique(found.strata[kept])), "incomplete": found.units.n_missing}


def _told(found: Balanced) -> dict[str, Cell]:
    """The status of patients who are compared in spite of it."""
    return {"status": found.status.code} if found.status is not Status.OK else {}


def unbalanced(analysis: PlannedAnalysis, outcome: PlannedOutcome, blocks: Iterable[Block]) -> tuple[Notice, ...]:
    """What is to be said where a covariate is not balanced, on the mean of the imputed tables."""
    planned = analysis.balancing
    if planned is None:
        return ()
    left = [
        row["smd"] for block in blocks if block.kind == "balance" for row in block.rows()
        if row["sample"] != UNADJUSTED and row["variable"] in _names(planned)
    ]  # fmt: skip
    if all(isinstance(value, int | float) and abs(value) <= planned.balance_limit for value in left):
        return ()
    text = (
        f"{outcome.label}: after {planned.use} the largest standardized difference is above {planned.balance_limit:g}. Change the score "
        "(splines, interactions), the caliper, or adjust for what remains."
    )
    return (Notice("W726", analysis.id, text),)


def _notices(request: Request, found: Balanced) -> Iterator[Notice]:
    label, analysis = request.outcome.label, request.analysis.id
    if found.status is not Status.OK and found.status in WARNINGS:
        yield Notice("W724", analysis, f"{label}: {found.status.text}")
    if found.estimand.startswith("matched"):
        whom = found.estimand.removeprefix("matched ")
        text = (
            f"{label}: not all {whom} could be matched, and those who could not were left out; the effect is among the "
            f"{found.estimand}."
        )
        yield Notice("W725", analysis, text)


def _named(request: Request, **values: Cell) -> dict[str, Cell]:
    """Details by their own names where the analysis has one outcome and sample, else under those."""
    prefix = "" if len(request.analysis.outcomes) == 1 and request.variant is None else f"{request.name}."
    return {f"{prefix}{name}": value for name, value in values.items()}

"""Means and risks of matched or weighted patients, with the variance that goes with how they were made comparable."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np
import polars as pl
from numpy.typing import NDArray

from counterpulse import propensity
from counterpulse.data.design import complete_rows
from counterpulse.numerics.linear_algebra import cluster_sums
from counterpulse.propensity import ComparedMeans, Matching, Stratification, Weighting
from counterpulse.results import Choice, Estimate, Status
from counterpulse.results.coefficients import FEW, TOO_FEW
from counterpulse.study.answers.fitted_model import effective_patients, group_counts, patients, total_events
from counterpulse.study.balancing.balance import USUAL, not_compared
from counterpulse.study.patients.outcomes import columns_of
from counterpulse.study.request import Answer, Evidence, Request, place

Floats = NDArray[np.float64]
Codes = NDArray[np.intp]


def comparable_means(request: Request) -> Answer:
    """Contrasts of each treated group with the reference, then each group's own risk or mean."""
    rows = np.flatnonzero(complete_rows(request.frame, columns_of(request.outcome.name, request.outcome.kind)))
    groups, n, effective = group_counts(request, rows), patients(request, rows), effective_patients(request, rows)
    answer, seen, results = Answer(), set[tuple[str, str]](), _compared(request)
    for treated in request.treated:
        compared = results.get(treated)
        if compared is None:
            answer = answer.joined(Answer(rows=tuple(not_compared(request, Status.EMPTY_GROUP, treated))))
            continue
        found = tuple(_wanted(request, compared))
        placed = tuple(
            place(
                request, estimate, kind="marginal", n=n, events=total_events(request, rows), n_missing=compared.n_missing,
                effective_n=effective, groups=groups if estimate.reference is not None else tuple(one for one in groups if one.group == estimate.term),
            )
            for estimate in found
            if (estimate.measure, estimate.term) not in seen
        )  # fmt: skip
        seen |= {(estimate.measure, estimate.term) for estimate in found}
        df = float(max(1, compared.n - 2))
        answer = answer.joined(
            Answer(
                rows=placed, choices=tuple(replace(one, origin="derived") for one in compared.provenance.choices),
                citations=compared.provenance.citations, n_missing=compared.n_missing,
                evidence={row.id: Evidence(df_complete=df) for row in placed},
            )
        )  # fmt: skip
    contrasts = [row for row in answer.rows if row.estimate.reference is not None]
    return replace(answer, rows=(*contrasts, *(row for row in answer.rows if row.estimate.reference is None)))


def _compared(request: Request) -> dict[str, ComparedMeans]:
    """The two means of each treated group that has patients and the reference, under the names of the study."""
    found, analysis = request.balanced, request.analysis
    outcome, options = request.outcome.name, {
        "covariates": list(analysis.terms) or None, "level": analysis.level, "bootstrap": int(analysis.options.get("bootstrap") or 0),  # type: ignore[call-overload]
        "seed": request.seed or 0,
    }  # fmt: skip
    results: Sequence[ComparedMeans]
    if isinstance(found, Weighting):
        results = propensity.weighted_effects(found, outcome=outcome, reference=request.reference, **options)
        order = [name for name in found.groups.names if name != request.reference]
    else:
        assert isinstance(found, Matching | Stratification)
        results, order = (propensity.matched_effect(found, outcome=outcome, **options),), [request.treated[0]]
    return {treated: _named(request, one, treated) for treated, one in zip(order, results, strict=True)}


def _named(request: Request, compared: ComparedMeans, treated: str) -> ComparedMeans:
    two = replace(compared.two, variable=str(request.group), treated=treated, reference=request.reference)
    choices = compared.provenance.choices
    if request.cluster is not None and two.status is Status.OK:
        covariance, clusters = _by_cluster(request, compared)
        few = clusters < FEW
        covariance = np.full((2, 2), np.nan) if clusters < TOO_FEW else covariance
        two = replace(two, covariance=covariance, df=float(clusters - 1) if few else None)
        text = f"robust to {request.cluster}" + (
            "" if isinstance(request.balanced, Weighting) else " and to matched sets (two-way)"
        )
        choices = (*choices, Choice("variance", text, "derived", "cameron-2011"))
    return replace(
        compared,
        two=two,
        binary=request.outcome.kind == "binary",
        provenance=replace(compared.provenance, choices=choices),
    )


def _by_cluster(request: Request, compared: ComparedMeans) -> tuple[Floats, int]:
    """The covariance of two means by center; of matched patients by set and by center, less by both."""
    found = request.balanced
    assert found is not None
    rows = found.groups.rows if isinstance(found, Weighting) else found.units.rows
    centers = _codes(found.table[str(request.cluster)][rows])
    by_center, clusters = _summed(compared.influence, centers)
    if isinstance(found, Weighting) or (found.sets[rows] < 0).all():
        return by_center, clusters
    sets = _codes(pl.Series(found.sets[rows]))
    both = _codes(pl.Series(centers * (int(sets.max()) + 1) + sets))
    return by_center + _summed(compared.influence, sets)[0] - _summed(compared.influence, both)[0], clusters


def _codes(column: pl.Series) -> Codes:
    codes: Codes = (column.cast(pl.String).fill_null("").rank("dense").to_numpy() - 1).astype(np.intp)
    return codes


def _summed(influence: Floats, codes: Codes) -> tuple[Floats, int]:
    used = influence.any(axis=1)
    names, own = np.unique(codes[used], return_inverse=True)
    sums = cluster_sums(influence[used], own.astype(np.intp), len(names))
    factor = len(names) / (len(names) - 1) if len(names) > 1 else np.nan
    covariance: Floats = factor * sums.T @ sums
    return covariance, len(names)


def _wanted(request: Request, compared: ComparedMeans) -> Iterator[Estimate]:
    """The contrasts that the plan names, in its order, then the risks or means of both groups."""
    found = {
        (estimate.measure, estimate.reference is None, estimate.term): estimate
        for estimate in map(_as_asked, compared.estimates())
    }
    named = [USUAL[request.outcome.kind] if name == "by type" else name for name in request.analysis.measures]
    for measure in dict.fromkeys(named):
        for (name, alone, _), estimate in found.items():
            if name == measure and not alone:
                yield estimate
    if compared.two.status is Status.OK:
        yield from (estimate for (_, alone, _), estimate in found.items() if alone)


def _as_asked(estimate: Estimate) -> Estimate:
    """Under the name that a protocol has for it; that it is marginal stands in its estimand."""
    return replace(estimate, measure=estimate.measure.removeprefix("marginal "))

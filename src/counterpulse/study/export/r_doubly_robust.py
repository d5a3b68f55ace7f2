"""Doubly robust comparisons in R."""

from __future__ import annotations

from collections.abc import Iterator

from counterpulse.data.terms import Spline, Term, variables_of
from counterpulse.expression import r_name, r_text
from counterpulse.study.answers.doubly_robust import TIMED
from counterpulse.study.export.part import Part
from counterpulse.study.export.r_models import listed
from counterpulse.study.export.r_terms import formula, prepared
from counterpulse.study.patients.outcomes import columns_of

CONTRASTS = {"ratio": "risk ratio", "odds": "marginal odds ratio"}


def doubly_robust_lines(part: Part) -> Iterator[str]:
    """Every treated group with the reference, at every time; not the lasso, nor splines whose knots each group has of its own."""
    if part.option("nuisance") == "lasso" or any(
        isinstance(term, Spline) and isinstance(term.knots, int) for term in part.terms
    ):
        return
    times = dict.fromkeys(None if row.estimate.at is None else row.estimate.at.time for row in part.rows)
    for treated in part.plan.treated:
        for at in times:
            ids = _ids(part, treated, at)
            if any(ids.values()):
                yield from _pair(part, treated)
                yield _call(part, treated, at, listed(ids))


def _ids(part: Part, treated: str, at: float | None) -> dict[str, str | None]:
    level = "mean" if part.outcome.kind in ("continuous", "count") else "risk"
    named = {
        "treated": (level, treated),
        "reference": (level, part.plan.reference),
        "difference": (f"{level} difference", treated),
    }
    named |= {key: (measure, treated) for key, measure in CONTRASTS.items()}
    return {key: part.id_of(measure, group, at) for key, (measure, group) in named.items()}


def _score(part: Part) -> tuple[Term, ...]:
    return part.analysis.further_terms or part.terms


def _pair(part: Part, treated: str) -> Iterator[str]:
    """The complete rows of two groups, with the columns that both models read."""
    terms = (*part.terms, *_score(part))
    columns = [
        *columns_of(part.outcome.name, part.outcome.kind),
        str(part.group),
        *(name for term in terms for name in variables_of(term)),
    ]
    columns += [part.cluster] if part.cluster is not None else []
    group = f"sample${r_name(str(part.group))}"
    levels = f"c({r_text(treated)}, {r_text(part.plan.reference)})"
    yield f"d <- complete(sample[{group} %in% {levels}, ], c({', '.join(map(r_text, dict.fromkeys(columns)))}))"
    yield from prepared(terms, dict(part.kinds))


def _call(part: Part, treated: str, at: float | None, ids: str) -> str:
    columns, options = columns_of(part.outcome.name, part.outcome.kind), part.analysis.options
    bounds = options.get("truncate") or ()
    held = f"c({', '.join(map(repr, bounds))})" if isinstance(bounds, tuple) and bounds else "NULL"
    more = f", cluster = d${r_name(part.cluster)}" if part.cluster is not None else ""
    outcome = columns[-1] if part.outcome.kind == TIMED else columns[0]
    if part.outcome.kind == TIMED:
        more += (
            f", timed = list(time = {r_text(columns[0])}, at = {at!r}, censoring = {r_text(part.option('censoring'))})"
        )
    return (
        f"doubly_robust({ids}, d, {r_text(outcome)}, {r_text(str(part.group))}, {r_text(treated)}, {r_text(part.plan.reference)}, "
        f"score = {r_text(formula(_score(part)))}, outcome = {r_text(formula(part.terms))}, target = {r_text(part.analysis.target)}, "
        f"bounds = {held}, tmle = {'TRUE' if part.analysis.method == 'tmle' else 'FALSE'}, level = {part.analysis.level!r}{more})"
    )

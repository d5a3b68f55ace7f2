"""Matched and weighted patients in R: their weights given or computed again, their balance, and each method that takes weights."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from counterpulse.data.terms import Term, variables_of
from counterpulse.expression import r_name, r_text
from counterpulse.protocol.plan import Plan, PlannedAnalysis
from counterpulse.results import StudyResult, finite_or_none
from counterpulse.study.catalog import METHODS
from counterpulse.study.export.part import Part, parts_of
from counterpulse.study.export.r_curves import conf_type
from counterpulse.study.export.r_kinds import COX, LOGISTIC
from counterpulse.study.export.r_methods import Exported
from counterpulse.study.export.r_models import has_number, listed, model_lines
from counterpulse.study.export.r_subgroups import subgroup_lines
from counterpulse.study.export.r_terms import formula, prepared
from counterpulse.study.patients.outcomes import columns_of
from counterpulse.study.request import UNIT, WEIGHT, slug

BALANCED = "balanced.csv"
PAIRS = ("nearest", "optimal")
SCORE = "propensity score"
NEEDED = ("exact", "anti_exact", "caliper_on")
"""Options of matching that name columns."""
CURVES = {False: ("risk difference", "risk ratio", "risk"), True: ("rmst difference", "rmst ratio", "rmst")}
"""What is read off a curve at a time, and of the area under it."""


def given_analyses(plan: Plan) -> list[PlannedAnalysis]:
    """The analyses whose sets and weights the script is given."""
    return [
        analysis for analysis in plan.analyses
        if analysis.balancing is not None and not computed(analysis, plan) and len(analysis.models) < 2
    ]  # fmt: skip


def computed(analysis: PlannedAnalysis, plan: Plan) -> bool:
    """Whether R makes the weights again: from a logistic score of two groups, one in each table."""
    balancing = analysis.balancing
    return balancing is not None and balancing.by == "logistic" and not balancing.across and len(plan.treated) == 1


def balanced_lines(part: Part) -> Iterator[str]:
    """The weights of the sample, the balance, and who goes on."""
    balancing, group = part.analysis.balancing, r_text(str(part.group))
    if balancing is None:
        return
    columns = dict.fromkeys((*_covariates(balancing.terms), *_named(balancing.options)))
    yield f"sample <- complete(sample, c({', '.join(map(r_text, columns))}))"
    treated = r_text(part.plan.treated[0])
    if computed(part.analysis, part.plan):
        yield "d <- sample"
        yield from prepared(balancing.terms, dict(part.kinds))
        yield (
            f"weighing <- weights_of(d, {r_text(formula(balancing.terms))}, {group}, {treated}, "
            f"{r_text(part.analysis.target)}{_options(balancing.options)})"
        )
        yield f"sample${WEIGHT} <- weighing$weights"
        yield f"sample${UNIT} <- NA"
    else:
        table = "table" if part.imputations else "0"
        yield f"sample <- balanced_patients(sample, {r_text(BALANCED)}, {r_text(part.name)}, {table})"
    yield from part.beside
    if balancing.by in PAIRS:
        yield from _again(part, balancing.terms, balancing.options)


def _covariates(terms: Sequence[Term]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(name for term in terms for name in variables_of(term)))


def _named(options: Mapping[str, object]) -> Iterator[str]:
    """Columns that the options of a matching name."""
    for key in NEEDED:
        value = options.get(key) or ()
        yield from (value,) if isinstance(value, str) else map(str, value)  # type: ignore[call-overload]

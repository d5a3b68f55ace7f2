"""What was done about missing values, told once for the study: complete cases, imputation, and what each holds for."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from counterpulse.protocol.plan import PlannedAnalysis, PlannedImputation
from counterpulse.report.chapters.methods.balancing_words import balances
from counterpulse.report.chapters.speech import Speech, listed, paragraph
from counterpulse.report.document import Paragraph, Run

IMPUTED, COMPLETE = "multiple-imputation", "complete-case"
OF_IMPUTATION = frozenset(
    {
        "van-buuren-2011", "white-2011", "white-royston-2009", "rubin-1987", "barnard-rubin-1999", "li-1991", "reiter-2007",
        "schomaker-heumann-2018",
    }
)  # fmt: skip
"""Works that this paragraph cites, where an analysis rests on them."""
FEWEST = 20
"""Imputed tables, where their number follows from the incomplete patients."""
MANY = 4
"""Analyses from which on those left out are named, where these are fewer."""
METHODS = {
    "pmm": "predictive mean matching", "normal": "Bayesian linear regression", "logistic": "logistic regression",
    "polytomous": "multinomial logistic regression", "ordered": "ordinal logistic regression",
    "random-intercept": "linear regression with random intercepts of centers",
}  # fmt: skip
NOTHING_MISSING = "imputation"
"""The choice of an analysis whose run found nothing to impute."""


def missing_paragraph(speech: Speech) -> Paragraph | None:
    """What happened to missing values; nothing where no analysis says so."""
    analyses = speech.plan.analyses
    complete = [item for item in analyses if item.missing == COMPLETE]
    imputed = [item for item in analyses if item.imputation is not None]
    if not imputed:
        return paragraph(_left_out(speech, complete), f"No value {speech.was} imputed.") if complete else None
    runs: list[Run] = [Run("Missing data.", "strong")]
    idle = [item for item in imputed if _nothing_missing(speech, item)]
    done = [item for item in imputed if item not in idle]
    if done:
        runs += [*_imputations(speech, done), *_pooled(speech, done)]
    runs += _not_imputed(speech, idle)
    return paragraph(*runs, *([_left_out(speech, complete)] if complete else []))


def _left_out(speech: Speech, complete: Sequence[PlannedAnalysis]) -> Run:
    """Complete cases, and which analyses are of them where not all are."""
    every = len(complete) == len({item.id for item in speech.plan.analyses if item.missing is not None})
    partly = "" if every else f" in {_ids(complete)}"
    return speech.run(
        f"Missing values {speech.were} handled by complete-case analysis{partly}: patients with a missing value of a variable of "
        f"{'an' if every else 'such an'} analysis {speech.were} left out of {'that analysis' if every else 'it'}, and their number is reported.",
        "white-carlin-2010",
    )


def _ids(analyses: Sequence[PlannedAnalysis]) -> str:
    return listed([item.id for item in analyses])


def _nothing_missing(speech: Speech, item: PlannedAnalysis) -> bool:
    """Whether the run found nothing to impute for an analysis; nobody knows before there are data."""
    records = speech.result.analyses if speech.result is not None else ()
    return any(
        choice.name == NOTHING_MISSING for record in records if record.id == item.id for choice in record.choices
    )


def _imputations(speech: Speech, done: Sequence[PlannedAnalysis]) -> Iterator[Run]:
    """Each way of imputing: of which variables, how often, from what."""
    ways: list[tuple[PlannedImputation, list[PlannedAnalysis]]] = []
    for item in done:
        planned = item.imputation
        known = next((items for way, items in ways if way == planned), None)
        if known is not None:
            known.append(item)
        elif planned is not None:
            ways.append((planned, [item]))
    for planned, items in ways:
        yield from _imputation(speech, planned, items)


def _imputation(speech: Speech, planned: PlannedImputation, items: Sequence[PlannedAnalysis]) -> Iterator[Run]:
    names, methods = _variables(speech, planned)
    of = f" of {listed([speech.variable(name) for name in names])}" if names else ""
    yield speech.run(
        f"{_concerned(speech, items)}, missing values{of} {speech.were} imputed by chained equations, {_tables(speech, planned)} of "
        f"{planned.iterations} iterations each{f', by {listed(methods)}' if methods else ''}.",
        "van-buuren-2011", "white-2011",
    )  # fmt: skip
    yield speech.run(f"Every variable {speech.was} imputed from {_predictors(speech, planned)}.", "white-royston-2009")
    if planned.passive:
        derived = listed([speech.variable(name) for name in planned.passive])
        yield Run(f"{derived[:1].upper()}{derived[1:]} {speech.was if len(planned.passive) == 1 else speech.were} computed from the imputed values.")  # fmt: skip
    if planned.outcomes:
        yield Run(
            f"Outcomes {speech.either('were not', 'will not be')} imputed: a patient without an outcome {speech.was} left out of its analysis."
        )


def _concerned(speech: Speech, items: Sequence[PlannedAnalysis]) -> str:
    """The analyses, or those that are not among them where these are fewer."""
    others = [item for item in speech.plan.analyses if item not in items]
    if not others:
        return "In all analyses"
    if len(items) >= MANY and len(others) < len(items):
        return f"In all analyses but {_ids(others)}"
    return f"In {_ids(items)}"


def _variables(speech: Speech, planned: PlannedImputation) -> tuple[list[str], list[str]]:
    """The variables that the run imputed, and the methods; those that the plan names before there are data."""
    blocks = (
        [block for block in speech.result.blocks if block.kind == "imputation"] if speech.result is not None else []
    )
    rows = [
        row
        for block in blocks
        for row in block.rows()
        if row["variable"] in planned.columns and row["method"] in METHODS
    ]
    if not rows:
        return list(planned.columns) if speech.result is None else [], []
    methods = dict.fromkeys(METHODS[str(row["method"])] for row in rows)
    return list(dict.fromkeys(str(row["variable"]) for row in rows)), list(methods)


def _tables(speech: Speech, planned: PlannedImputation) -> str:
    """How many tables, and by what rule."""
    if planned.datasets is not None:
        return f"in {planned.datasets} tables"
    made = speech.result.details.get("imputation", {}).get("imputed tables") if speech.result is not None else None
    rule = f"as many tables as the percentage of incomplete patients, at least {FEWEST}"
    return f"in {made} tables ({rule})" if made is not None else f"in {rule},"


def _predictors(speech: Speech, planned: PlannedImputation) -> str:
    """All others, the groups, the outcomes, the center."""
    parts = ["all others"]
    if speech.plan.group_variable is not None:
        parts.append("the treatment group")
    if planned.outcomes:
        parts.append(f"the outcomes ({_outcomes(speech, planned)})")
    if planned.center is not None and planned.center_as == "fixed":
        parts.append(speech.variable(planned.center))
    random = f", with a random intercept for each {speech.variable(planned.center)}" if planned.center and planned.center_as == "random-intercept" else ""  # fmt: skip
    without = "" if planned.from_outcomes else ", without the outcomes"
    return f"{listed(parts)}{random}{without}"


def _outcomes(speech: Speech, planned: PlannedImputation) -> str:
    """Outcomes among the predictors; of a time to an event, the event and the cumulative hazard."""
    known = [speech.plan.outcomes[name] for name in planned.outcomes if name in speech.plan.outcomes]
    plain = [speech.outcome(item.name) for item in known if item.kind not in ("time-to-event", "repeated")]
    timed = [speech.outcome(item.name) for item in known if item.kind == "time-to-event"]
    hazard = [f"of {listed(timed)} the event and the Nelson-Aalen estimate of the cumulative hazard"] if timed else []
    return "; ".join([*([listed(plain)] if plain else []), *hazard])


def _pooled(speech: Speech, done: Sequence[PlannedAnalysis]) -> Iterator[Run]:
    """Each table analyzed, then pooled; what was resampled, and when."""
    made = list(dict.fromkeys(filter(None, map(balances, done))))
    within = f", its patients {listed(made)} anew" if made else ""
    across = [item for item in done if item.balancing is not None and item.balancing.across]
    mean = f" (in {_ids(across)} by the mean propensity score of all tables)" if across else ""
    yield speech.run(
        f"Each table {speech.was} analyzed by itself{within}{mean}, and estimates {speech.were} pooled by Rubin's rules with the degrees "
        "of freedom of Barnard and Rubin;",
        "rubin-1987", "barnard-rubin-1999",
    )  # fmt: skip
    yield speech.run(
        f"tests of several coefficients {speech.were} pooled by their coefficients (D1), or by their statistics where only these "
        f"{speech.are} known (D2).",
        "li-1991", "reiter-2007",
    )  # fmt: skip
    drawn = [item for item in done if item.options.get("bootstrap") or item.selection is not None]
    if drawn:
        yield speech.run(
            f"Values {speech.were} imputed first; whatever {speech.is_} resampled {speech.was} resampled within each imputed table.",
            "schomaker-heumann-2018",
        )


def _not_imputed(speech: Speech, idle: Sequence[PlannedAnalysis]) -> Iterator[Run]:
    """Analyses with nothing to impute."""
    if idle:
        yield Run(
            f"No variable of {_ids(idle)} had a missing value, so that nothing was imputed for {'it' if len(idle) == 1 else 'them'}."
        )
    elif speech.result is None:
        yield Run("For an analysis none of whose variables has a missing value, nothing will be imputed.")

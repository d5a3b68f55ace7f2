"""What each synthesis found, in sentences: studies, patients, effect, where a new study is expected, and how far studies differ."""

from __future__ import annotations

from collections.abc import Iterator

from counterpulse.data.terms import Numeric
from counterpulse.protocol.planned_review import effects_of
from counterpulse.report import numbers
from counterpulse.report.chapters.context import Context
from counterpulse.report.chapters.review.numerals import (
    I2,
    TAU,
    TAU2,
    crosses_null,
    effect_run,
    limits,
    prediction_run,
    q_words,
    share,
    studies_words,
    tested,
    variance,
)
from counterpulse.report.chapters.review.synthesis import (
    BAYESIAN,
    CHANGE,
    NETWORK,
    SEQUENTIAL,
    Synthesis,
    detail,
    is_regression,
    studies_of,
    syntheses,
)
from counterpulse.report.chapters.speech import listed, paragraph
from counterpulse.report.chapters.wording import inside, sentence
from counterpulse.report.document import Paragraph, Run
from counterpulse.report.measures import measure_of
from counterpulse.results import AnalysisRecord, EstimateRow

SINGULAR = {
    "units": "unit", "years": "year", "months": "month", "weeks": "week", "days": "day", "hours": "hour", "minutes": "minute",
    "degrees": "degree", "points": "point", "patients": "patient", "percentage points": "percentage point", "%": "percentage point",
}  # fmt: skip
TRANSFORMED = ("proportion", "correlation")
"""Measures that are pooled on another scale than they are printed."""
CONCLUSIONS = {
    "efficacy": "the cumulative Z value crossed the monitoring boundary",
    "futility": "the cumulative Z value crossed the boundary of futility, so that the effect looked for is unlikely",
    "information reached": "the required information is reached and no boundary was crossed",
}


def results_paragraphs(context: Context) -> list[Paragraph]:
    """A paragraph for each analysis that is no edit of another, then the edits in one for each analysis they change."""
    own = [record for record in context.result.analyses if record.of is None or is_regression(context, record.id)]
    found = [part for record in own for part in analysis_paragraphs(context, record)]
    edits = [record for record in context.result.analyses if record not in own]
    return [*found, *_edits(context, edits)]


def analysis_paragraphs(context: Context, record: AnalysisRecord) -> list[Paragraph]:
    """What one analysis found."""
    if record.method == NETWORK:
        return list(_networks(context, record))
    if is_regression(context, record.id):
        return list(_regressions(context, record))
    found = []
    for item in syntheses(context, record.id):
        lead = Run(f"{context.outcome_label(item.outcome)} ({record.id}).", "strong")
        found.append(paragraph(lead, *_synthesis(context, item)))
    return [*found, *_subgroups(context, record)]


def _synthesis(context: Context, item: Synthesis) -> Iterator[Run | str]:
    row = item.effect
    if not context.printed(row):
        yield f"The {measure_of(row.estimate.measure).words} could not be estimated. {row.estimate.status.text}"
        return
    yield _pooled_words(context, item)
    yield effect_run(context, row, bayesian=item.bayesian)
    p = tested(context, row)
    yield f"; {numbers.p_phrase(p, context.style)}." if p is not None and p == p else "."
    yield from _beyond(context, item)
    if item.studies == 1:
        yield "One study is no synthesis: its own effect is shown."
        return
    yield from _heterogeneity(context, item)
    if item.record.method == SEQUENTIAL:
        yield from _information(context, item)
    yield from _permuted(context, item)


def _pooled_words(context: Context, item: Synthesis) -> str:
    """How many studies and patients, and what they gave."""
    row = item.effect
    patients = f" with {numbers.count(row.n, context.style)} patients" if row.n is not None else ""
    measure = measure_of(row.estimate.measure).words
    versus = (
        f" for {context.group(row.estimate.term)} versus {context.group(row.estimate.reference)}"
        if row.estimate.reference
        else ""
    )
    middle = (
        "posterior median of the pooled " if item.record.method == BAYESIAN else "" if item.studies == 1 else "pooled "
    )
    return f"From {studies_words(item.studies, context.style)}{patients}, the {middle}{measure}{versus} was"


def _beyond(context: Context, item: Synthesis) -> Iterator[Run | str]:
    """Where the effect of a new study is expected, and whether that includes no effect although the interval of the mean does not."""
    row = item.prediction
    if row is None or row.estimate.interval is None:
        return
    yield "The true effect of a new study is expected within the"
    yield prediction_run(context, row, like=item.effect)
    if crosses_null(context, row) and not crosses_null(context, item.effect):
        yield (
            ", which, unlike the confidence interval of the mean, includes no effect."
            if not item.bayesian
            else ", which, unlike the credible interval of the mean, includes no effect."
        )
    else:
        yield "."


def _heterogeneity(context: Context, item: Synthesis) -> Iterator[Run | str]:
    parts = []
    if item.between is not None and item.record.method == BAYESIAN:
        parts.append(f"{TAU} = {variance(context, item.between)}")
    elif item.between is not None:
        parts.append(f"{TAU2} = {variance(context, item.between)}")
        tau = item.between.estimate.value**0.5
        parts.append(f"{TAU} = {numbers.number(tau, 3, context.style)}")
    if item.share is not None:
        parts.append(f"{I2} = {share(context, item.share, sign='%')}")
        parts.append(q_words(context, item.share))
    said = [part for part in parts if part]
    if said:
        yield f"Heterogeneity: {'; '.join(said)}."


def _permuted(context: Context, item: Synthesis) -> Iterator[Run]:
    row = item.permuted
    if (
        row is not None
        and row.estimate.p_value is not None
        and row.estimate.p_value == row.estimate.p_value
        and not context.withheld(item.effect)
    ):
        yield Run(f"By permutation, {numbers.p_phrase(row.estimate.p_value, context.style)}.", result=row.id)


def _information(context: Context, item: Synthesis) -> Iterator[str]:
    """How much of the required information there is, and what that concludes."""
    id_, outcome = item.record.id, item.outcome
    required, had = detail(context, id_, outcome, "required"), detail(context, id_, outcome, "participants")
    if required is None or had is None:
        return
    style = context.style
    percent = numbers.number(100 * had / required, 0, style)
    yield "The interval allows for every look at the growing evidence."
    yield f"The required information is {numbers.count(round(required), style)} patients; {numbers.count(round(had), style)} ({percent}%) are known."
    told = CONCLUSIONS.get(str(context.result.details.get(id_, {}).get(f"{outcome}.conclusion")))
    yield f"{sentence(told)}." if told else "No boundary was crossed, so the question is open."


def _subgroups(context: Context, record: AnalysisRecord) -> Iterator[Paragraph]:
    """The tests of differences between groups of studies."""
    tests = [row for row in context.rows(record.id) if row.estimate.measure == "interaction"]
    known = [row for row in tests if context.tested(row) is not None and row.estimate.p_value == row.estimate.p_value]
    if known:
        said = listed(
            [
                f"by {inside(context.variable(str(row.estimate.variable)))} ({numbers.p_phrase(float(row.estimate.p_value or 0), context.style)})"
                for row in known
            ]
        )
        caution = Run(
            "A large P value of such a test does not show that effects are alike.",
            cites=context.cite("altman-bland-1995"),
        )
        yield paragraph(
            Run(f"Subgroups of studies ({record.id}).", "strong"), f"Difference between the groups: {said}.", caution
        )


# -- regressions, networks ---------------------------------------------------------------------------------------------


def _regressions(context: Context, record: AnalysisRecord) -> Iterator[Paragraph]:
    for outcome in dict.fromkeys(row.outcome for row in context.rows(record.id)):
        rows = [
            row
            for row in context.rows(record.id)
            if row.outcome == outcome and row.role != "covariate" and row.estimate.measure.startswith(CHANGE)
        ]
        shown = [row for row in rows if context.printed(row)]
        lead = Run(f"Meta-regression of {inside(context.outcome_label(outcome))} ({record.id}).", "strong")
        if not shown:
            yield paragraph(lead, "The model could not be fitted.")
            continue
        yield paragraph(lead, *_coefficients(context, record, outcome, shown))


def _coefficients(
    context: Context, record: AnalysisRecord, outcome: str, rows: list[EstimateRow]
) -> Iterator[Run | str]:
    style = context.style
    yield f"In {studies_words(studies_of(context, record.id, outcome), style)}, the {coefficient_name(context, rows[0])} was"
    for k, row in enumerate(rows):
        lead = "and" if k and k == len(rows) - 1 else ""
        if lead:
            yield lead
        yield effect_run(context, row)
        yield f"for {moderator(context, row)}"
        p = context.tested(row)
        end = "." if k == len(rows) - 1 else ";"
        yield f"; {numbers.p_phrase(p, style)}{end}" if p is not None and p == p else end
    explained = detail(context, record.id, outcome, "r_squared")
    if explained is not None:
        yield f"The moderators account for {numbers.number(100 * explained, 0, style)}% of the variance between studies (R\N{SUPERSCRIPT TWO})."


def coefficient_name(context: Context, row: EstimateRow) -> str:
    """What a coefficient of a meta-regression is: a ratio of ratios, or a difference of differences, for a unit."""
    measure = row.estimate.measure.removeprefix(CHANGE)
    if row.estimate.scale == "log":
        return "ratio of ratios of means" if measure == "ratio of means" else f"ratio of {measure}s"
    turned = "transformed " if measure in TRANSFORMED and not _raw(context) else ""
    return f"difference in the {turned}{measure}"


def _raw(context: Context) -> bool:
    """Whether proportions are pooled as they are."""
    return effects_of(context.plan.protocol).proportion == "raw"


def moderator(context: Context, row: EstimateRow) -> str:
    """What a coefficient belongs to: a level against its reference, or one unit of a number."""
    item = row.estimate
    name = str(item.variable or item.term)
    variable = context.plan.variables.get(name)
    label = inside(context.variable(name))
    if item.reference is not None:
        return f"{label}: {context.level(name, item.term.partition('=')[2] or item.term)} against {context.level(name, item.reference)}"
    step = _step(context, row, name)
    unit = variable.unit if variable is not None and variable.unit else "units"
    if step == 1:
        return f"{label} (per {SINGULAR.get(unit, unit)})"
    return f"{label} (per {numbers.as_written(step, context.style)} {unit})"


def _step(context: Context, row: EstimateRow, name: str) -> float:
    """How many units of a number a coefficient is for."""
    planned = context.planned(row.analysis)
    moderators = planned.options.get("moderators") if planned is not None else ()
    terms = moderators if isinstance(moderators, tuple) else ()
    return next((term.per for term in terms if isinstance(term, Numeric) and term.variable == name), 1.0)


def _networks(context: Context, record: AnalysisRecord) -> Iterator[Paragraph]:
    rows = [row for row in context.rows(record.id) if row.role != "covariate" and context.printed(row)]
    for outcome in dict.fromkeys(row.outcome for row in context.rows(record.id)):
        own = [row for row in rows if row.outcome == outcome]
        lead = Run(f"{context.outcome_label(outcome)} ({record.id}).", "strong")
        if not own:
            failed = next(row for row in context.rows(record.id) if row.outcome == outcome)
            yield paragraph(lead, f"The network could not be estimated. {failed.estimate.status.text}")
        else:
            yield paragraph(lead, *_network(context, record, outcome, own))


def _network(context: Context, record: AnalysisRecord, outcome: str, rows: list[EstimateRow]) -> Iterator[Run | str]:
    style, id_ = context.style, record.id
    treatments = detail(context, id_, outcome, "treatments")
    several = f" of {round(treatments)} treatments" if treatments else ""
    reference = context.group(rows[0].estimate.reference)
    yield f"{sentence(studies_words(studies_of(context, id_, outcome), style))}{several} form one network. Against {reference}, the {measure_of(rows[0].estimate.measure).words} was"
    for k, row in enumerate(rows):
        yield effect_run(context, row)
        yield f"for {context.group(row.estimate.term)}{'.' if k == len(rows) - 1 else '; and' if k == len(rows) - 2 else ';'}"
    beside = {row.estimate.term: row for row in context.rows(id_) if row.outcome == outcome and row.role == "covariate"}
    between, part = beside.get("tau2"), beside.get("i2")
    said = [f"{TAU2} = {variance(context, between)}" if between is not None else "", f"{I2} = {share(context, part, sign='%')}" if part is not None and part.estimate.value == part.estimate.value else "", q_words(context, part)]  # fmt: skip
    yield f"Heterogeneity and inconsistency together: {'; '.join(words for words in said if words)}."
    if (split := beside.get("inconsistency")) is not None and split.estimate.df:
        yield f"Inconsistency between designs: {q_words(context, split)}. A large P value does not show that direct and indirect evidence agree."


# -- edits -------------------------------------------------------------------------------------------------------------


def _edits(context: Context, records: list[AnalysisRecord]) -> Iterator[Paragraph]:
    for of in dict.fromkeys(record.of for record in records):
        items = [
            item
            for record in records
            if record.of == of
            for item in syntheses(context, record.id)
            if context.printed(item.effect)
        ]
        if not items:
            continue
        runs: list[Run | str] = ["The effect was"]
        for k, item in enumerate(items):
            runs.append(effect_run(context, item.effect, bayesian=item.bayesian))
            end = "." if k == len(items) - 1 else "; and" if k == len(items) - 2 else ";"
            several = (
                f", {inside(context.outcome_label(item.outcome))}" if item.outcome not in _single(context, of) else ""
            )
            runs.append(f"({item.record.id}{several}{_wide(context, item)}){end}")
        yield paragraph(Run(f"Sensitivity analyses of {of}.", "strong"), *runs)


def _single(context: Context, analysis: str | None) -> tuple[str, ...]:
    """The outcome of an analysis that has but one."""
    planned = context.planned(analysis or "")
    return planned.outcomes if planned is not None and len(planned.outcomes) == 1 else ()


def _wide(context: Context, item: Synthesis) -> str:
    """The prediction interval of an edit, in short."""
    if item.prediction is None or item.prediction.estimate.interval is None:
        return ""
    return f"; prediction interval {limits(context, item.prediction, like=item.effect)}"

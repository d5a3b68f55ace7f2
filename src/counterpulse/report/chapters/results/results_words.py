"""The results in words: counts, effects with their intervals, then P values; what an interval allows, never what a P value denies."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace

from counterpulse.report import numbers
from counterpulse.report.chapters.context import EVERYBODY, PRINTED, Context
from counterpulse.report.chapters.methods.balancing_words import balances
from counterpulse.report.chapters.participants.cohort_words import cohort_paragraphs
from counterpulse.report.chapters.results.estimand_said import adjective, among
from counterpulse.report.chapters.results.key_result import across_null, allowed, counted, effect_run, reached, versus
from counterpulse.report.chapters.results.models import counts, ladder
from counterpulse.report.chapters.results.predictions import is_prediction
from counterpulse.report.chapters.results.sensitivity_words import sensitivity_paragraph, span
from counterpulse.report.chapters.speech import listed, paragraph, spelled
from counterpulse.report.chapters.wording import inside, proper, sentence
from counterpulse.report.document import Paragraph, Run
from counterpulse.report.measures import measure_of
from counterpulse.results import AnalysisRecord, EstimateRow, GroupCount, Status

LEVELS = ("risk", "survival", "cumulative incidence", "rmst", "median survival time", "median", "mean")
"""What is told of each group alone, beside the contrast."""
MEAN_TIMES = {
    "rmst": "restricted mean event-free time",
    "rmst difference": "difference of restricted mean event-free times",
    "rmst ratio": "ratio of restricted mean event-free times",
}
TELLING = ("c-statistic", "concordance", "calibration slope", "calibration intercept", "Brier score")
NOT_ALIKE = "A large P value of such a test does not show that effects are alike."


def results_paragraphs(context: Context) -> list[Paragraph]:
    """Participants, baseline, follow-up, each analysis, subgroups, sensitivity analyses."""
    found, told = cohort_paragraphs(context), Told()
    for record in context.result.analyses:
        if record.role != "sensitivity":
            found += _analysis(context, record, told)
    return [*found, *_subgroups(context), *_sensitivity(context)]


@dataclass(slots=True)
class Told:
    """What earlier paragraphs said: the counts of an outcome, and which groups effects compare."""

    counts: set[tuple[str, tuple[GroupCount, ...]]] = field(default_factory=set)
    contrast: bool = False


def _analysis(context: Context, record: AnalysisRecord, told: Told) -> Iterator[Paragraph]:
    rows = [row for row in context.rows(record.id) if row.subgroup is None and row.role != "covariate"]
    rows = [row for row in rows if counts(context, row)]
    for outcome, model in dict.fromkeys((row.outcome, row.model) for row in rows):
        own = [row for row in rows if (row.outcome, row.model) == (outcome, model)]
        said = list(_outcome(context, own, told))
        if said:
            yield paragraph(_lead(context, record, outcome, model), *said)


def _lead(context: Context, record: AnalysisRecord, outcome: str, model: str | None) -> Run:
    planned = context.planned(record.id)
    late = "planned after the data were seen" if planned and planned.planned == "after-data" and not _all_late(context) else ""  # fmt: skip
    role = "primary analysis " if record.role == "primary" else ""
    inner = ", ".join(filter(None, (f"{role}{record.id}", model, late)))
    return Run(f"{context.outcome_label(outcome)} ({inner}).", "strong")


def _all_late(context: Context) -> bool:
    return all(item.planned == "after-data" for item in context.plan.analyses)


def _outcome(context: Context, rows: Sequence[EstimateRow], told: Told) -> Iterator[Run]:
    """One outcome of one analysis: counts, what each group had, contrasts, tests, what the interval allows."""
    contrasts = [row for row in rows if measure_of(row.estimate.measure).contrasts and context.compares_groups(row)]
    yield from _counts(context, contrasts, told)
    yield from _levels(context, rows, contrasts)
    for term in dict.fromkeys(row.estimate.term for row in contrasts):
        yield from _contrasts(context, [row for row in contrasts if row.estimate.term == term], told)
    yield from _across_models(context, contrasts)
    yield from _tests(context, rows)
    yield from _predictions(context, rows)


def _counts(context: Context, contrasts: Sequence[EstimateRow], told: Told) -> Iterator[Run]:
    """Events and patients of every group that is compared, once for the same patients."""
    found = {count.group: count for row in reversed(contrasts) for count in row.groups}
    groups = [level for level in _groups(context) if level in found]
    key = (contrasts[0].outcome, tuple(found[level] for level in groups)) if contrasts else None
    if key is None or key in told.counts:
        return
    told.counts.add(key)
    yield from _spaced(counted(context, replace(contrasts[0], groups=key[1]), groups))


def _spaced(runs: Iterable[Run]) -> Iterator[Run]:
    """Without the space at the end, which the paragraph makes."""
    for run in runs:
        yield Run(run.text.rstrip(), run.emphasis, run.result, run.cites)


def _levels(context: Context, rows: Sequence[EstimateRow], contrasts: Sequence[EstimateRow]) -> Iterator[Run]:
    """The risk, mean time or median of each group, at its time; risks of groups that were counted are told once."""
    for measure, at in dict.fromkeys((row.estimate.measure, row.estimate.at) for row in rows):
        own = [row for row in rows if (row.estimate.measure, row.estimate.at) == (measure, at)]
        own = [
            row
            for row in own
            if row.estimate.reference is None and row.estimate.term in (_groups(context) or (EVERYBODY,))
        ]
        if measure not in LEVELS or not own:
            continue
        own.sort(key=lambda row: [*_groups(context), EVERYBODY].index(row.estimate.term))
        if len(own) > 1 and all(row.estimate.status is Status.NOT_REACHED for row in own):
            yield Run(f"The {_at(context, own[0])} was not reached in any group.")
            continue
        yield Run(f"{_standardized(context, own[0], bool(contrasts))}{_at(context, own[0])} was")
        for k, row in enumerate(own, start=1):
            end = "." if k == len(own) else ", and" if k == len(own) - 1 and len(own) > 2 else " and" if k == len(own) - 1 else ","  # fmt: skip
            yield _level(context, row)
            yield Run(f" in {context.group(row.estimate.term)}{end}" if _groups(context) else end)


def _standardized(context: Context, row: EstimateRow, contrasted: bool) -> str:
    """Whose risk or mean it is: of matched or weighted patients, or standardized from a model."""
    planned = context.planned(row.analysis)
    if planned is not None and balances(planned):
        return f"In {balances(planned)} patients, the "
    modelled = measure_of(row.estimate.measure).kind == "probability" and row.estimate.at is None and contrasted
    return "The standardized " if modelled else "The "


def _groups(context: Context) -> list[str]:
    return [group.level for group in context.plan.groups]


def _level(context: Context, row: EstimateRow) -> Run:
    if not context.printed(row):
        return Run("not estimable", result=row.id)
    if row.estimate.value != row.estimate.value:
        return Run(inside(context.effect(row)), result=row.id)
    return effect_run(context, row, "plain")


def _contrasts(context: Context, rows: Sequence[EstimateRow], told: Told) -> Iterator[Run]:
    """The effect with its interval and P value, the same effect on other scales, and what the interval allows."""
    first, failed = rows[0], [row for row in rows if not context.printed(row)]
    for k, row in enumerate(item for item in rows if item not in failed):
        named = k == 0 and not (told.contrast and len(context.plan.groups) == 2)
        told.contrast = True
        yield from _effect(context, row, first=k == 0, named=named)
    if first not in failed:
        yield Run(_meaning(context, first))
        if first.estimate.status not in PRINTED:
            yield Run(first.estimate.status.text)
    for row in failed:
        yield Run(
            f"The {measure_of(row.estimate.measure).words} {versus(context, row)} could not be estimated. {row.estimate.status.text}",
            result=row.id,
        )


def _meaning(context: Context, row: EstimateRow) -> str:
    """What the interval allows: in full for the primary analysis, of the others where it holds equality inside."""
    if row.role == "primary":
        return allowed(context, row)
    return f"The data are compatible with {reach}." if across_null(context, row) and (reach := reached(context, row)) else ""  # fmt: skip


def _across_models(context: Context, contrasts: Sequence[EstimateRow]) -> Iterator[Run]:
    """The range of the first effect over the models of a ladder."""
    if not contrasts:
        return
    first, names = contrasts[0], {model.name for model in ladder(context, contrasts[0].analysis)}
    rows = [
        row
        for row in context.rows(first.analysis)
        if row.model in names and (row.outcome, row.estimate.measure, row.estimate.term, row.subgroup)
        == (first.outcome, first.estimate.measure, first.estimate.term, None) and context.compares_groups(row)
    ]  # fmt: skip
    rows = [row for row in rows if context.printed(row) and row.estimate.value == row.estimate.value]
    reach = span(context, rows) if len(rows) > 1 else ""
    if reach:
        name = measure_of(first.estimate.measure).words
        yield Run(f"Across the {spelled(len(rows))} models, the {name} ranged from {reach}.")


def _effect(context: Context, row: EstimateRow, *, first: bool, named: bool) -> Iterator[Run]:
    who = f" {versus(context, row)}" if named else ""
    yield Run(
        f"The {adjective(context, row, first=first)}{_at(context, row)}{among(context, row) if first else ''}{who} was"
    )
    yield effect_run(context, row, "plain")
    yield Run(f"{_p(context, row) if first else ''}.")


def _at(context: Context, row: EstimateRow) -> str:
    """A measure at its time, a mean time up to it."""
    measure, when = row.estimate.measure, context.at(row.estimate).removeprefix("at ")
    if measure in MEAN_TIMES:
        return f"{MEAN_TIMES[measure]}{f' up to {when}' if when else ''}"
    return f"{measure_of(measure).words}{f' at {when}' if when else ''}"


def _p(context: Context, row: EstimateRow) -> str:
    """The P value after its interval; the adjusted one where the plan adjusts."""
    tested = context.tested(row)
    if row.p_adjusted is not None and row.p_adjusted == row.p_adjusted:
        planned = context.planned(row.analysis)
        method = f" by the method of {planned.multiplicity.capitalize()}" if planned else ""
        return f"; adjusted{method}, {numbers.p_phrase(row.p_adjusted, context.style)}"
    return f"; {numbers.p_phrase(tested, context.style)}" if tested is not None and tested == tested else ""


def _tests(context: Context, rows: Sequence[EstimateRow]) -> Iterator[Run]:
    """Tests of whole curves."""
    for row in rows:
        if row.estimate.measure != "test of curves":
            continue
        tested = context.tested(row)
        if tested is not None and tested == tested:
            phrase = numbers.p_phrase(tested, context.style)
            yield Run(f"The {proper(row.estimate.term)} test of the whole curves gave {phrase}.", result=row.id)


def _predictions(context: Context, rows: Sequence[EstimateRow]) -> Iterator[Run]:
    """How well a model predicts: discrimination, calibration and accuracy, as estimated and corrected for optimism."""
    told = [row for row in rows if is_prediction(row) and context.printed(row) and _telling(row.estimate.measure)]
    for row in told[:1]:
        yield Run(f"The {measure_of(row.estimate.measure).words} was")
        yield effect_run(context, row, "plain")
    for row in told[1:]:
        yield Run(f"; {measure_of(row.estimate.measure).words}, {context.effect(row)}", result=row.id)
    if told:
        yield Run(".")


def _telling(measure: str) -> bool:
    """Whether a measure of predictions belongs in the text; all stand in the table."""
    return measure.removeprefix("optimism-corrected ") in TELLING


def _subgroups(context: Context) -> Iterator[Paragraph]:
    """Every test of interaction of an analysis in one sentence."""
    for analysis in dict.fromkeys(row.analysis for row in context.result.estimates if row.subgroup is not None):
        tests = [
            row
            for row in context.rows(analysis)
            if row.estimate.measure == "interaction" and row.estimate.term != "continuous" and counts(context, row)
        ]
        known = [row for row in tests if context.tested(row) is not None and row.estimate.p_value == row.estimate.p_value]  # fmt: skip
        if not known:
            continue
        said = listed([f"{inside(context.variable(str(row.estimate.variable)))} ({_phrase(context, row)})" for row in known])  # fmt: skip
        many = len(known) > 1
        how_many = f"{sentence(spelled(len(known)))} tests of interaction were made: by" if many else "The test of interaction was by"  # fmt: skip
        chance = "With several tests, a small P value may be due to chance." if many else ""
        caution = Run(NOT_ALIKE, cites=context.cite("altman-bland-1995"))
        yield paragraph(Run(f"Subgroups ({analysis}).", "strong"), f"{how_many} {said}.", caution, chance)


def _phrase(context: Context, row: EstimateRow) -> str:
    return numbers.p_phrase(float(context.tested(row) or 0.0), context.style)


def _sensitivity(context: Context) -> Iterator[Paragraph]:
    edited = dict.fromkeys(item.of for item in context.plan.analyses if item.of is not None)
    for analysis in edited:
        said = sensitivity_paragraph(context, analysis)
        if said is not None:
            yield said

"""The box at the top of a review: effect, where a new study is expected, heterogeneity, and how certain it is."""

from __future__ import annotations

from collections.abc import Iterator

from counterpulse.report import numbers
from counterpulse.report.chapters.context import Context
from counterpulse.report.chapters.results.key_result import across_null, reached
from counterpulse.report.chapters.review.certainty import LEVELS, certainty_of, open_domains
from counterpulse.report.chapters.review.numerals import (
    I2,
    OF_ONE_GROUP,
    TAU2,
    crosses_null,
    effect_run,
    prediction_run,
    share,
    studies_words,
    variance,
)
from counterpulse.report.chapters.review.results_words import analysis_paragraphs
from counterpulse.report.chapters.review.synthesis import NETWORK, Synthesis, is_regression, syntheses
from counterpulse.report.chapters.speech import listed
from counterpulse.report.chapters.wording import inside, sentence
from counterpulse.report.document import Callout, Paragraph, Run, text
from counterpulse.report.measures import measure_of


def review_key_result(context: Context) -> Callout | None:
    """What was found for the primary outcome; of a network what it says against its reference."""
    primary = context.plan.primary
    record = context.record(primary.id) if primary is not None else None
    if primary is None or record is None:
        return None
    if record.method == NETWORK or is_regression(context, record.id):
        found = analysis_paragraphs(context, record)[:1]
        title = f"Primary result ({record.id}): {inside(listed([context.outcome_label(name) for name in primary.outcomes]))}"
        return (
            Callout(kind="key-result", title=title, blocks=tuple(Paragraph(item.runs[2:]) for item in found))
            if found
            else None
        )
    item = next(iter(syntheses(context, record.id)), None)
    if item is None:
        return None
    title = f"Primary result ({record.id}): {context.outcome_label(item.outcome)}"
    return Callout(kind="key-result", title=title, blocks=tuple(_paragraphs(context, item)))


def _paragraphs(context: Context, item: Synthesis) -> Iterator[Paragraph]:
    row = item.effect
    measure = measure_of(row.estimate.measure)
    versus = (
        f" for {context.group(row.estimate.term)} versus {context.group(row.estimate.reference)}"
        if row.estimate.reference
        else ""
    )
    patients = f", {numbers.count(row.n, context.style)} patients" if row.n is not None else ""
    known = f"{sentence(studies_words(item.studies, context.style))}{patients}. "
    if not context.printed(row):
        yield Paragraph(
            (
                Run(
                    f"{known}The {measure.words}{versus} could not be estimated. {row.estimate.status.text}",
                    result=row.id,
                ),
            )
        )
        return
    p = None if row.estimate.measure in OF_ONE_GROUP else row.estimate.p_value
    end = f"; {numbers.p_phrase(p, context.style)}." if p is not None and p == p else "."
    yield Paragraph(
        (
            Run(f"{known}{measure.title}{versus}: "),
            effect_run(context, row, bayesian=item.bayesian, emphasis="strong"),
            Run(end),
        )
    )
    yield from _meaning(context, item)
    yield from _spread(context, item)
    if words := _certainty(context, item):
        yield text(words)


def _meaning(context: Context, item: Synthesis) -> Iterator[Paragraph]:
    reach = reached(context, item.effect)
    if reach:
        both = (
            ": the data are compatible with effects in both directions." if across_null(context, item.effect) else "."
        )
        name = (
            context.level_name(item.effect).replace("CI", "CrI") if item.bayesian else context.level_name(item.effect)
        )
        yield text(f"The {name} reaches from {reach}{both}")


def _spread(context: Context, item: Synthesis) -> Iterator[Paragraph]:
    """Where a new study is expected, and how far studies differ."""
    runs: list[Run] = []
    if item.prediction is not None and item.prediction.estimate.interval is not None:
        wider = crosses_null(context, item.prediction) and not crosses_null(context, item.effect)
        caution = "; the effect of a new study may be none, or the opposite" if wider else ""
        runs += [
            Run("Effect of a new study: "),
            prediction_run(context, item.prediction, like=item.effect),
            Run(f"{caution}. "),
        ]
    parts = []
    if item.between is not None and not item.bayesian:
        parts.append(f"{TAU2} = {variance(context, item.between)}")
    if item.share is not None:
        parts.append(f"{I2} = {share(context, item.share, sign='%')}")
    if parts:
        runs.append(Run(f"Heterogeneity: {'; '.join(parts)}."))
    if runs:
        yield Paragraph(tuple(runs))


def _certainty(context: Context, item: Synthesis) -> str:
    level = certainty_of(context, item.outcome)
    if level in LEVELS:
        return f"Certainty of the evidence (GRADE): {level}."
    if level is not None:
        return f"Certainty of the evidence (GRADE): not rated; to be judged by the reviewers: {listed(open_domains(context, item.outcome))}."
    return ""

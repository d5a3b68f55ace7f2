"""The syntheses in the words of a methods section: each analysis, its edits, groups of studies, all combinations of choices."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

from counterpulse.protocol.plan import PlannedAnalysis
from counterpulse.report.chapters.review.edit_words import edits_told
from counterpulse.report.chapters.review.other_methods_words import bayesian_runs, network_runs, sequential_runs
from counterpulse.report.chapters.review.pooled_words import pooled_runs, regression_runs
from counterpulse.report.chapters.review.synthesis import BAYESIAN, NETWORK, POOLED, SEQUENTIAL
from counterpulse.report.chapters.speech import Speech, listed, paragraph
from counterpulse.report.chapters.wording import inside, quoted, sentence
from counterpulse.report.document import Paragraph, Run

TOLD: Mapping[str, Callable[[Speech, PlannedAnalysis], Iterator[Run | str]]] = {
    POOLED: pooled_runs, BAYESIAN: bayesian_runs, SEQUENTIAL: sequential_runs, NETWORK: network_runs,
}  # fmt: skip


def analysis_paragraphs(speech: Speech) -> list[Paragraph]:
    """A paragraph for each planned analysis that is no edit of another, then one for the edits."""
    own = [item for item in speech.plan.analyses if item.of is None or item.options.get("moderators")]
    first: dict[str, PlannedAnalysis] = {}
    again: dict[str, list[PlannedAnalysis]] = {}
    for item in own:
        known = first.setdefault(_how(item), item)
        again.setdefault(known.id, []).extend([] if known is item else [item])
    found = [
        paragraph(*analysis_runs(speech, item), *_kept(speech, item), *_alike(speech, item, again[item.id]))
        for item in first.values()
    ]
    edits = list(edits_told(speech, [item for item in speech.plan.analyses if item not in own]))
    return [*found, *([paragraph(*edits)] if edits else [])]


def _how(item: PlannedAnalysis) -> str:
    """What analyses share that differ in their outcome alone."""
    return repr((item.method, sorted(item.options.items(), key=str), item.keep, item.role == "primary"))


def _alike(speech: Speech, first: PlannedAnalysis, others: Sequence[PlannedAnalysis]) -> Iterator[str]:
    """Further outcomes that are analyzed in the same way."""
    if others:
        names = [f"{speech.outcomes(item)} ({item.id}; {listed(list(item.measures))})" for item in others]
        comma = ";" if any("," in name for name in names) else ","
        verb = speech.was if len(others) == 1 else speech.were
        yield f"{sentence(listed(names, comma))} {verb} analyzed in the same way as {first.id}."


def analysis_runs(speech: Speech, item: PlannedAnalysis) -> Iterator[Run | str]:
    """The method of one analysis in sentences."""
    told = regression_runs if item.options.get("moderators") else TOLD[item.method]
    return told(speech, item)


def _kept(speech: Speech, item: PlannedAnalysis) -> Iterator[str]:
    if item.keep is not None:
        yield f"Only rows of the extraction table for which the rule {quoted(item.keep)} holds {speech.were} used."


def subgroup_paragraph(speech: Speech) -> Paragraph | None:
    """By what studies are grouped, and how the groups are compared."""
    planned = speech.plan.subgroups
    if planned is None:
        return None
    names = listed([_cut(speech, item.variable, item.cuts) for item in planned.by])
    return paragraph(
        f"Studies of {planned.of} {speech.either('were also', 'will also be')} pooled in subgroups by {names}, each with its own variance between studies.",
        speech.run(
            f"One test of a difference between the groups {speech.was} made for each variable.", "borenstein-2013"
        ),
        "Groups of studies are not formed by chance: such a difference is an association across studies and may have other reasons.",
    )


def _cut(speech: Speech, name: str, cuts: Sequence[float]) -> str:
    variable = speech.plan.variables.get(name)
    unit = f" {variable.unit}" if variable is not None and variable.unit else ""
    return speech.variable(name) + (f" (cut at {listed([speech.number(cut) for cut in cuts])}{unit})" if cuts else "")


def multiverse_paragraph(speech: Speech) -> Paragraph | None:
    """The effect under every combination of choices."""
    planned = speech.plan.robustness.multiverse
    if planned is None or not planned.specifications:
        return None
    names = listed(
        [sentence(name).lower() if name.isupper() else inside(name) for name in planned.specifications[0].choices]
    )
    return paragraph(
        speech.run(
            f"{planned.of} {speech.was} repeated under all {len(planned.specifications)} combinations of these choices, as a specification curve: {names}. "
            "The combinations are analyses of the same studies; no test is made of them.",
            "simonsohn-2020", "steegen-2016",
        )
    )  # fmt: skip

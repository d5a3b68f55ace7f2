"""Limitations of a review, worked out from what its studies printed and what its syntheses found."""

from __future__ import annotations

from collections.abc import Iterator
from math import isfinite

from counterpulse.protocol.nodes import Registration
from counterpulse.protocol.planned_review import effects_of
from counterpulse.report import numbers
from counterpulse.report.chapters.context import Context
from counterpulse.report.chapters.limitations.design_limitations import Limitation
from counterpulse.report.chapters.review.certainty import LEVELS, certainty_of
from counterpulse.report.chapters.review.included import AT_RISK, OVERALL
from counterpulse.report.chapters.review.numerals import I2, crosses_null, limits, share, studies_words
from counterpulse.report.chapters.review.synthesis import (
    NETWORK,
    POOLED,
    Synthesis,
    blocks_of_analysis,
    is_regression,
    review_block,
    studies_of,
    syntheses,
)
from counterpulse.report.chapters.speech import listed
from counterpulse.report.chapters.wording import inside
from counterpulse.results import Cell

FEW, ENOUGH = 5, 10
CONSIDERABLE = 0.75
"""I-squared from which heterogeneity is called considerable (Cochrane Handbook, 10.10.2)."""
RANDOMIZED = ("random", "rct", "trial")
NONRANDOMIZED = (
    "cohort",
    "nonrandom",
    "non-random",
    "case-control",
    "registry",
    "observational",
    "retrospective",
    "single-arm",
)
MOST_NAMED = 6
OVERLAP = "W854"
Row = dict[str, Cell]


def review_limitations(context: Context) -> Iterator[Limitation]:
    """Those that apply: of how the review was done, of its studies, of its syntheses."""
    yield from _kind(context)
    yield from _registration(context)
    yield from _search(context)
    yield from _extraction(context)
    yield from _quotes(context)
    yield from _missing(context)
    yield from _converted(context)
    yield from _overlap(context)
    yield from _designs(context)
    yield from _bias(context)
    yield from _few(context)
    for item in _main(context):
        yield from _of_synthesis(context, item)
    yield from _asymmetry(context)
    yield from _regressions(context)
    yield from _subgroups(context)
    yield from _networks(context)
    yield from _certainty(context)


def _kind(context: Context) -> Iterator[Limitation]:
    if context.result.data_kind != "real":
        yield Limitation("Data", "The numbers are not those of published studies: nothing here describes a treatment.")


def _registration(context: Context) -> Iterator[Limitation]:
    if not isinstance(context.plan.protocol.study.registration, Registration):
        yield Limitation(
            "Registration",
            "The review was not registered. Choices of studies, outcomes and methods may have been made knowing the results.",
        )
    late = [item.id for item in context.plan.analyses if item.planned == "after-data"]
    if late:
        yield Limitation(
            "Planned late",
            f"{listed(late)} {'were' if len(late) > 1 else 'was'} planned after the results had been seen.",
        )


def _search(context: Context) -> Iterator[Limitation]:
    nodes = context.plan.protocol
    if nodes.screening is None:
        yield Limitation(
            "Selection",
            "The protocol gives no numbers of records and reports, so how studies were selected cannot be followed.",
        )
    if nodes.question is not None and not nodes.question.search:
        yield Limitation("Search", "The sources and the dates of the search are not in the protocol.")


def _rows(context: Context) -> list[Row]:
    block = review_block(context, "effect-sizes")
    return block.rows() if block is not None else []


def _extraction(context: Context) -> Iterator[Limitation]:
    if effects_of(context.plan.protocol).second_extraction is None:
        yield Limitation(
            "Single extraction", "Nobody extracted the numbers a second time; errors of extraction cannot be ruled out."
        )
    open_ = review_block(context, "discrepancy")
    left = [row for row in open_.rows() if row["used"] in (None, row["first"])] if open_ is not None else []
    if left:
        places = "entry" if len(left) == 1 else "entries"
        yield Limitation(
            "Differences between extractors",
            f"The extractors differ in {len(left)} {places}; the first extraction was used where nothing else is said.",
        )


def _quotes(context: Context) -> Iterator[Limitation]:
    used = [row for row in _rows(context) if row["used"] != "no"]
    for name, subject, words in (
        ("source", "Places", "the place in the report"),
        ("quote", "Quotes", "the quoted text of the report"),
    ):
        lacking = [row for row in used if not row[name]]
        if used and lacking:
            count = "every effect" if len(lacking) == len(used) else f"{len(lacking)} of {len(used)} effects"
            yield Limitation(
                subject,
                f"For {count}, {words} is not in the extraction table, so the numbers cannot be checked from here.",
            )


def _missing(context: Context) -> Iterator[Limitation]:
    unused = [row for row in _rows(context) if row["used"] == "no"]
    if unused:
        names = list(dict.fromkeys(str(row["study"]) for row in unused))
        shown = (
            listed(names[:MOST_NAMED])
            if len(names) <= MOST_NAMED
            else f"{', '.join(names[:MOST_NAMED])}, and {len(names) - MOST_NAMED} more"
        )
        yield Limitation(
            "Effects not available",
            f"{len(unused)} row{'' if len(unused) == 1 else 's'} of the extraction table gave no effect ({shown}). If such results are missing because of what they show, the pooled effects are biased.",
        )


def _converted(context: Context) -> Iterator[Limitation]:
    asis = [item.source for item in effects_of(context.plan.protocol).convert if item.as_it_is]
    if asis:
        yield Limitation(
            "Measures taken as they are",
            f"A {' and a '.join(asis)} was pooled as if it were the measure of the review. They differ the more, the more common the event is and the "
            "longer the follow-up.",
        )
    noted = [row for row in _rows(context) if row["used"] != "no" and row["note"]]
    if noted:
        names = list(dict.fromkeys(str(row["study"]) for row in noted))
        shown = listed(names) if len(names) <= MOST_NAMED else f"{len(names)} studies"
        yield Limitation(
            "Assumptions in effects",
            f"The effect of {shown} rests on an assumption or a conversion, which stands under the table of extracted numbers.",
        )


def _overlap(context: Context) -> Iterator[Limitation]:
    overlap = context.plan.protocol.overlap
    kept = overlap is not None and overlap.keep == "all"
    told = any(notice.code == OVERLAP for notice in context.result.warnings)
    if kept or told:
        yield Limitation(
            "Overlap",
            "Studies that share patients are all counted; patients who count more than once make intervals too narrow.",
        )


def _designs(context: Context) -> Iterator[Limitation]:
    designs = [str(row["design"]).casefold() for row in _rows(context) if row["used"] != "no" and row["design"]]
    other = [
        design
        for design in designs
        if any(word in design for word in NONRANDOMIZED) or not any(word in design for word in RANDOMIZED)
    ]
    if other:
        mixed = ". Randomized and other designs are pooled together" if len(other) < len(designs) else ""
        yield Limitation(
            "Nonrandomized studies",
            f"{len(other)} of {len(designs)} effects come from studies in which nobody was assigned by chance{mixed}. Pooling makes such effects more "
            "precise, and confounding stays.",
        )


def _bias(context: Context) -> Iterator[Limitation]:
    block = review_block(context, "risk-of-bias")
    if block is None:
        yield Limitation("Risk of bias", "The risk of bias of the studies was not judged.")
        return
    overall = {str(row["study"]): str(row["level"]) for row in block.rows() if row["domain"] == OVERALL}
    high = [study for study, level in overall.items() if level in AT_RISK]
    if high:
        shown = listed(high) if len(high) <= MOST_NAMED else f"{len(high)} studies"
        yield Limitation(
            "Risk of bias",
            f"{shown} {'was' if len(high) == 1 else 'were'} judged at high risk of bias, of {len(overall)} studies.",
        )


# -- syntheses ---------------------------------------------------------------------------------------------------------


def _main(context: Context) -> list[Synthesis]:
    """The first pooled analysis of each outcome."""
    found: dict[str, Synthesis] = {}
    for item in syntheses(context):
        if item.record.method == POOLED and item.record.role != "sensitivity":
            found.setdefault(item.outcome, item)
    return list(found.values())


def _few(context: Context) -> Iterator[Limitation]:
    """Outcomes of one study, and of so few that their variance is hardly known, each said once."""
    found = [(item.studies or 0, inside(context.outcome_label(item.outcome))) for item in _main(context)]
    alone = [label for k, label in found if k == 1]
    if alone:
        yield Limitation("One study", f"One study each was found for {listed(alone)}: nothing is pooled there.")
    several = [(k, label) for k, label in found if 1 < k < FEW]
    if several:
        counted = listed([f"{label} ({studies_words(k, context.style)})" for k, label in several])
        yield Limitation(
            "Few studies",
            f"The variance between studies is hardly known for {counted}, and intervals rest on the method chosen for it.",
        )


def _of_synthesis(context: Context, item: Synthesis) -> Iterator[Limitation]:
    label = inside(context.outcome_label(item.outcome))
    row = item.share
    if row is not None and isfinite(row.estimate.value) and row.estimate.value >= CONSIDERABLE:
        yield Limitation(
            "Heterogeneity",
            f"The effects on {label} differ considerably between studies ({I2} {share(context, row, sign='%')}). The pooled effect is a mean of effects that are not "
            "the same, and may be that of no real population.",
            ("higgins-thompson-2002",),
        )
    if (
        item.prediction is not None
        and crosses_null(context, item.prediction)
        and not crosses_null(context, item.effect)
    ):
        yield Limitation(
            "A new study",
            f"The prediction interval for {label} ({limits(context, item.prediction, like=item.effect)}) includes no effect, which the confidence interval of the mean does not.",
            ("int-hout-2014",),
        )


def _asymmetry(context: Context) -> Iterator[Limitation]:
    few, none = [], []
    for item in _main(context):
        tests = blocks_of_analysis(context, item.record.id, "small-study-test")
        tested = any(f".{item.outcome}." in block.id for block in tests)
        if item.studies is not None and item.studies < ENOUGH:
            few.append(f"{inside(context.outcome_label(item.outcome))} ({studies_words(item.studies, context.style)})")
        elif not tested:
            none.append(item)
    if few:
        yield Limitation(
            "Small-study effects",
            f"No test can tell whether small or unpublished studies differ for {listed(few)}.",
            ("sterne-2011",),
        )
    if none:
        yield Limitation(
            "Small-study effects",
            f"No test of small-study effects was planned for {listed([inside(context.outcome_label(item.outcome)) for item in none])}.",
        )


def _regressions(context: Context) -> Iterator[Limitation]:
    for record in context.result.analyses:
        if not is_regression(context, record.id):
            continue
        for outcome in dict.fromkeys(row.outcome for row in context.rows(record.id)):
            k = studies_of(context, record.id, outcome)
            slopes = sum(row.outcome == outcome and row.role != "covariate" for row in context.rows(record.id))
            few = (
                f"{numbers.count(k, context.style)} studies for {slopes} coefficient{'' if slopes == 1 else 's'} are few. "
                if k is not None and k < ENOUGH * slopes
                else ""
            )
            yield Limitation(
                "Meta-regression",
                f"{record.id}: {few}Associations across studies may differ from those within them (ecological bias).",
                ("thompson-sharp-1999",),
            )


def _subgroups(context: Context) -> Iterator[Limitation]:
    if context.plan.subgroups is not None:
        yield Limitation(
            "Subgroups",
            "Groups of studies are compared across studies: other features that differ between the groups may explain a difference, and the tests have little power.",
        )


def _networks(context: Context) -> Iterator[Limitation]:
    if any(record.method == NETWORK for record in context.result.analyses):
        yield Limitation(
            "Network",
            "Indirect comparisons hold only if studies of different comparisons are alike in what modifies the effect (transitivity); a test of inconsistency "
            "with a large P value does not show that they are.",
            ("higgins-2012",),
        )


def _certainty(context: Context) -> Iterator[Limitation]:
    if context.plan.protocol.certainty is None:
        yield Limitation("Certainty", "The certainty of the evidence was not rated.")
        return
    waiting = [
        inside(context.outcome_label(name))
        for name in context.plan.outcomes
        if (level := certainty_of(context, name)) is not None and level not in LEVELS
    ]
    if waiting:
        yield Limitation(
            "Certainty",
            f"The certainty of the evidence for {listed(waiting)} waits for the judgments of the reviewers.",
        )

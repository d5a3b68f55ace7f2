"""What was done to see how firmly the conclusions stand, in the words of the methods section."""

from __future__ import annotations

from collections.abc import Iterator

from counterpulse.protocol.plan import PlannedConfounder, PlannedMultiverse
from counterpulse.report.chapters.speech import Speech, listed, paragraph, spelled
from counterpulse.report.document import Paragraph, Run

MOST_NAMED = 4
"""Analyses that are named; more are counted."""


def robustness_paragraph(speech: Speech) -> Paragraph | None:
    """E-values, naive comparisons, negative controls, an unmeasured confounder, shifted imputations, all combinations of choices."""
    runs = [*_e_values(speech), *_naive(speech), *_controls(speech)]
    planned = speech.plan.robustness
    if planned.confounder is not None:
        runs += _confounder(speech, planned.confounder)
    runs += _shifts(speech)
    if planned.multiverse is not None:
        runs += _multiverse(speech, planned.multiverse)
    return paragraph(*runs) if runs else None


def _e_values(speech: Speech) -> Iterator[Run]:
    adjusted = [
        item
        for item in speech.plan.analyses
        if item.role in ("primary", "secondary") and (item.adjusted or item.balancing is not None)
    ]
    if speech.plan.robustness.e_values and adjusted:
        yield speech.run(
            f"How strong unmeasured confounding would have to be to explain an adjusted effect {speech.was} expressed as an E-value, of "
            f"the estimate and of the confidence limit nearer to no effect. Odds and hazard ratios {speech.were} taken as risk ratios where "
            "fewer than 15% of the patients analyzed had the event (of a time to an event by the end of follow-up, by the Kaplan-Meier "
            "method), and converted to risk ratios otherwise.",
            "vanderweele-ding-2017",
        )


def _naive(speech: Speech) -> Iterator[Run]:
    """That answers under several plans for immortal time stand side by side, and which were computed for that only."""
    written = {item.id: item for item in speech.plan.analyses}
    pairs = [(item, written[item.of]) for item in speech.plan.analyses if item.of in written]
    naive = speech.plan.robustness.naive
    if not naive and all((one.maker, one.landmarks) == (of.maker, of.landmarks) for one, of in pairs):
        return
    yield Run(
        f"Answers to one question under different plans for immortal time {speech.were} set side by side, with the patients and the "
        "person-time that each leaves out."
    )
    if naive:
        repeated = list(dict.fromkeys(str(item.of) for item in naive))
        verb = speech.was if len(repeated) == 1 else speech.were
        own = listed(repeated) if len(repeated) <= MOST_NAMED else f"{spelled(len(repeated))} analyses"
        yield Run(f"For comparison only, {own} {verb} repeated without a plan for immortal time.")


def _controls(speech: Speech) -> Iterator[Run]:
    controls = speech.plan.robustness.negative_controls
    if controls:
        names = listed([speech.outcomes(item) for item in controls])
        yield speech.run(
            f"{controls[0].of} {speech.was} repeated on {names}, which the treatment cannot change (negative control); what it found there "
            f"{speech.was} taken off the effect on the scale of estimation.",
            "lipsitch-2010", "schuemie-2014",
        )  # fmt: skip


def _confounder(speech: Speech, planned: PlannedConfounder) -> Iterator[Run]:
    if len(planned.effect[0]) == 1:
        yield speech.run(
            f"The effect of {planned.of} {speech.was} adjusted for an unmeasured binary confounder ({planned.label}) of assumed prevalence "
            "and effect, by the method of Schlesselman, and bounded by that of Ding and VanderWeele.",
            "schlesselman-1978", "ding-vanderweele-2016",
        )  # fmt: skip
    else:
        yield speech.run(
            f"In a probabilistic bias analysis the effect of {planned.of} {speech.was} adjusted for an unmeasured binary confounder "
            f"({planned.label}) whose prevalences and effect {speech.were} drawn 100,000 times from the ranges of the protocol.",
            "lash-2009",
        )


def _shifts(speech: Speech) -> Iterator[Run]:
    """Analyses that shift what they impute; an edit that does stands among the sensitivity analyses."""
    shifted = [item for item in speech.plan.analyses if item.shifts and item.of is None]
    if shifted:
        names = listed(
            list(dict.fromkeys(speech.variable(shift.variable) for item in shifted for shift in item.shifts))
        )
        yield speech.run(
            f"To find where the conclusion of {listed([item.id for item in shifted])} would change, imputed values of {names} "
            f"{speech.were} shifted (tipping-point analysis).",
            "campbell-2011",
        )


def _multiverse(speech: Speech, planned: PlannedMultiverse) -> Iterator[Run]:
    choices = list(planned.specifications[0].choices) if planned.specifications else []
    yield speech.run(
        f"{planned.of} {speech.was} repeated under all {len(planned.specifications)} combinations of these choices, as a specification "
        f"curve: {'; '.join(choices)}. The combinations are analyses of the same patients; no test is made of them.",
        "simonsohn-2020", "steegen-2016",
    )  # fmt: skip

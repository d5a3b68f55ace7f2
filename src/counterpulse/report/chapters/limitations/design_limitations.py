"""Limitations that follow from how a study was planned; each says what it means for reading the estimates."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from counterpulse.data.terms import variables_of
from counterpulse.protocol.plan import PlannedAnalysis
from counterpulse.report.chapters.blocks.block_tables import known, number_text
from counterpulse.report.chapters.context import Context
from counterpulse.report.chapters.methods.estimand_words import compares_groups
from counterpulse.report.chapters.speech import listed, spelled
from counterpulse.report.chapters.wording import sentence
from counterpulse.report.measures import measure_of
from counterpulse.results import Cell

OBSERVATIONAL = ("cohort", "case-control", "single-arm")


@dataclass(frozen=True, slots=True)
class Limitation:
    """One limitation: its subject, what it means, the works behind it."""

    subject: str
    words: str
    works: tuple[str, ...] = ()


def design_limitations(context: Context) -> Iterator[Limitation]:
    """Those that the plan alone brings."""
    yield from _kind(context)
    yield from _sampled(context)
    yield from _when_planned(context)
    yield from _confounding(context)
    yield from _immortal_time(context)
    yield from _follow_up(context)
    yield from _centers(context)
    yield from _selection(context)
    yield from _multiplicity(context)
    yield from _subgroups(context)
    yield from _survivors(context)


def _kind(context: Context) -> Iterator[Limitation]:
    if context.result.data_kind != "real":
        words = {
            "mock": "were made up to rehearse the study",
            "synthetic": "were generated",
            "simulated": "come from a simulation",
        }
        yield Limitation(
            "Data", f"The patients {words[context.result.data_kind]}: no number here describes a treatment."
        )


def _sampled(context: Context) -> Iterator[Limitation]:
    """What the choice of patients by their outcome leaves to be estimated."""
    if context.sampled_by_outcome:
        yield Limitation(
            "Choice by outcome",
            "Patients entered because they had the outcome or because they had not: how often it occurs cannot be told from them, "
            "and the events of a group are no measure of its risk.",
        )


def _run(context: Context) -> list[PlannedAnalysis]:
    """The planned analyses that were run."""
    return [item for item in context.plan.analyses if context.record(item.id) is not None]


def _primary(context: Context) -> PlannedAnalysis | None:
    """The primary analysis, if it was run."""
    return next((item for item in _run(context) if item is context.plan.primary), None)


def _used(item: PlannedAnalysis) -> set[str]:
    """Every variable of an analysis, also of its strata."""
    strata = item.options.get("strata") or ()
    return {name for term in item.every_term for name in variables_of(term)} | set(
        strata if isinstance(strata, tuple) else ()
    )


def _when_planned(context: Context) -> Iterator[Limitation]:
    study, amendments = context.plan.protocol.study, context.plan.protocol.amendments
    if study.registration == "none":
        yield Limitation(
            "Registration",
            "This study was not registered, so readers cannot check in a public record that outcomes and analyses were chosen "
            "before the results were known.",
        )
    ran = _run(context)
    late = [item.id for item in ran if item.planned == "after-data"]
    if late:
        every = "All analyses" if len(late) == len(ran) else f"{listed(late)}"
        verb = "was" if len(late) == 1 and every != "All analyses" else "were"
        yield Limitation(
            "Unplanned analyses",
            f"{every} {verb} planned after the data had been seen. What such analyses show was partly looked for: their P values "
            "are too small and their effects are likely too large.",
        )
    elif study.data_seen_before_plan:
        yield Limitation(
            "Data seen before the plan",
            "The protocol does not state that outcomes were unseen when it was written; the choice of analyses may have followed "
            "the data.",
        )
    seen = [item.id or item.date for item in amendments if item.after_data_seen]
    if seen:
        several = "Amendments" if len(seen) > 1 else "Amendment"
        yield Limitation(
            "Amendments",
            f"{several} {listed(seen)} {'were' if len(seen) > 1 else 'was'} made after outcomes had been seen; what was "
            "changed is to be read as unplanned.",
        )


def _confounding(context: Context) -> Iterator[Limitation]:
    groups = context.plan.protocol.groups
    if not context.plan.groups or (groups is not None and groups.assigned_by == "randomization"):
        return
    if context.plan.protocol.study.design not in OBSERVATIONAL:
        return
    primary = _primary(context)
    if primary is not None and not (primary.adjusted or primary.balancing is not None):
        adjusted = "The primary analysis is not adjusted for differences between the groups"
    elif any(item.adjusted or item.balancing is not None for item in _run(context)):
        adjusted = "Adjustment covers only the covariates named in the methods"
    else:
        adjusted = "No analysis is adjusted for differences between the groups"
    yield Limitation(
        "Confounding",
        f"Treatment was chosen by clinicians, not by chance. {adjusted}; factors that guided this choice and were not measured may "
        f"explain part or all of an estimate. {_e_value(context, primary)}",
        ("vanderweele-ding-2017",),
    )


def _e_value(context: Context, primary: PlannedAnalysis | None) -> str:
    """How strong confounding would have to be to explain the primary effect; where that stands, or that it does not."""
    blocks = [block for block in context.result.blocks if block.kind == "e-value"]
    rows = [row for block in blocks for row in block.rows()]
    estimates = {row.id: row for row in context.result.estimates if primary is not None and row.analysis == primary.id}
    first = next((row for row in rows if str(row["of"]) in estimates and known(row["e_value"]) is not None), None)
    if first is None:
        where = "stands under robustness" if blocks else "was not computed"
        return f"How strong they would have to be (the E-value) {where}."
    estimate, limit = estimates[str(first["of"])], known(first["e_value_limit"])
    level, value = context.level_name(estimate), number_text(context, first["e_value"], 2)
    words = (
        f"To explain the {measure_of(str(first['measure'])).words} of {estimate.analysis}, they would have to go with treatment and outcome "
        f"by risk ratios of {value} each (the E-value), beyond the covariates"
    )
    if limit is None:
        return f"{words}."
    if limit <= 1:
        return f"{words}; the {level} includes equality without them."
    return f"{words}; {number_text(context, limit, 2)} each would move the {level} to equality."


def _immortal_time(context: Context) -> Iterator[Limitation]:
    """What the sample of the primary analysis does with the time before treatment."""
    primary, exposure = _primary(context), context.plan.protocol.exposure
    if primary is None or exposure is None:
        return
    if primary.maker == "as observed":
        unknown = " because the start of treatment was not recorded" if exposure.timing == "unknown" else ""
        beside = any(block.kind == "immortal-time" for block in context.result.blocks)
        amount = (
            "an amount that the answers beside it suggest" if beside else "an amount that the analysis does not show"
        )
        yield Limitation(
            "Immortal time",
            "Patients had to survive until treatment to count as treated, and this immortal time was not removed from the primary "
            f"analysis{unknown}. The estimate favors the treated for this reason, by {amount}.",
            ("suissa-2008",),
        )
    elif primary.maker == "time-varying":
        yield Limitation(
            "Time-varying treatment",
            "Patients are compared by the treatment they had had so far. What led to treatment during follow-up may itself predict "
            "the outcome; covariates measured at time zero do not adjust for that.",
        )
    elif primary.maker == "clone-censor-weight":
        yield Limitation(
            "Cloned patients",
            "Each patient was followed under both strategies and censored when leaving one. The weights against this censoring rest on the "
            "measured covariates: what else led to treatment, or kept it back, biases the comparison.",
            ("hernan-2018",),
        )
    elif primary.maker == "sequential-trials":
        yield Limitation(
            "Nested trials",
            "Patients entered one trial after another for as long as they were eligible. In each, the untreated may be treated later, "
            "and what led to treatment is adjusted for only as far as it was measured.",
            ("hernan-2008",),
        )
    elif primary.landmarks:
        yield Limitation("Landmark", _landmark(context, primary))
    yield from _naive(context, primary)


def _naive(context: Context, primary: PlannedAnalysis) -> Iterator[Limitation]:
    """Other analyses that leave immortal time in, where that of the primary one is removed."""
    if primary.maker == "as observed":
        return
    found = [
        item.id
        for item in _run(context)
        if item.maker == "as observed" and compares_groups(context.plan, item) and item is not primary
    ]
    if found:
        leave, their = ("leave", "their estimates favor") if len(found) > 1 else ("leaves", "its estimate favors")
        yield Limitation(
            "Immortal time",
            f"{listed(found)} {leave} immortal time in the comparison: {their} the treated for this reason.",
            ("suissa-2008",),
        )


def _landmark(context: Context, primary: PlannedAnalysis) -> str:
    found = context.result.details.get(primary.id, {})
    outcome = primary.outcomes[0] if primary.outcomes else ""
    removed, later = (_shown(context, found.get(f"{outcome}.{key}")) for key in ("removed", "reclassified"))
    who = f"{removed} patients" if removed else "patients"
    marks = listed([str(mark) for mark in primary.landmarks])
    words = (
        f"The primary analysis leaves out {who} who died or left follow-up within {marks} of time zero; its estimates say nothing "
        "of them."
    )
    if found.get(f"{outcome}.removed") == 0:
        words = (
            f"Nobody died or left follow-up within {marks} of time zero, so no patient was left out at the landmark."
        )
    if later:
        words += f" {'Another ' if removed else ''}{later} patients treated later count as untreated, which draws the groups together."
    return words


def _shown(context: Context, value: Cell) -> str:
    """A count above zero that may be shown."""
    small = context.plan.protocol.privacy.small_cells
    shown = isinstance(value, int | float) and value > 0 and value >= small
    return context.count(int(value)) if shown and isinstance(value, int | float) else ""


def _follow_up(context: Context) -> Iterator[Limitation]:
    follow_up = context.plan.protocol.follow_up
    words = {
        "alive": "Patients discharged alive were taken to be alive until the end of follow-up; deaths after discharge that nobody "
        "recorded make survival look better than it was.",
        "censored": "Patients were censored at discharge, as if those discharged had the same further risk as those who stayed; "
        "risks at later times may be too high.",
    }.get((follow_up.after_discharge if follow_up else None) or "")
    if words and any(outcome.kind == "time-to-event" for outcome in context.plan.outcomes.values()):
        yield Limitation("Follow-up after discharge", words)


def _centers(context: Context) -> Iterator[Limitation]:
    primary, site = _primary(context), context.plan.protocol.data.site
    if site is None:
        yield Limitation(
            "Centers",
            "The data name no centers: differences between centers could not be examined, and whether the results carry over to "
            "other centers cannot be judged from them.",
        )
    elif primary is not None and primary.clusters is None and site not in _used(primary):
        yield Limitation(
            "Centers",
            "Patients of one center resemble each other, and the primary analysis makes no allowance for it; its interval may be "
            "too narrow.",
        )


def _selection(context: Context) -> Iterator[Limitation]:
    found = [
        item.id
        for item in _run(context)
        if item.selection is not None or any(model.selection is not None for model in item.models)
    ]
    if found:
        yield Limitation(
            "Selected covariates",
            f"Covariates of {listed(found)} were selected by looking at the outcome: intervals that take no account of this are too "
            "narrow, P values too small, and another sample would likely select others.",
            ("heinze-2018",),
        )


def _multiplicity(context: Context) -> Iterator[Limitation]:
    others = [item for item in _run(context) if item.role == "secondary" and item.multiplicity == "none"]
    if len(others) > 1:
        yield Limitation(
            "Several analyses",
            f"{sentence(spelled(len(others)))} secondary analyses were made without adjustment for multiplicity; some of their "
            "intervals may exclude equality by chance alone.",
        )


def _subgroups(context: Context) -> Iterator[Limitation]:
    planned = context.plan.subgroups
    if planned is not None and context.record(planned.of) is not None:
        several = f"{spelled(len(planned.by))} subgroup variables" if len(planned.by) > 1 else "a subgroup variable"
        yield Limitation(
            "Subgroups",
            f"Effects by {several} are exploratory. Strata are smaller than the study: differences between them are estimated "
            "imprecisely, and some appear by chance.",
            ("wang-2007",),
        )


def _survivors(context: Context) -> Iterator[Limitation]:
    found = [
        outcome.label
        for outcome in context.plan.outcomes.values()
        if outcome.truncation is not None and outcome.truncation.plan == "survivors-only"
    ]
    if found:
        yield Limitation(
            "Survivors only",
            f"{listed(found)} compares survivors only. If treatment affects survival, the survivors of the groups differ for that "
            "reason, and the comparison is a description, not an effect.",
            ("rubin-2006",),
        )

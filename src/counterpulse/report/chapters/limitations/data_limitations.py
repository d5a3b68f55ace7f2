"""Limitations that the data brought: missing values, few events, few clusters, assumptions that do not hold, what failed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from counterpulse.report import numbers
from counterpulse.report.chapters.context import Context
from counterpulse.report.chapters.limitations.design_limitations import Limitation
from counterpulse.report.chapters.results.models import counts
from counterpulse.report.chapters.speech import listed
from counterpulse.report.chapters.wording import inside
from counterpulse.report.measures import measure_of
from counterpulse.report.number_styles import EM_DASH
from counterpulse.results import Cell, EstimateRow, Status

FEW_EVENTS, FEW_CLUSTERS = 10, 40
CHECKS = {
    "proportional-hazards": (
        "Proportional hazards",
        "the hazard ratio is then an average over follow-up that depends on its length; read the curves and the restricted mean "
        "times beside it",
        "grambsch-therneau-1994",
    ),
    "proportional-odds": (
        "Proportional odds",
        "the odds ratio is then an average over the cuts of the outcome",
        "brant-1990",
    ),
}


def data_limitations(context: Context) -> Iterator[Limitation]:
    """Those that only the run could show."""
    yield from _not_run(context)
    yield from _missing(context)
    yield from _few_events(context)
    yield from _few_clusters(context)
    yield from _checks(context)
    yield from _failed(context)
    yield from _small_cells(context)


def _not_run(context: Context) -> Iterator[Limitation]:
    """Analyses that were planned and are not in the result."""
    ran = {record.id for record in context.result.analyses}
    gone = [item.id for item in context.plan.analyses if item.id not in ran]
    if gone:
        yield Limitation(
            "Analyses not run",
            f"{listed(gone)} {'were' if len(gone) > 1 else 'was'} planned and not run; a reader sees only a part of what was planned, "
            "and the part may have been chosen.",
        )


def _primary_row(context: Context) -> EstimateRow | None:
    primary = context.plan.primary
    if primary is None:
        return None
    rows = context.rows(primary.id)
    return next((row for row in rows if row.role == "primary" and row.subgroup is None and counts(context, row)), None)


def _missing(context: Context) -> Iterator[Limitation]:
    """How many patients the primary analysis lost to missing values, and what that assumes."""
    row = _primary_row(context)
    if row is None or row.n is None or row.n_missing is None or not row.n_missing:
        return
    lost, whole = row.n_missing, row.n + row.n_missing
    if context.count(lost) == EM_DASH:
        return
    share = numbers.percent(lost, whole, context.style).removesuffix("%")
    words = f"A missing value kept {context.count(lost)} of {context.count(whole)} patients ({share}%) out of the primary analysis."
    if context.printed(row):
        words += (
            " The estimate is unbiased only if, given the covariates, being complete does not depend on the outcome, and it is "
            "less precise than one from all patients."
        )
    yield Limitation("Missing values", words, ("white-carlin-2010",))


def _few_events(context: Context) -> Iterator[Limitation]:
    found: dict[str, float] = {}
    for block in context.result.blocks:
        if block.kind != "events-per-parameter":
            continue
        for line in block.rows():
            ratio, model = line["ratio"], str(line["model"] or "")
            if _number(ratio) and not model.startswith("screen") and float(str(ratio)) < FEW_EVENTS:
                name = str(line["analysis"])
                found[name] = min(float(str(ratio)), found.get(name, FEW_EVENTS))
    if found:
        said = [f"{name} ({numbers.number(ratio, 1, context.style)})" for name, ratio in found.items()]
        yield Limitation(
            "Few events",
            f"{_counted(context, found)} for each parameter were fewer than ten in {listed(said)}. Such models may be overfitted: coefficients tend "
            "to be too far from equality and intervals unreliable.",
            ("van-smeden-2016",),
        )


def _counted(context: Context, analyses: Iterable[str]) -> str:
    """What is counted for each parameter: events, or patients where the outcome is a number."""
    planned = [item for name in analyses if (item := context.planned(name)) is not None]
    kinds = {
        outcome.kind for item in planned for name in item.outcomes if (outcome := context.outcome(name)) is not None
    }
    events = kinds <= {"binary", "time-to-event"}
    return "The events" if events else "The events, or the patients where the outcome is a number,"


def _number(value: Cell) -> bool:
    return isinstance(value, int | float) and value == value


def _few_clusters(context: Context) -> Iterator[Limitation]:
    row = _primary_row(context)
    if row is None or row.clusters is None or row.clusters >= FEW_CLUSTERS:
        return
    shown = context.count(row.clusters)
    yield Limitation(
        "Few clusters",
        f"The primary analysis rests on {'few' if shown == EM_DASH else shown} clusters of patients; its standard error is itself "
        "uncertain.",
        ("pustejovsky-tipton-2018",),
    )


def _checks(context: Context) -> Iterator[Limitation]:
    """Assumptions whose test gave a P value below the type I error, for the treatment or for all variables together."""
    alpha = context.plan.protocol.alpha
    for kind, (subject, meaning, work) in CHECKS.items():
        doubted = []
        for block in context.result.blocks:
            if block.kind != kind:
                continue
            for line in block.rows():
                name, p = str(line["variable"]), line["p_value"]
                whole = name.upper() == "GLOBAL"
                if isinstance(p, float) and p < alpha and (whole or name == context.plan.group_variable):
                    who = "all variables together" if whole else "treatment"
                    doubted.append(f"{block.analysis} ({who}, {numbers.p_phrase(p, context.style)})")
        if doubted:
            yield Limitation(
                subject,
                f"The data speak against {inside(subject)} in {listed(list(dict.fromkeys(doubted)))}; {meaning}.",
                (work,),
            )


def _failed(context: Context) -> Iterator[Limitation]:
    """Effects that were planned and could not be estimated."""
    rows = [
        row
        for row in context.result.estimates
        if row.role != "covariate"
        and row.subgroup is None
        and not context.printed(row)
        and row.estimate.status is not Status.SMALL_CELL
        and context.compares_groups(row)
    ]
    if rows:
        found = dict.fromkeys(
            f"the {measure_of(row.estimate.measure).words} of {inside(context.outcome_label(row.outcome))} ({row.analysis})"
            for row in rows
        )
        verb = "These could" if len(found) > 1 else "This could"
        yield Limitation(
            "Effects not estimated",
            f"{verb} not be estimated: {listed(list(found))}; the reason stands under the table. The absence of an estimate is no "
            "evidence about the effect.",
        )


def _small_cells(context: Context) -> Iterator[Limitation]:
    least = context.plan.protocol.privacy.small_cells
    if any(notice.code == "W801" for notice in context.result.warnings):
        yield Limitation(
            "Small counts",
            f"Counts below {least}, and what they could be worked out from, are not shown; a dash stands for a number, not for zero.",
        )

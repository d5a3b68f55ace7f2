"""What holds for the whole statistical analysis: descriptions, subgroups, multiplicity, missing values, levels, software."""

from __future__ import annotations

from collections.abc import Iterator

from counterpulse.protocol.plan import PlannedSubgroup, PlannedTableOne
from counterpulse.report import numbers
from counterpulse.report.chapters.speech import Speech, listed, paragraph, spelled
from counterpulse.report.chapters.wording import quoted
from counterpulse.report.document import Paragraph, Run

NAMES = {"counterpulse": "Counterpulse", "numpy": "NumPy", "scipy": "SciPy", "polars": "Polars"}
QUARTILES = {
    "linear (type 7)": "linear interpolation (type 7)",
    "sas (type 2)": "the default definition of SAS (type 2)",
    "spss (type 6)": "the default definition of SPSS (type 6)",
}
SMD = {
    "pooled": "the pooled standard deviation",
    "treated": "the standard deviation of the treated",
    "reference": "the standard deviation of the reference group",
    "all": "the standard deviation of all patients",
}


def description_paragraph(speech: Speech) -> Paragraph | None:
    """Table 1 and what is described beside it."""
    planned, runs = speech.plan.table_one, []
    if planned is not None:
        runs += list(_table_one(speech, planned))
    runs += list(_beside(speech))
    return paragraph(*runs) if runs else None


def _table_one(speech: Speech, planned: PlannedTableOne) -> Iterator[Run]:
    kinds = set(planned.summaries.values()) or {"mean", "median"}
    mean, median = "means with standard deviations", "medians with quartiles"
    shown = {frozenset({"mean"}): mean, frozenset({"median"}): median}.get(frozenset(kinds), f"{mean} or {median}")
    yield Run(
        f"Baseline characteristics {speech.were} described as {shown} for continuous variables and as counts with percentages "
        "of the patients with a known value for categorical variables."
    )
    if shown != mean:
        yield speech.run(f"Quartiles {speech.were} computed by {_quartiles(planned.quartiles)}.", "hyndman-fan-1996")
    if planned.smd and speech.plan.groups:
        yield speech.run(
            f"The groups {speech.were} compared by standardized mean differences, the difference of means or proportions "
            f"divided by {SMD.get(planned.smd_denominator, SMD['pooled'])};",
            "austin-2009",
            "yang-dalton-2012",
        )
        yield Run(
            f"variables with several levels {speech.were} summarized by the multivariate form of this difference."
            if not planned.p_values
            else f"P values of baseline differences {speech.were} given as well, by the rule "
            f"{quoted(planned.rule)}; each test is named under the table."
        )
    if not planned.p_values and speech.plan.groups:
        yield Run(f"No test of baseline differences {speech.was} made.")


def _quartiles(name: str) -> str:
    return QUARTILES.get(name, f"the definition {quoted(name)}")


def _beside(speech: Speech) -> Iterator[Run]:
    node = speech.plan.protocol.describe
    made = {block.kind for block in speech.result.blocks} if speech.result is not None else set()
    if "distribution" in made or (node is not None and node.distributions):
        yield speech.run(
            f"Distributions {speech.were} drawn as histograms, with bins by the rule of Freedman and Diaconis.",
            "freedman-diaconis-1981",
        )
    if "missing-pattern" in made or (node is not None and node.missingness):
        yield Run(f"Missing values {speech.were} counted by variable, by group, and by pattern.")
    if "variance-inflation" in made or (node is not None and node.correlation):
        yield speech.run(
            f"Association among the covariates {speech.was} described by pairwise measures and generalized variance-inflation factors.",
            "fox-monette-1992",
        )
    if "center-funnel" in made or (node is not None and node.centers):
        outcome = f" of {speech.outcome(node.centers)}" if node is not None and node.centers else ""
        yield speech.run(
            f"Centers {speech.were} compared by a funnel plot{outcome}, without adjustment for case mix.",
            "spiegelhalter-2005",
        )


def subgroup_paragraph(speech: Speech) -> Paragraph | None:
    """Which subgroups, how interaction is tested, and how to read them."""
    planned = speech.plan.subgroups
    if planned is None:
        return None
    words = listed([_subgroup(speech, item) for item in planned.by], ";" if len(planned.by) > 2 else ",")
    how = (
        f"a model of its own {speech.was} fitted in each stratum"
        if planned.refit
        else f"the effect in each stratum {speech.was} a contrast of one model with the product of treatment and subgroup variable"
    )
    return paragraph(
        f"The effect in {planned.of} {speech.was} estimated in subgroups by {words}; {how}.",
        speech.run(
            f"One test of interaction {speech.was} made for each subgroup variable, and none within a stratum; variables that "
            f"{speech.are} cut {speech.were} tested as continuous as well where the model allows."
            if any(item.cuts for item in planned.by)
            else f"One test of interaction {speech.was} made for each subgroup variable, and none within a stratum.",
            "wang-2007",
        ),
        "Subgroup analyses are exploratory: they were not adjusted for multiplicity."
        if speech.tense == "past"
        else "Subgroup analyses are exploratory and will not be adjusted for multiplicity.",
    )


def _subgroup(speech: Speech, item: PlannedSubgroup) -> str:
    variable = speech.plan.variables.get(item.variable)
    label = speech.variable(item.variable)
    if item.cuts:
        unit = variable.unit if variable and variable.unit else ""
        unit = f" {unit}" if unit not in ("", "%") else unit
        return f"{label} (cut at {listed([speech.number(cut) for cut in item.cuts])}{unit})"
    return label


def multiplicity_runs(speech: Speech) -> Iterator[Run]:
    """Which P values are adjusted, and that the others are not."""
    adjusted = [item for item in speech.plan.analyses if item.multiplicity != "none"]
    for item in adjusted:
        several = f"the {spelled(len(item.outcomes))} outcomes" if len(item.outcomes) > 1 else "the outcome"
        choice = next((choice for choice in item.choices if choice.name == "multiplicity"), None)
        yield speech.run(
            f"P values of {several} of {item.id} {speech.were} adjusted by the method of {item.multiplicity.capitalize()}.",
            choice.reference if choice else None,
        )
    if len(speech.plan.analyses) > 1:
        others = "the other secondary analyses" if adjusted else "secondary analyses"
        yield Run(
            f"No adjustment for multiplicity {speech.is_} planned for {others}; their intervals and P values should not be "
            "used in place of hypothesis tests."
        )


def convention_paragraphs(speech: Speech) -> list[Paragraph]:
    """Sidedness, level, how P values are read, numbers at risk, rounding, software, seed."""
    multiplicity = paragraph(*multiplicity_runs(speech))
    alpha = speech.plan.protocol.alpha
    runs: list[Run | str] = [
        f"Tests {speech.were} two-sided with a type I error of {numbers.probability(alpha, speech.style)}, and intervals are "
        f"{speech.number(100 - numbers.hundredfold(alpha))}% confidence "
        "intervals.",
        speech.run(
            "Results are read by their estimates and intervals: a P value above this level is not taken as evidence that "
            "groups are alike.",
            "altman-bland-1995",
            "greenland-2016",
        ),
    ]
    if any(
        outcome.kind == "time-to-event"
        for item in speech.plan.analyses
        for name in item.outcomes
        if (outcome := speech.plan.outcomes.get(name))
    ):
        runs.append(
            speech.run(
                "Numbers at risk are the patients under observation just before each time.", "therneau-grambsch-2000"
            )
        )
    made = speech.result is not None and any(block.kind == "events-per-parameter" for block in speech.result.blocks)
    parameters = made or any(item.adjusted and (item.terms or item.models) for item in speech.plan.analyses)
    if parameters:
        runs.append(
            speech.run(
                f"The number of events for each parameter of a model {speech.was} counted as a warning sign, not as a rule.",
                "peduzzi-1996",
                "van-smeden-2016",
                "riley-2019",
            )
        )
    return [multiplicity, paragraph(*runs), _software(speech)]


def _software(speech: Speech) -> Paragraph:
    versions = speech.result.identity.software if speech.result is not None else {}
    named = [f"{NAMES.get(name, name)} {version}" for name, version in versions.items()]
    tool = named[0] if named else "Counterpulse"
    on = f" with {listed(named[1:])}" if named[1:] else ""
    seed = speech.result.identity.seed if speech.result is not None else speech.plan.protocol.seed
    drawn = f" Random numbers {speech.were} drawn with the seed {seed}." if seed is not None else ""
    return paragraph(
        f"Analyses {speech.were} carried out by {tool}{on} from the written protocol, without manual steps. Every choice is listed "
        f"with its origin in the supplement.{drawn}"
    )


def not_run_paragraph(speech: Speech) -> Paragraph | None:
    """Which of the analyses that are described were not carried out."""
    if speech.result is None:
        return None
    ran = {record.id for record in speech.result.analyses}
    gone = [item.id for item in speech.plan.analyses if item.id not in ran]
    return (
        paragraph(f"Of the analyses described here, {listed(gone)} {'were' if len(gone) > 1 else 'was'} not run.")
        if gone
        else None
    )

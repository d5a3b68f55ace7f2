"""Bayesian, sequential and network meta-analyses in the words of a methods section."""

from __future__ import annotations

from collections.abc import Iterator

from counterpulse.protocol.plan import PlannedAnalysis
from counterpulse.report.chapters.review.method_names import FUTILITY, SPENDING, TAU2
from counterpulse.report.chapters.review.pooled_words import effects_words, start
from counterpulse.report.chapters.speech import Speech, listed
from counterpulse.report.document import Run


def bayesian_runs(speech: Speech, item: PlannedAnalysis) -> Iterator[Run | str]:
    """Priors, posterior, and how far the result depends on the prior."""
    yield speech.run(
        f"{start(speech, item)}, {effects_words(item)} of the studies {speech.were} pooled in a Bayesian normal-normal hierarchical model, integrated "
        "numerically and not by simulation.",
        "rover-2020",
    )
    flat = str(item.options["effect_prior"]) == "flat"
    effect = (
        "an improper uniform prior" if flat else f"the prior {item.options['effect_prior']} on the scale of pooling"
    )
    yield speech.run(
        f"The standard deviation between studies (τ) had the prior {item.options['heterogeneity_prior']} and the effect {effect}." if speech.tense == "past"
        else f"The standard deviation between studies (τ) will have the prior {item.options['heterogeneity_prior']} and the effect {effect}.",
        "rover-2021",
    )  # fmt: skip
    kind = {"shortest": "shortest", "central": "equal-tailed"}[str(item.options["credible"])]
    yield f"Posterior medians {speech.are} given with {kind} credible intervals (CrI)."
    if item.options["below"] is not None:
        yield f"The probability of an effect below {speech.number(float(str(item.options['below'])))} {speech.was} computed."
    others = item.options["other_priors"]
    if isinstance(others, tuple) and others:
        yield f"To see how far the result depends on the prior, the analysis {speech.was} repeated with the priors {listed([str(other) for other in others])} for τ."


def sequential_runs(speech: Speech, item: PlannedAnalysis) -> Iterator[Run | str]:
    """The required information and the boundaries."""
    option = item.options
    yield speech.run(
        f"{start(speech, item)}, a sequential meta-analysis {speech.was} made, with studies in the order of {speech.variable(str(option['order']))}.",
        "wetterslev-2008", "jennison-turnbull-2000",
    )  # fmt: skip
    level = speech.number(round(100 * (1 - item.level), 6))
    looked = [
        f"a relative risk reduction of {speech.number(round(100 * float(str(option['relative_risk_reduction'])), 6))}%" if option["relative_risk_reduction"] is not None else "",
        f"a difference of {speech.number(float(str(option['difference'])))}" if option["difference"] is not None else "",
    ]  # fmt: skip
    power = speech.number(round(100 * float(str(option["power"])), 6))
    yield (
        f"The required information {speech.is_} the number of patients with which one trial would find {listed([part for part in looked if part])} with a "
        f"power of {power}% and a two-sided type I error of {level}%, enlarged for the diversity between the studies."
    )
    tau2 = str(option["tau2"])
    if tau2 in TAU2:
        yield speech.run(f"The variance between studies {speech.was} estimated by {TAU2[tau2][0]}.", TAU2[tau2][1])
    yield speech.run(
        f"The type I error {speech.was} spent by a function of {SPENDING[str(option['spending'])]}, and the interval allows for every look.",
        "lan-demets-1983",
    )
    if str(option["futility"]) in FUTILITY:
        yield f"{FUTILITY[str(option['futility'])]} boundaries of futility {speech.were} computed."


def network_runs(speech: Speech, item: PlannedAnalysis) -> Iterator[Run | str]:
    """The network, its ranking and its inconsistency."""
    option = item.options
    common = option["model"] == "common"
    yield speech.run(
        f"{start(speech, item)}, all treatments {speech.were} compared at once in a frequentist network meta-analysis by the graph-theoretical method, "
        "which combines direct and indirect evidence and takes the correlation of the arms of one study into account.",
        "rucker-2012", "rucker-schwarzer-2014",
    )  # fmt: skip
    if common:
        yield f"Effects {speech.were} taken as the same in all studies of a comparison."
    else:
        words, work = TAU2[str(option["tau2"])]
        yield speech.run(
            f"Effects were allowed to differ between studies, with one variance for all comparisons, which {speech.was} estimated by {words}."
            if speech.tense == "past"
            else f"Effects may differ between studies, with one variance for all comparisons, which will be estimated by {words}.",
            work,
        )
    if option["reference"] is not None:
        yield f"Treatments {speech.are} compared with {option['reference']}."
    yield speech.run(
        f"Treatments {speech.were} ranked by P-scores, which say nothing of how large a difference is.",
        "rucker-schwarzer-2015",
    )
    yield speech.run(
        f"Cochran's Q {speech.was} split into heterogeneity within designs and inconsistency between designs.",
        "krahn-2013",
    )
    if option["node_splitting"]:
        yield speech.run(f"Direct and indirect evidence {speech.were} compared by node splitting.", "dias-2010")

"""How effects were pooled, or related to moderators, in the words of a methods section."""

from __future__ import annotations

from collections.abc import Iterator

from counterpulse.protocol.plan import PlannedAnalysis
from counterpulse.report.chapters.review.method_names import (
    CONVENTIONS,
    GLMM,
    INTERVALS,
    MODELS,
    PREDICTED,
    PREDICTIONS,
    TAU2,
)
from counterpulse.report.chapters.review.small_study_words import small_study_run
from counterpulse.report.chapters.speech import Speech, listed
from counterpulse.report.document import Run


def start(speech: Speech, item: PlannedAnalysis) -> str:
    """How a sentence about an analysis begins."""
    primary = item.role == "primary" and any(speech.plan.outcomes[name].primary for name in item.outcomes)
    return f"For {'the primary outcome, ' if primary else ''}{speech.outcomes(item)} ({item.id})"


def effects_words(item: PlannedAnalysis) -> str:
    """What is pooled, in the plural."""
    return listed([f"{name}s" for name in item.measures]) if "ratio of means" not in item.measures else "effects"


def pooled_runs(speech: Speech, item: PlannedAnalysis) -> Iterator[Run | str]:
    """Model, variance between studies, intervals, and what is asked beside the effect."""
    model = str(item.options["model"])
    words, work = MODELS[model]
    glmm = f" {GLMM[str(item.options['glmm'])]}" if model == "generalized-linear" else ""
    yield speech.run(
        f"{start(speech, item)}, {effects_words(item)} of the studies {speech.were} pooled {words}{glmm}.", work
    )
    if item.options["convention"] != "none":
        yield f"The analysis {speech.either('followed', 'will follow')} {CONVENTIONS[str(item.options['convention'])]}."
    yield from _between(speech, item, model)
    yield from _intervals(speech, item, model)
    if item.role == "primary":
        yield speech.run(
            f"Heterogeneity {speech.is_} described by τ², by Cochran's Q test and by I², the share of the variability that differences "
            "between studies bring; no model was chosen by them." if speech.tense == "past" else
            "Heterogeneity will be described by τ², by Cochran's Q test and by I², the share of the variability that differences between "
            "studies bring; no model will be chosen by them.",
            "higgins-thompson-2002", "cochran-1954",
        )  # fmt: skip
    yield from _dependence(speech, item)
    yield from _explored(speech, item)
    yield from small_study_run(speech, item)


def _between(speech: Speech, item: PlannedAnalysis, model: str) -> Iterator[Run | str]:
    if model == "random":
        words, work = TAU2[str(item.options["tau2"])]
        profiled = ", with an interval by the Q-profile method" if item.options["convention"] != "revman-5.4" else ""
        works = (work, "viechtbauer-2007") if profiled else (work,)
        yield speech.run(f"The variance between studies (τ²) {speech.was} estimated by {words}{profiled}.", *works)
    elif model == "three-level":
        yield f"The variances between and within studies {speech.were} estimated by restricted maximum likelihood (REML)."
    elif model == "generalized-linear":
        yield f"The variance between studies (τ²) {speech.was} estimated by maximum likelihood."


def _intervals(speech: Speech, item: PlannedAnalysis, model: str) -> Iterator[Run | str]:
    if model in ("random", "common"):
        words, work = INTERVALS[str(item.options["interval"])]
        yield speech.run(f"Confidence intervals {speech.were} computed {words}.", work)
    elif model == "three-level":
        kind = "the normal distribution (Wald)" if item.options["interval"] == "wald" else "Student's t distribution"
        yield f"Confidence intervals {speech.were} computed by {kind}."
    elif model in ("mantel-haenszel", "peto", "generalized-linear"):
        yield f"Confidence intervals {speech.were} computed by the normal distribution (Wald)."
    prediction = PREDICTIONS.get(str(item.options["prediction"]))
    if prediction is not None and model == "random":
        yield speech.run(
            f"The prediction interval, in which the true effect of a new study is expected, {speech.was} computed {prediction[0]}.",
            prediction[1],
        )
    elif model in PREDICTED and item.options["prediction"] != "none":
        yield f"A prediction interval, in which the true effect of a new study is expected, {speech.was} computed."


def _dependence(speech: Speech, item: PlannedAnalysis) -> Iterator[Run | str]:
    if item.options["dependence"] == "robust":
        yield speech.run(
            f"The variance of the effect {speech.was} estimated so that it is robust to the dependence of several effects of one study.",
            "hedges-2010", "tipton-2015",
        )  # fmt: skip
    if item.options["design_bias"]:
        yield speech.run(
            f"The bias that the protocol states for each design {speech.was} taken off the effects, and its uncertainty added to their variances.",
            "turner-2009", "welton-2009",
        )  # fmt: skip


def _explored(speech: Speech, item: PlannedAnalysis) -> Iterator[Run | str]:
    """Whatever moves the effect: one study, the order, the choice of studies."""
    if item.options["leave_one_out"]:
        yield f"Each study {speech.was} left out in turn."
    if item.options["cumulative"]:
        yield speech.run(
            f"In a cumulative meta-analysis studies {speech.were} added in the order of {speech.variable(str(item.options['cumulative']))}.",
            "lau-1992",
        )
    if item.options["influence"]:
        yield speech.run(
            f"The influence of each study {speech.was} measured by studentized residuals, Cook's distances, and their relatives, and shown with its "
            "contribution to heterogeneity (Baujat plot).",
            "viechtbauer-cheung-2010", "baujat-2002",
        )  # fmt: skip
    if item.options["gosh"]:
        yield speech.run(
            f"Subsets of the studies {speech.were} pooled to look for groups among them (GOSH plot).", "olkin-2012"
        )
    if item.options["permutation"] == "yes":
        yield speech.run(
            f"The effect {speech.either('was also', 'will also be')} tested by permuting the signs of the studies' effects.",
            "follmann-proschan-1999",
        )


def regression_runs(speech: Speech, item: PlannedAnalysis) -> Iterator[Run | str]:
    """How the effect was related to moderators."""
    words, work = TAU2[str(item.options["tau2"])]
    moderators = item.options["moderators"]
    names = speech.terms(moderators if isinstance(moderators, tuple) else ())
    yield speech.run(
        f"In a meta-regression ({item.id}), the {listed(list(item.measures))} for {speech.outcomes(item)} {speech.was} related to {names} in a "
        f"mixed-effects model; the variance left between studies {speech.was} estimated by {words}.",
        work, "thompson-sharp-1999",
    )  # fmt: skip
    method = str(item.options["interval"])
    if method.startswith("hartung-knapp") or method == "kenward-roger":
        yield speech.run(f"Coefficients {speech.were} tested by the method of Knapp and Hartung.", "knapp-hartung-2003")
    yield (
        "Coefficients of ratios are ratios of ratios for each unit of the moderator. R² is the share of the variance between studies that "
        "the moderators account for. Such associations compare studies, not patients."
    )
    if item.options["permutation"] == "yes":
        yield speech.run(
            f"P values {speech.either('were also', 'will also be')} obtained by permutation.", "higgins-thompson-2004"
        )

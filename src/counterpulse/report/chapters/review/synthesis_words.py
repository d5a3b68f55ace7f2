"""How effects were put together, in the words of a methods section: model, variance between studies, intervals, and what is asked beside."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from counterpulse.protocol.plan import PlannedAnalysis
from counterpulse.report.chapters.review.small_study_words import small_study_run
from counterpulse.report.chapters.review.synthesis import BAYESIAN, NETWORK, POOLED, SEQUENTIAL
from counterpulse.report.chapters.speech import Speech, listed, paragraph
from counterpulse.report.chapters.wording import inside, quoted, sentence
from counterpulse.report.document import Paragraph, Run

Said = tuple[str, str | None]
TAU2: Mapping[str, Said] = {
    "REML": ("restricted maximum likelihood (REML)", "viechtbauer-2005"),
    "DL": ("the method of DerSimonian and Laird", "der-simonian-laird-1986"),
    "PM": ("the method of Paule and Mandel", "paule-mandel-1982"),
    "ML": ("maximum likelihood", "viechtbauer-2005"),
    "EB": ("the empirical Bayes method of Morris", "morris-1983"),
    "SJ": ("the method of Sidik and Jonkman", "sidik-jonkman-2005"),
    "HS": ("the method of Hunter and Schmidt", "viechtbauer-2005"),
    "HE": ("the method of Hedges and Olkin", "viechtbauer-2005"),
}
INTERVALS: Mapping[str, Said] = {
    "hartung-knapp": ("by the method of Hartung, Knapp, Sidik, and Jonkman", "hartung-knapp-2001"),
    "wald": ("by the normal distribution (Wald)", None),
    "t": ("by Student's t distribution", None),
    "kenward-roger": ("by the method of Kenward and Roger", "kenward-roger-1997"),
    "hartung-knapp-truncated": ("by the method of Hartung and Knapp with a factor of at least 1", "hartung-knapp-2001"),
    "hartung-knapp-wider": ("as the wider of those of Hartung and Knapp and of Wald", "hartung-knapp-2001"),
}
PREDICTIONS: Mapping[str, Said] = {
    "normal": ("by the normal distribution", "higgins-2009"),
    "HTS": (
        "by Student's t distribution with k \N{MINUS SIGN} 2 degrees of freedom (Higgins, Thompson, and Spiegelhalter)",
        "higgins-2009",
    ),
    "k-1": ("by Student's t distribution with k \N{MINUS SIGN} 1 degrees of freedom", "higgins-2009"),
    "HK": ("with the standard error of Hartung and Knapp and k \N{MINUS SIGN} 1 degrees of freedom", "int-hout-2014"),
    "HK-PR": (
        "with the standard error of Hartung and Knapp and k \N{MINUS SIGN} 2 degrees of freedom",
        "partlett-riley-2017",
    ),
    "KR": ("by the method of Kenward and Roger", "partlett-riley-2017"),
    "KR-PR": ("by the method of Kenward and Roger with one degree of freedom less", "partlett-riley-2017"),
}
CONVENTIONS: Mapping[str, str] = {
    "cochrane-2025": "the defaults of Cochrane of 2025",
    "revman-5.4": "the defaults of Review Manager 5.4",
    "metafor": "the defaults of the R package metafor",
    "meta-6": "the defaults of the R package meta (version 6)",
}
MODELS: Mapping[str, Said] = {
    "random": (
        "by inverse-variance weighting in a random-effects model, which allows the effects to differ between studies",
        None,
    ),
    "common": (
        "by inverse-variance weighting in a common-effect model, which takes the effect as the same in all studies",
        None,
    ),
    "mantel-haenszel": (
        "from their counts by the method of Mantel and Haenszel, which takes the effect as the same in all studies",
        "mantel-haenszel-1959",
    ),
    "peto": ("from their counts by Peto's method, which takes the effect as the same in all studies", "yusuf-1985"),
    "generalized-linear": ("from their counts by a generalized linear mixed model", "stijnen-2010"),
    "three-level": ("in a three-level model, with effects nested in studies", "konstantopoulos-2011"),
}
SHORT = {
    "random": "a random-effects model", "common": "a common-effect model", "mantel-haenszel": "the method of Mantel and Haenszel",
    "peto": "Peto's method", "generalized-linear": "a generalized linear mixed model", "three-level": "a three-level model",
}  # fmt: skip
GLMM = {
    "unconditional-fixed": "with a fixed intercept for each study", "unconditional-random": "with a random intercept for each study",
    "conditional-approximate": "conditional on the events of each study, approximately (binomial)",
    "conditional-exact": "conditional on the events of each study (noncentral hypergeometric)",
}  # fmt: skip
PREDICTED = ("random", "three-level", "generalized-linear")
SPENDING = {"obrien-fleming": "the O'Brien-Fleming type", "pocock": "the Pocock type"}
FUTILITY = {"non-binding": "Nonbinding", "binding": "Binding"}


def analysis_paragraphs(speech: Speech) -> list[Paragraph]:
    """A paragraph for each planned analysis that is no edit of another, then one for the edits."""
    own = [item for item in speech.plan.analyses if item.of is None or item.options.get("moderators")]
    found = [paragraph(*_analysis(speech, item)) for item in own]
    edits = list(_edits(speech, [item for item in speech.plan.analyses if item not in own]))
    return [*found, *([paragraph(*edits)] if edits else [])]


def _analysis(speech: Speech, item: PlannedAnalysis) -> Iterator[Run | str]:
    if item.options.get("moderators"):
        yield from _regression(speech, item)
        return
    yield from TOLD[item.method](speech, item)
    if item.keep is not None:
        yield f"Only rows of the extraction table for which the rule {quoted(item.keep)} holds {speech.were} used."


def _start(speech: Speech, item: PlannedAnalysis) -> str:
    primary = item.role == "primary" and any(speech.plan.outcomes[name].primary for name in item.outcomes)
    return f"For {'the primary outcome, ' if primary else ''}{speech.outcomes(item)} ({item.id})"


def _effects(item: PlannedAnalysis) -> str:
    """What is pooled, in the plural."""
    return listed([f"{name}s" for name in item.measures]) if "ratio of means" not in item.measures else "effects"


# -- pooled ------------------------------------------------------------------------------------------------------------


def _pooled(speech: Speech, item: PlannedAnalysis) -> Iterator[Run | str]:
    model = str(item.options["model"])
    words, work = MODELS[model]
    glmm = f" {GLMM[str(item.options['glmm'])]}" if model == "generalized-linear" else ""
    yield speech.run(
        f"{_start(speech, item)}, {_effects(item)} of the studies {speech.were} pooled {words}{glmm}.", work
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
            f"The effect {speech.was} also tested by permuting the signs of the studies' effects.",
            "follmann-proschan-1999",
        )


def _regression(speech: Speech, item: PlannedAnalysis) -> Iterator[Run | str]:
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
        yield speech.run(f"P values {speech.were} also obtained by permutation.", "higgins-thompson-2004")
    if item.keep is not None:
        yield f"Only rows of the extraction table for which the rule {quoted(item.keep)} holds {speech.were} used."


# -- other methods -----------------------------------------------------------------------------------------------------


def _bayesian(speech: Speech, item: PlannedAnalysis) -> Iterator[Run | str]:
    yield speech.run(
        f"{_start(speech, item)}, {_effects(item)} of the studies {speech.were} pooled in a Bayesian normal-normal hierarchical model, integrated "
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


def _sequential(speech: Speech, item: PlannedAnalysis) -> Iterator[Run | str]:
    option = item.options
    yield speech.run(
        f"{_start(speech, item)}, a sequential meta-analysis {speech.was} made, with studies in the order of {speech.variable(str(option['order']))}.",
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


def _network(speech: Speech, item: PlannedAnalysis) -> Iterator[Run | str]:
    option = item.options
    common = option["model"] == "common"
    yield speech.run(
        f"{_start(speech, item)}, all treatments {speech.were} compared at once in a frequentist network meta-analysis by the graph-theoretical method, "
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


TOLD = {POOLED: _pooled, BAYESIAN: _bayesian, SEQUENTIAL: _sequential, NETWORK: _network}


# -- edits -------------------------------------------------------------------------------------------------------------


def _edits(speech: Speech, items: Sequence[PlannedAnalysis]) -> Iterator[Run | str]:
    """What each sensitivity analysis changes."""
    known = {item.id: item for item in speech.plan.analyses}
    for of in dict.fromkeys(item.of for item in items):
        own = [item for item in items if item.of == of]
        repeat = "repeated" if speech.tense == "past" else "will repeat"
        yield (
            f"Sensitivity analyses {repeat} {of} with these changes:"
            if len(own) > 1
            else f"A sensitivity analysis {repeat} {of} with this change:"
        )
        for k, item in enumerate(own, start=1):
            changes = list(_changes(speech, item, known.get(str(of), item)))
            words = listed([words for words, _ in changes]) or inside(item.label)
            lead, end = ("and " if k == len(own) > 1 else ""), ("." if k == len(own) else ";")
            yield speech.run(f"{lead}{words} ({item.id}){end}", *(work for _, work in changes))


def changed(speech: Speech, item: PlannedAnalysis, whole: PlannedAnalysis) -> str:
    """What an edit of an analysis changes."""
    return listed([words for words, _ in _changes(speech, item, whole)]) or inside(item.label)


def _changes(speech: Speech, item: PlannedAnalysis, whole: PlannedAnalysis) -> Iterator[Said]:
    if item.method != whole.method:
        yield inside(item.label), None
        return
    if item.outcomes != whole.outcomes:
        yield f"the outcome {speech.outcomes(item)}", None
    if item.keep != whole.keep:
        yield (f"only rows for which {quoted(item.keep)} holds" if item.keep else "every row"), None
    new = {key: str(value) for key, value in item.options.items() if value != whole.options.get(key)}
    yield from _other_model(item, new)
    yield from _other_words(new)


def _other_model(item: PlannedAnalysis, new: Mapping[str, str]) -> Iterator[Said]:
    """Another convention, model, estimator or interval; of what the model does not have, nothing."""
    model = str(item.options.get("model", "random"))
    convention = new.get("convention", "none")
    if convention in CONVENTIONS:
        yield CONVENTIONS[convention], None
    if "model" in new and new["model"] in MODELS:
        yield SHORT[model], MODELS[model][1]
    if model == "random" and new.get("tau2") in TAU2:
        words, work = TAU2[new["tau2"]]
        yield f"the variance between studies by {words}", work
    if model in ("random", "common") and new.get("interval") in INTERVALS:
        words, work = INTERVALS[new["interval"]]
        yield f"confidence intervals {words}", work
    if model == "random" and convention == "none" and new.get("prediction") in PREDICTIONS:
        words, work = PREDICTIONS[new["prediction"]]
        yield f"prediction intervals {words}", work


def _other_words(new: Mapping[str, str]) -> Iterator[Said]:
    """Dependence, stated bias, and priors."""
    if new.get("dependence") == "robust":
        yield "a variance robust to the dependence of effects of one study", "hedges-2010"
    if new.get("design_bias") == "True":
        yield "effects freed of the bias that is stated for each design", "turner-2009"
    yield from (
        (f"the {key.replace('_', ' ')} {new[key]}", None)
        for key in ("heterogeneity_prior", "effect_prior")
        if key in new
    )


def subgroup_paragraph(speech: Speech) -> Paragraph | None:
    """By what studies are grouped, and how the groups are compared."""
    planned = speech.plan.subgroups
    if planned is None:
        return None
    names = listed([_cut(speech, item.variable, item.cuts) for item in planned.by])
    return paragraph(
        f"Studies of {planned.of} {speech.were} also pooled in subgroups by {names}, each with its own variance between studies.",
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

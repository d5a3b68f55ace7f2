"""How sensitivity analyses differ from what they repeat: a phrase each, and a sentence for one that emulates a trial instead."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from counterpulse.data.terms import Term
from counterpulse.protocol.plan import PlannedAnalysis
from counterpulse.report.chapters.methods.balancing_words import WHOM, label_of, says_so
from counterpulse.report.chapters.methods.estimand_words import kind_of_effect
from counterpulse.report.chapters.methods.missing_words import COMPLETE, IMPUTED
from counterpulse.report.chapters.speech import Speech, listed
from counterpulse.report.chapters.wording import inside, quoted, sentence
from counterpulse.report.document import Run

EMULATED = {
    "clone-censor-weight": "by cloning, censoring, and weighting",
    "sequential-trials": "as a sequence of nested trials",
}
MISSING = {COMPLETE: "complete cases only", IMPUTED: "multiple imputation of missing values"}
Edit = tuple[Run, list[PlannedAnalysis]]


def edits_told(speech: Speech) -> Iterator[Edit]:
    """The runs that say what each sensitivity analysis changes, each with the analyses whose works it may cite."""
    edits: dict[str, list[PlannedAnalysis]] = {}
    for item in speech.plan.analyses:
        if item.of is not None or item.role == "sensitivity":
            edits.setdefault(item.of or "", []).append(item)
    for of, items in edits.items():
        whole = next((other for other in speech.plan.analyses if other.id == of), None)
        if whole is None:
            words = listed([f"{item.label} ({item.id})" for item in items], ";")
            yield Run(f"Sensitivity analyses {speech.were}: {words}."), []
            continue
        own = [item for item in items if item.estimator and item.estimator != whole.estimator]
        yield from _listed(speech, [item for item in items if item not in own], whole)
        for item in own:
            yield from _emulated(speech, item, whole)


def _listed(speech: Speech, items: Sequence[PlannedAnalysis], whole: PlannedAnalysis) -> Iterator[Edit]:
    """One sentence for all edits of an analysis that a phrase says."""
    if not items:
        return
    repeat = "repeated" if speech.tense == "past" else "will repeat"
    yield Run(f"Sensitivity analyses {repeat} {whole.id} with these changes:" if len(items) > 1 else f"A sensitivity analysis {repeat} {whole.id} with this change:"), []  # fmt: skip
    for k, item in enumerate(items, start=1):
        last, end = (k == len(items) > 1), ("." if k == len(items) else ";")
        told = f"{changed(speech, item, whole)} ({item.id}{_estimand(item, whole)})"
        yield speech.run(f"{'and ' if last else ''}{told}{end}", *_new_works(item, whole)), [item]


def _new_works(item: PlannedAnalysis, whole: PlannedAnalysis) -> list[str]:
    works = [key for key in item.citations if key not in whole.citations]
    return [*works, *(["campbell-2011"] if item.shifts else [])]


def _emulated(speech: Speech, item: PlannedAnalysis, whole: PlannedAnalysis) -> Iterator[Edit]:
    """An edit that emulates a trial: how, and each of its clauses as a sentence."""
    first, *rest = item.clauses
    also = [*_beside_the_method(speech, item, whole)]
    effect = "" if kind_of_effect(item) in ("", kind_of_effect(whole)) else f", for the {kind_of_effect(item)} effect"
    more = f"{f', with {listed(also)}' if also else ''}{effect}"
    lead = (
        f"In {item.id}, {whole.id} {speech.was} repeated {EMULATED.get(item.maker, item.maker.replace('-', ' '))}{more}"
    )
    yield speech.run(f"{lead}: {speech.told(first.text)}.", *first.works), [item]
    for clause in rest:
        yield speech.run(f"{sentence(speech.told(clause.text))}.", *clause.works), []


def changed(speech: Speech, item: PlannedAnalysis, whole: PlannedAnalysis) -> str:
    """What an edit of an analysis changes; its label where the plan shows no difference."""
    found = list(_changes(speech, item, whole))
    return listed(found) if found else inside(item.label)


def _changes(speech: Speech, item: PlannedAnalysis, whole: PlannedAnalysis) -> Iterator[str]:
    if item.method != whole.method and not says_so(item):
        yield f"{_method(item)} as the method"
    yield from _balancing(speech, item, whole)
    yield from _beside_the_method(speech, item, whole, covariates=True)
    yield from _sample(speech, item, whole)
    if item.method == whole.method:
        old = {clause.text for clause in whole.clauses}
        yield from (clause.text for clause in item.clauses if clause.text not in old)


def _beside_the_method(
    speech: Speech, item: PlannedAnalysis, whole: PlannedAnalysis, *, covariates: bool = False
) -> Iterator[str]:
    """Outcome, covariates, patients, clusters, missing values, multiplicity."""
    if item.outcomes != whole.outcomes:
        yield f"the outcome {speech.outcomes(item)}"
    if covariates or item.terms != whole.terms:
        yield from _covariates(speech, item, whole)
    yield from _patients(speech, item, whole)
    if item.clusters != whole.clusters:
        yield _clusters(speech, item)
    if item.missing != whole.missing and item.missing:
        yield MISSING.get(item.missing, f"missing values handled by {item.missing.replace('-', ' ')}")
    yield from _shifts(speech, item)
    if item.multiplicity != whole.multiplicity:
        yield f"P values adjusted by the method of {item.multiplicity.capitalize()}"


def _method(item: PlannedAnalysis) -> str:
    """The label of a method, which follows imputation, sample, balancing and selection in what an analysis is composed of."""
    place = 1 + sum(part is not None for part in (item.imputation, item.balancing, item.selection))
    return item.composition[place] if len(item.composition) > place else item.method.replace("-", " ")


def _balancing(speech: Speech, item: PlannedAnalysis, whole: PlannedAnalysis) -> Iterator[str]:
    """Matching or weighting instead of, or besides, what the whole does."""
    if item.balancing == whole.balancing and item.target == whole.target:
        return
    if item.balancing is None:
        if whole.balancing is not None:
            yield label_of(speech, item, "")
        return
    old = whole.balancing
    if old is not None and replace(item.balancing, across=old.across) == old and item.target == whole.target:
        yield "the mean propensity score of all imputed tables" if item.balancing.across else "a propensity score in each imputed table"  # fmt: skip
        return
    same = item.balancing.terms in (whole.terms, old.terms if old is not None else None)
    yield label_of(speech, item, "the same covariates" if same else speech.terms(item.balancing.terms))


def _estimand(item: PlannedAnalysis, whole: PlannedAnalysis) -> str:
    """Another effect than that of the whole."""
    kind = kind_of_effect(item)
    other = kind and kind != kind_of_effect(whole)
    whom = f" in {WHOM.get(item.target, item.target)}" if item.target != whole.target and item.balancing is None else ""
    return (
        f", a{'' if not other else f' {kind}'} effect{whom}".replace("a effect", "an effect") if other or whom else ""
    )


def _moved(whole: tuple[Term, ...], item: PlannedAnalysis) -> bool:
    """Whether the covariates went from the model into the score."""
    return not item.terms and item.balancing is not None and item.balancing.terms == whole


def _covariates(speech: Speech, item: PlannedAnalysis, whole: PlannedAnalysis) -> Iterator[str]:
    if (item.terms, item.selection, item.models, item.screen) == (
        whole.terms,
        whole.selection,
        whole.models,
        whole.screen,
    ) or _moved(whole.terms, item):
        return
    if item.selection is not None:
        yield f"adjustment for covariates {speech.selected(item.selection)}"
    elif item.terms:
        yield f"adjustment for {speech.terms(item.terms)}"
    elif whole.terms:
        yield "no further adjustment" if item.balancing is not None else "no adjustment"


def _shifts(speech: Speech, item: PlannedAnalysis) -> Iterator[str]:
    """Imputed values moved by several distances, told once for a variable."""
    for name in dict.fromkeys(shift.variable for shift in item.shifts):
        variable = speech.plan.variables.get(name)
        unit = f" {variable.unit}" if variable is not None and variable.unit else ""
        steps = listed([speech.number(shift.by) for shift in item.shifts if shift.variable == name])
        yield f"imputed values of {speech.variable(name)} shifted by {steps}{unit}, to find where the conclusion would change"


def _patients(speech: Speech, item: PlannedAnalysis, whole: PlannedAnalysis) -> Iterator[str]:
    if item.population != whole.population:
        population = speech.plan.populations.get(item.population)
        yield f"the population {population.label if population else item.population}"
    if item.keep != whole.keep:
        yield (f"only patients for whom {quoted(item.keep)} holds" if item.keep else "every patient")


def _sample(speech: Speech, item: PlannedAnalysis, whole: PlannedAnalysis) -> Iterator[str]:
    if (item.maker, item.landmarks) == (whole.maker, whole.landmarks):
        return
    if item.landmarks:
        marks = listed([str(mark) for mark in item.landmarks])
        yield f"a landmark at {marks}" if len(item.landmarks) == 1 else f"landmarks at {marks}"
    elif item.maker == "time-varying":
        yield "treatment as a time-varying exposure"
    elif item.maker == "clone-censor-weight":
        yield f"clones of every patient with a grace period of {item.options['grace']}"
    elif item.maker == "sequential-trials":
        yield f"a sequence of nested trials, one every {item.options['every']}"
    else:
        yield "groups as finally observed, immortal time not removed"


def _clusters(speech: Speech, item: PlannedAnalysis) -> str:
    if item.clusters is None:
        return "no allowance for clusters"
    name = speech.variable(item.clusters.variable)
    return {
        "robust": f"variances robust to clustering by {name}",
        "random-intercept": f"a random intercept for each {name}",
        "gee": f"generalized estimating equations with {item.clusters.correlation} correlation within {name}",
    }[item.clusters.treat_as]

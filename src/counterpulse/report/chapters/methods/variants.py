"""How one planned analysis differs from another, in a phrase after "with"."""

from __future__ import annotations

from collections.abc import Iterator

from counterpulse.protocol.plan import PlannedAnalysis
from counterpulse.report.chapters.speech import Speech, listed
from counterpulse.report.chapters.wording import inside, quoted


def changed(speech: Speech, item: PlannedAnalysis, whole: PlannedAnalysis) -> str:
    """What an edit of an analysis changes; its label where the plan shows no difference."""
    found = list(_changes(speech, item, whole))
    return listed(found) if found else inside(item.label)


def _changes(speech: Speech, item: PlannedAnalysis, whole: PlannedAnalysis) -> Iterator[str]:
    if item.outcomes != whole.outcomes:
        yield f"the outcome {speech.outcomes(item)}"
    if item.method != whole.method:
        yield f"{_method(item)} as the method"
    yield from _covariates(speech, item, whole)
    yield from _sample(speech, item, whole)
    if item.clusters != whole.clusters:
        yield _clusters(speech, item)
    if item.method == whole.method:
        old = {clause.text for clause in whole.clauses}
        yield from (clause.text for clause in item.clauses if clause.text not in old)
    if item.missing != whole.missing and item.missing:
        yield f"missing values handled by {item.missing.replace('-', ' ')}"
    if item.multiplicity != whole.multiplicity:
        yield f"P values adjusted by the method of {item.multiplicity.capitalize()}"


def _method(item: PlannedAnalysis) -> str:
    """The label of a method, which follows the sample and the selection in what an analysis is composed of."""
    place = 2 if item.selection is not None else 1
    return item.composition[place] if len(item.composition) > place else item.method.replace("-", " ")


def _covariates(speech: Speech, item: PlannedAnalysis, whole: PlannedAnalysis) -> Iterator[str]:
    if (item.terms, item.selection, item.models, item.screen) == (
        whole.terms,
        whole.selection,
        whole.models,
        whole.screen,
    ):
        return
    if item.selection is not None:
        yield f"adjustment for covariates {speech.selected(item.selection)}"
    elif item.terms:
        yield f"adjustment for {speech.terms(item.terms)}"
    elif whole.terms:
        yield "no adjustment"


def _sample(speech: Speech, item: PlannedAnalysis, whole: PlannedAnalysis) -> Iterator[str]:
    if item.population != whole.population:
        population = speech.plan.populations.get(item.population)
        yield f"the population {population.label if population else item.population}"
    if item.keep != whole.keep:
        yield (f"only patients for whom {quoted(item.keep)} holds" if item.keep else "every patient")
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

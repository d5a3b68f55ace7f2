"""What each sensitivity analysis of a review changes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from counterpulse.protocol.plan import PlannedAnalysis
from counterpulse.report.chapters.review.method_names import (
    CONVENTIONS,
    INTERVALS,
    MODELS,
    PREDICTIONS,
    SHORT,
    TAU2,
    Said,
)
from counterpulse.report.chapters.speech import Speech, listed
from counterpulse.report.chapters.wording import inside, quoted
from counterpulse.report.document import Run


def edits_told(speech: Speech, items: Sequence[PlannedAnalysis]) -> Iterator[Run | str]:
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

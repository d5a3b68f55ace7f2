"""Each planned analysis as a list of its parts: outcome, estimand, model, adjustment, interval, missing values, checks."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from counterpulse.protocol.plan import Plan, PlannedAnalysis, PlannedModel, PlannedSubgroup
from counterpulse.report.chapters.methods.balancing_words import WHOM, balancing_runs, variance_run
from counterpulse.report.chapters.methods.estimand_words import compares_groups, kind_of_effect
from counterpulse.report.chapters.speech import Cite, Speech, listed, paragraph
from counterpulse.report.chapters.wording import sentence
from counterpulse.report.document import Definitions, Run, Section
from counterpulse.report.measures import measure_of

PLANNED = {
    "registered": "registered beforehand",
    "stated": "stated in this plan",
    "after-data": "after the data had been seen",
}


def planned_analyses_section(plan: Plan, cite: Cite) -> Section:
    """All analyses of a study of patients in the order of the protocol."""
    return analyses_section(plan, cite, _analysis)


def analyses_section(plan: Plan, cite: Cite, described: Callable[[Speech, PlannedAnalysis], Section]) -> Section:
    """All analyses in the order of the protocol, each as it is `described`."""
    speech = Speech(plan, tense="future", cite=cite)
    return Section(
        id="analyses",
        title="The analyses one by one",
        sections=tuple(described(speech, item) for item in plan.analyses),
    )


def _analysis(speech: Speech, item: PlannedAnalysis) -> Section:
    entries = tuple((term, paragraph(*runs)) for term, *runs in _parts(speech, item) if any(run.text for run in runs))
    return Section(id=f"planned-{item.id}", title=f"{item.id}. {item.label}", blocks=(Definitions(entries),))


def _parts(speech: Speech, item: PlannedAnalysis) -> Iterator[tuple[str, *tuple[Run, ...]]]:
    plan = speech.plan
    differs = f", differs from {item.of} only in what is named here" if item.of else ""
    yield "Role", Run(f"{sentence(item.role)}{differs}; planned {PLANNED.get(item.planned, item.planned)}.")
    yield "Outcome", Run(f"{sentence(speech.outcomes(item))}.")
    yield "Estimand", Run(_estimand(speech, item))
    population = plan.populations.get(item.population)
    kept = f"; only {item.keep}" if item.keep else ""
    yield "Population", Run(f"{population.label if population else 'All eligible patients'}{kept}.")
    yield "Sample and model", speech.run(f"{sentence('; '.join(_composition(speech, item)))}.", *item.citations)
    yield "Method", *(speech.run(f"{sentence(speech.told(clause.text))}.", *clause.works) for clause in item.clauses)
    yield "Matching or weighting", *_balancing(speech, item)
    yield "Adjustment", Run(_adjustment(speech, item))
    yield "Missing values", Run(_missing(item))
    yield (
        "Multiplicity",
        Run("" if item.multiplicity == "none" else f"By the method of {item.multiplicity.capitalize()}."),
    )
    yield (
        "Checks",
        Run(f"{sentence(', '.join(check.replace('-', ' ') for check in item.checks))}." if item.checks else ""),
    )
    yield "Subgroups", Run(_subgroups(speech, item))


def _composition(speech: Speech, item: PlannedAnalysis) -> Iterator[str]:
    """What it is made of, with the label of the clusters."""
    for part in item.composition:
        name = item.clusters.variable if item.clusters is not None else ""
        yield f"{part.removesuffix(name)}{speech.variable(name)}" if name and part.endswith(f" {name}") else part


def _estimand(speech: Speech, item: PlannedAnalysis) -> str:
    measures = listed([measure_of(name).words for name in item.measures])
    kind = kind_of_effect(item)
    if not measures:
        return ""
    about = WHOM.get(item.target, item.target)
    compared = ""
    if compares_groups(speech.plan, item):
        groups = [group.label for group in speech.plan.groups if not group.is_reference]
        compared = f" of {listed(groups)} versus {speech.group(speech.plan.reference)}"
    return f"{sentence(measures)}{compared}{f', {kind}' if kind else ''}, in {about}; {100 * item.level:g}% confidence interval."


def _balancing(speech: Speech, item: PlannedAnalysis) -> Iterator[Run]:
    if item.balancing is not None:
        yield from balancing_runs(speech, item, speech.terms(item.balancing.terms))
        variance = variance_run(speech, item)
        if variance is not None:
            yield variance


def _adjustment(speech: Speech, item: PlannedAnalysis) -> str:
    if len(item.models) > 1:
        return f"Models in order, the main one first: {listed([_model(speech, model) for model in item.models], ';')}."
    if item.screen and item.only_screen:
        return f"None; each in a model of its own: {speech.terms(item.screen)}."
    if item.selection is not None:
        kept = f"{speech.terms(item.terms)}, and " if item.terms else ""
        among = f"covariates selected from the data ({item.selection.method}) among {speech.terms(item.selection.candidates)}"
        return f"{sentence(f'{kept}{among}')}."
    return (
        f"{sentence(speech.terms(item.terms))}."
        if item.terms
        else "None."
        if item.balancing is None
        else "None further."
    )


def _model(speech: Speech, model: PlannedModel) -> str:
    if model.selection is not None:
        return f"{model.name} (selected by {model.selection.method} from {speech.terms(model.selection.candidates)})"
    return f"{model.name} ({speech.terms(model.terms) or 'no adjustment'})"


def _missing(item: PlannedAnalysis) -> str:
    known = next((choice for choice in item.choices if choice.name == "missing values"), None)
    if item.missing is None:
        return "Not yet decided: where a value is missing, the analysis stops and asks."
    return f"{sentence(str(known.value))}." if known is not None else f"{sentence(item.missing.replace('-', ' '))}."


def _subgroups(speech: Speech, item: PlannedAnalysis) -> str:
    planned = speech.plan.subgroups
    if planned is None or planned.of != item.id:
        return ""
    names = [entry.label + _cut(entry) for entry in planned.by]
    return f"{listed(names, ';' if len(names) > 2 else ',')}; one test of interaction for each."


def _cut(entry: PlannedSubgroup) -> str:
    return f" (cut at {listed([f'{cut:g}' for cut in entry.cuts])})" if entry.cuts else ""

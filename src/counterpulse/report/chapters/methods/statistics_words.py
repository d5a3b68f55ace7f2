"""The statistical analysis in words, from the plan alone: analyses that share a method share a paragraph."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

from counterpulse.data.terms import Term
from counterpulse.protocol.plan import PlannedAnalysis, PlannedModel
from counterpulse.report.chapters.methods.balancing_words import balances, balancing_runs, says_so, variance_run
from counterpulse.report.chapters.methods.estimand_words import estimand_paragraph
from counterpulse.report.chapters.methods.missing_words import OF_IMPUTATION
from counterpulse.report.chapters.methods.variants import edits_told
from counterpulse.report.chapters.speech import Speech, in_written_order, listed, paragraph, spelled
from counterpulse.report.chapters.wording import proper, quoted, sentence
from counterpulse.report.document import Paragraph, Run
from counterpulse.report.measures import measure_of
from counterpulse.results import Choice

THESE, SHORT = "{these}", 5
DOUBLY_ROBUST = ("augmented-weighting", "tmle")
"""Methods whose covariates stand in a model of treatment and in one of the outcome."""
MAKERS = {name: name for name in ("landmark", "time-varying", "clone-censor-weight", "sequential-trials")}
"""The sample that a plan for immortal time makes; the others leave it as observed."""
MARGINAL = ("risk difference", "risk ratio", "marginal odds ratio")
STANDARDIZED_TO = {"treated": "the treated patients", "untreated": "the untreated patients"}
ROLES = {"primary": "primary", "secondary": "secondary", "exploratory": "exploratory"}
CHECKS = {
    "proportional-hazards": (
        "The assumption of proportional hazards was examined by the correlation of scaled Schoenfeld residuals with time.",
        "grambsch-therneau-1994",
    ),
    "proportional-odds": (
        "The assumption of proportional odds was examined by comparing the odds ratios of the cuts of the outcome.",
        "brant-1990",
    ),
}


@dataclass(slots=True)
class Told:
    """What earlier paragraphs said, so that later ones refer to it: methods, adjustment sets and balancing by their first analysis.

    `works` are the numbers of those cited.
    """

    methods: dict[object, PlannedAnalysis] = field(default_factory=dict)
    terms: dict[object, str] = field(default_factory=dict)
    balancing: dict[str, str] = field(default_factory=dict)
    works: set[int] = field(default_factory=set)


def analysis_paragraphs(speech: Speech) -> list[Paragraph]:
    """Primary, secondary and exploratory analyses, those that differ only in their outcome together; then sensitivity analyses."""
    told = Told()
    found = [part for role in ROLES for part in _role(speech, told, role)]
    effects = estimand_paragraph(speech)
    edits = _edits(speech, told)
    return [*found, *(part for part in (effects, edits) if part is not None)]


def _role(speech: Speech, told: Told, role: str) -> Iterator[Paragraph]:
    """The analyses of one role, a paragraph for each kind of outcome."""
    kinds: dict[str, dict[object, list[PlannedAnalysis]]] = {}
    for item in speech.plan.analyses:
        if item.role == role and item.of is None:
            kinds.setdefault(_kind(speech, item), {}).setdefault(_question(item), []).append(item)
    lead = f"The following analyses {speech.were} planned as exploratory." if role == "exploratory" else ""
    for groups in kinds.values():
        yield paragraph(lead, *(run for group in groups.values() for run in _with_works(speech, told, group)))
        lead = ""


def _with_works(speech: Speech, told: Told, group: list[PlannedAnalysis]) -> list[Run]:
    """Analyses of one question; works that their run rests on and no sentence names are cited by the last one."""
    *runs, last = _group(speech, told, group)
    return [*runs, replace(last, cites=_cited(speech, told, group, [*runs, last]))]


def _cited(speech: Speech, told: Told, group: list[PlannedAnalysis], runs: list[Run]) -> tuple[int, ...]:
    """The works of the last of some runs, with those that the run of a group rests on and nothing cites before."""
    told.works |= {number for run in runs for number in run.cites}
    more = [number for number in speech.cite(*_of_the_run(speech, group)) if number not in told.works]
    told.works |= set(more)
    return tuple(sorted({*runs[-1].cites, *more}))


def _of_the_run(speech: Speech, group: list[PlannedAnalysis]) -> list[str]:
    """The works that the run of some analyses cites, but for those on imputation, told once for all; none before there are data."""
    ids = {item.id: OF_IMPUTATION if item.imputation is not None else frozenset[str]() for item in group}
    records = speech.result.analyses if speech.result is not None else ()
    return [key for record in records if record.id in ids for key in record.citations if key not in ids[record.id]]


def _kind(speech: Speech, item: PlannedAnalysis) -> str:
    """Binary outcomes, times to an event, and all others, which are told apart."""
    outcome = speech.plan.outcomes.get(item.outcomes[0]) if item.outcomes else None
    return outcome.kind if outcome is not None and outcome.kind in ("binary", "time-to-event") else "other"


def _question(item: PlannedAnalysis) -> object:
    """What analyses must share to be told together."""
    return (
        item.method, item.clauses, item.terms, item.models, item.screen, item.selection, item.maker, item.landmarks, item.clusters,
        str(item.balancing), item.target, item.companions, item.measures, item.population, item.keep, item.checks,
    )  # fmt: skip


def _group(speech: Speech, told: Told, group: list[PlannedAnalysis]) -> Iterator[Run]:
    """Analyses of one question: the method, the adjustment, clusters, further measures, checks."""
    first = group[0]
    what = listed([f"{speech.outcomes(item)} ({item.id})" for item in group])
    start = "For the primary outcome," if _primary(speech, first) else "For"
    about, works = _about(first)
    again = told.methods.setdefault((first.method, first.clauses), first)
    known = "" if again is first else _again(speech, first, again)
    yield speech.run(
        f"{start} {what}, {speech.told(about)}{known}{_adjustment(speech, told, first)}.",
        *(() if known else works),
    )
    if not known:
        for clause in first.clauses[1:]:
            yield speech.run(f"{sentence(speech.told(clause.text))}.", *clause.works)
    yield from _balanced(speech, told, first)
    yield from _where(speech, first)
    yield from clusters_runs(speech, first)
    yield from _measures(speech, first)
    for check in first.checks:
        words, work = CHECKS.get(check, (f"{sentence(check.replace('-', ' '))} was examined.", ""))
        yield speech.run(speech.told(words), work)


def _balanced(speech: Speech, told: Told, item: PlannedAnalysis) -> Iterator[Run]:
    """How patients were matched or weighted; in the same way as an earlier analysis by its name."""
    if item.balancing is None:
        return
    words = " ".join(run.text for run in balancing_runs(speech, item, speech.terms(item.balancing.terms)))
    again = told.balancing.setdefault(words, item.id)
    if again != item.id:
        yield Run(f"Patients {speech.were} {balances(item)} as in {again}.")
    else:
        yield from balancing_runs(speech, item, _named(speech, told, item.balancing.terms, item.id))
    variance = variance_run(speech, item)
    if variance is not None:
        yield variance


def _primary(speech: Speech, item: PlannedAnalysis) -> bool:
    outcomes = [speech.plan.outcomes[name] for name in item.outcomes if name in speech.plan.outcomes]
    return item.role == "primary" and any(outcome.primary for outcome in outcomes)


def _again(speech: Speech, item: PlannedAnalysis, earlier: PlannedAnalysis) -> str:
    """The method of an earlier analysis, which may have allowed for clusters."""
    if item.clusters is None and earlier.clusters is not None:
        return f" as in {earlier.id} (without allowance for clustering by {speech.variable(earlier.clusters.variable)})"
    return f" as in {earlier.id}"


def _about(item: PlannedAnalysis) -> tuple[str, tuple[str, ...]]:
    if item.clauses:
        return item.clauses[0].text, item.clauses[0].works
    return f"the method was {item.method.replace('-', ' ')}", item.citations


def _adjustment(speech: Speech, told: Told, item: PlannedAnalysis) -> str:
    """What a model adjusts for; the set of an earlier analysis is named by it."""
    alone = _named(speech, told, item.screen, item.id, f"each of {THESE}")
    if item.screen and item.only_screen:
        return f", with {alone} in a model of its own"
    beside = f"; besides, {alone} {speech.was} entered alone" if item.screen else ""
    if item.models:
        return f" in {spelled(len(item.models))} model{'s' if len(item.models) > 1 else ''}: {_ladder(speech, told, item)}{beside}"
    if item.selection is not None:
        fixed = f"{speech.terms(item.terms)}, and " if item.terms else ""
        return f", adjusted for {fixed}covariates {speech.selected(item.selection)}{beside}"
    if item.balancing is not None:
        among = "" if says_so(item) else f", in {balances(item)} patients"
        more = (
            f"further adjusted for {_named(speech, told, item.terms, item.id)}"
            if item.terms
            else "without further adjustment"
        )
        return f"{among}, {more}{beside}"
    if not item.terms:
        return f"{'' if item.adjusted else ', without adjustment'}{beside}"
    return f"{_adjusted(speech, item)}{_named(speech, told, item.terms, item.id)}{beside}"


def _adjusted(speech: Speech, item: PlannedAnalysis) -> str:
    """What covariates are for: adjustment, or prediction of the outcome or of the treatment itself."""
    if item.method == "prediction-quality":
        return f"; predictions {speech.were} those of a model with "
    if item.method in DOUBLY_ROBUST:
        return ", with models of treatment and of the outcome, both given "
    if item.estimator:
        return ", given "
    exposure = any(speech.plan.outcomes[name].of_group for name in item.outcomes if name in speech.plan.outcomes)
    return ", with these predictors: " if exposure else ", adjusted for "


def _named(speech: Speech, told: Told, terms: tuple[Term, ...], owner: str, frame: str = THESE) -> str:
    """A set of covariates; a longer one that an earlier analysis has is named by that analysis."""
    if not terms:
        return ""
    again = told.terms.setdefault(terms, owner)
    words = f"the covariates of {again}" if again != owner and len(terms) > SHORT else speech.terms(terms)
    return frame.replace(THESE, words)


def _ladder(speech: Speech, told: Told, item: PlannedAnalysis) -> str:
    main = item.models[0].name
    models = listed(
        [f"{model.name} ({_model(speech, told, item, model)})" for model in in_written_order(speech.plan, item)], ";"
    )
    rows = (
        f"; all {speech.were} fitted to the same patients, those with complete data for every model"
        if item.same_rows and len(item.models) > 1
        else ""
    )
    chosen = f"; {main} {speech.was} the main model" if len(item.models) > 1 else ""
    return f"{models}{chosen}{rows}"


def _model(speech: Speech, told: Told, item: PlannedAnalysis, model: PlannedModel) -> str:
    terms = _named(speech, told, model.terms, item.id)
    if model.selection is None:
        return f"adjusted for {terms}" if terms else "without adjustment"
    return f"adjusted for {f'{terms}, and ' if terms else ''}covariates {speech.selected(model.selection)}"


def _differs(speech: Speech, item: PlannedAnalysis) -> bool:
    """Whether the sample of an analysis is not the one that the study's plan for immortal time makes."""
    setting = speech.plan.protocol.immortal_time
    maker = MAKERS.get(setting.plan, "as observed") if setting is not None else "as observed"
    return item.maker != maker or (setting is not None and item.landmarks != () and item.landmarks != setting.at)


def _sample(speech: Speech, item: PlannedAnalysis) -> Iterator[Run]:
    """Who is compared, where treatment begins after time zero."""
    if item.landmarks:
        marks = listed([str(mark) for mark in item.landmarks])
        yield speech.run(
            f"Patients alive and under observation at the landmark ({marks} after time zero) {speech.were} grouped by the treatment "
            "received by then.",
            "anderson-1983",
        )
    elif item.maker == "time-varying":
        yield speech.run(f"Treatment {speech.was} a time-varying exposure.", "mantel-byar-1974")


def _where(speech: Speech, item: PlannedAnalysis) -> Iterator[Run]:
    """A sample, a population, or rows kept, of the analysis's own."""
    if _differs(speech, item):
        yield from _sample(speech, item)
    population = speech.plan.populations.get(item.population)
    if population is not None:
        yield Run(f"The analysis population {speech.was} {population.label}.")
    if item.keep is not None:
        yield Run(f"Only patients for whom the rule {quoted(item.keep)} holds {speech.were} analyzed.")  # fmt: skip


def clusters_runs(speech: Speech, item: PlannedAnalysis) -> Iterator[Run]:
    """How the patients of one center are taken into account."""
    choices = {choice.name: choice for choice in item.choices}
    if item.clusters is None:
        return
    name, works = speech.variable(item.clusters.variable), _works(choices, "clusters", "cluster variance")
    variance = choices.get("cluster variance")
    how = f" ({variance.value})" if variance and item.clusters.treat_as != "random-intercept" else ""
    words = {
        "robust": f"variances robust to clustering by {name} were computed",
        "random-intercept": f"a random intercept was included for each {name}",
        "gee": f"generalized estimating equations with {item.clusters.correlation} working correlation within {name} were solved",
    }[item.clusters.treat_as]
    yield speech.run(f"To allow for the clustering of patients, {speech.told(words)}{how}.", *works)


def _works(choices: Mapping[str, Choice], *names: str) -> tuple[str, ...]:
    return tuple(choices[name].reference or "" for name in names if name in choices)


def _measures(speech: Speech, item: PlannedAnalysis) -> Iterator[Run]:
    """The measures beyond the first, and methods beside the main one."""
    further = [measure_of(name).words for name in item.measures[1:]]
    modelled = item.method == "logistic-regression" and not item.estimator
    standardized = [name for name in item.measures if name in MARGINAL] if modelled else []
    if standardized and item.adjusted:
        words = listed([f"the {name}" for name in standardized])
        were, these = (speech.were, "these are") if len(standardized) > 1 else (speech.was, "this is")
        odds = "model's own odds ratio" if MARGINAL[2] in standardized else "odds ratio"
        yield speech.run(
            f"From the model, {words} {were} standardized to the covariates of {STANDARDIZED_TO.get(item.target, 'all patients analyzed')}; "
            f"{these} marginal, whereas the {odds} is conditional on the covariates.",
            "stefanski-boos-2002",
        )
    elif further:
        words = listed([f"the {name}" for name in further])
        yield Run(
            f"{sentence(words)} {speech.either('were' if len(further) > 1 else 'was', 'will')} also {speech.either('', 'be ')}estimated."
        )
    if item.companions:
        names = item.companion_labels or [proper(name).replace("-", " ") for name in item.companions]
        yield Run(f"Besides, {listed(names)} {speech.was} applied to the same patients.")


def _edits(speech: Speech, told: Told) -> Paragraph | None:
    """What each sensitivity analysis changes."""
    runs = [replace(run, cites=_cited(speech, told, items, [run])) for run, items in edits_told(speech)]
    return paragraph(*runs) if runs else None

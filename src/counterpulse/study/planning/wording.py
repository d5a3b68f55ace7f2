"""An analysis in words: what it is made of, what the methods section says of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial

from counterpulse.data.terms import Interaction, Numeric, Spline, Term, variables_of
from counterpulse.protocol.plan import (
    PlannedClause,
    PlannedClusters,
    PlannedImputation,
    PlannedModel,
    PlannedSelection,
)
from counterpulse.protocol.selection_words import SELECTED, in_a_row, selection_text
from counterpulse.protocol.words import Duration
from counterpulse.study.method_spec import MethodSpec, Option
from counterpulse.study.planning.drafts import Desk

CLUSTERED = {
    "robust": "variance robust to clustering by {name}",
    "random-intercept": "a random intercept for each level of {name}",
    "gee": "generalized estimating equations with {correlation} correlation within {name}",
}


def clustered(clusters: PlannedClusters, name: str) -> str:
    """How the patients of one cluster are taken into account."""
    return CLUSTERED[clusters.treat_as].format(name=name, correlation=clusters.correlation)


def composition(
    maker: str, landmarks: tuple[Duration, ...], spec: MethodSpec, clusters: PlannedClusters | None,
    selection: PlannedSelection | None = None, imputation: PlannedImputation | None = None, balanced: str | None = None,
) -> tuple[str, ...]:  # fmt: skip
    """What an analysis is made of, in order."""
    made = f"landmark at {', '.join(map(str, landmarks))}" if landmarks else maker
    selected = () if selection is None else (f"covariates selected by {SELECTED[selection.method]}",)
    variance = (clustered(clusters, clusters.variable),) if clusters else ()
    before, after = (
        ((), ()) if imputation is None else (("imputation by chained equations",), ("pooling by Rubin's rules",))
    )
    return (*before, made, *((balanced,) if balanced else ()), *selected, spec.label, *variance, *after)


def usual_label(spec: MethodSpec) -> str:
    """The name of an analysis that was given none; its outcomes stand beside it wherever it is printed."""
    return f"{spec.label[0].upper()}{spec.label[1:]}"


def term_text(term: Term) -> str:
    """A term of a model as a choice prints it."""
    if isinstance(term, Interaction):
        return " x ".join(variables_of(term))
    if isinstance(term, Numeric):
        name = f"log {term.variable}" if term.log else term.variable
        return name if term.per == 1 else f"{name} per {term.per:g}"
    if isinstance(term, Spline):
        return f"{term.variable}, {spline_text(term)}"
    return variables_of(term)[0]


def spline_text(term: Spline) -> str:
    """What kind of spline it is."""
    if isinstance(term.knots, int):
        knots = f"{term.knots} knots"
    else:
        knots = f"knots at {in_a_row([f'{knot:g}' for knot in term.knots])}"
    return f"spline with {knots}" + ("" if term.reference is None else f" (reference {term.reference:g})")


def term_label(desk: Desk, term: Term) -> str:
    """A term of a model as a reader knows it."""
    names = " x ".join(desk.variables[name].label if name in desk.variables else name for name in variables_of(term))
    return f"{names} ({spline_text(term)})" if isinstance(term, Spline) else names


def model_text(model: PlannedModel, word: Callable[[Term], str] = term_text) -> str:
    """What a model of a ladder adjusts for."""
    terms = ", ".join(dict.fromkeys(map(word, model.terms)))
    if model.selection is None:
        return terms or "nothing"
    return f"{terms + ', and ' if terms else ''}{selection_text(model.selection, word)}"


def said_of_models(
    desk: Desk, models: tuple[PlannedModel, ...], screen: tuple[Term, ...], *, only_screen: bool
) -> tuple[str, ...]:
    """What the models of an analysis adjust for, in the words of the methods section."""
    word = partial(term_label, desk)
    parts = []
    if len(models) > 1:
        ladder = [f"{model.name} ({_adjusted(model, word)})" for model in models]
        parts.append(f"in the models {in_a_row(ladder)}, of which {models[0].name} is the main one")
    elif models[0].terms or models[0].selection is not None:
        parts.append(_adjusted(models[0], word))
    if screen:
        alone = f"each of {in_a_row(list(dict.fromkeys(map(word, screen))))} in a model of its own"
        parts.append(alone if only_screen else f"besides {alone}")
    return tuple(parts)


def _adjusted(model: PlannedModel, word: Callable[[Term], str]) -> str:
    names = list(dict.fromkeys(map(word, model.terms)))
    fixed = f"adjusted for {in_a_row(names)}" if names else "adjusted"
    if model.selection is None:
        return fixed if names else "unadjusted"
    also = f"{fixed} and " if names else f"{fixed} "
    return f"{also}for covariates {selection_text(model.selection, word)}"


def clauses(
    desk: Desk, spec: MethodSpec, options: Mapping[str, object], outcomes: Sequence[str] = (), measures: Sequence[str] = ()
) -> tuple[PlannedClause, ...]:  # fmt: skip
    """What the method does for these outcomes and measures, then what its options say, each with its works."""
    found = [PlannedClause(_about(desk, spec, outcomes, measures), spec.citations)]
    for option in spec.options:
        value = options[option.name]
        said = "" if value in (None, ()) else option.sentence(_labeled(desk, option, value))
        if said:
            found.append(PlannedClause(said, tuple(filter(None, (option.cited(value),)))))
    found += [PlannedClause(rule.words, tuple(filter(None, (rule.reference,)))) for rule in spec.rules if rule.words]
    return tuple(found)


def _about(desk: Desk, spec: MethodSpec, outcomes: Sequence[str], measures: Sequence[str]) -> str:
    """What the method does: of each kind of outcome, where that is not the same for all."""
    if spec.told is None or not outcomes:
        return spec.about
    kinds = dict.fromkeys(desk.outcomes[name].kind for name in outcomes)
    return "; ".join(spec.told(kind, measures) for kind in kinds)


def _labeled(desk: Desk, option: Option, value: object) -> object:
    """Names of variables as a reader knows them."""
    if option.kind == "terms" and isinstance(value, tuple):
        return tuple(dict.fromkeys(map(partial(term_label, desk), value)))
    if option.kind not in ("name", "names"):
        return value
    names = [str(name) for name in (value if isinstance(value, list | tuple) else (value,))]
    return tuple(desk.variables[name].label if name in desk.variables else name for name in names)


def sentence(
    desk: Desk, spec: MethodSpec, outcomes: tuple[str, ...], options: Mapping[str, object], measures: tuple[str, ...],
    maker: str, landmarks: tuple[Duration, ...], clusters: PlannedClusters | None, models: tuple[str, ...],
    further: tuple[PlannedClause, ...] = (),
) -> str:  # fmt: skip
    """An analysis as the methods section says it; `further` clauses are of how its patients are balanced and imputed."""
    what = " and ".join(desk.outcomes[name].label for name in outcomes)
    first, *said = clauses(desk, spec, options, outcomes, measures)
    parts = [f"{what}: {first.text}", *models]
    if landmarks:
        parts.append(
            f"among patients followed to the landmark ({in_a_row([str(mark) for mark in landmarks])} after time zero), "
            "grouped by the treatment given by then"
        )
    elif maker == "time-varying":
        parts.append("with the exposure as a time-varying covariate, each patient counted as untreated until it starts")
    if clusters is not None:
        parts.append(f"with {clustered(clusters, desk.variables[clusters.variable].label)}")
    words = [clause.text for clause in (*said, *further)]
    extra = f"Also estimated: {in_a_row(list(measures[1:]))}." if measures[1:] else ""
    body = ", ".join(parts) + "."
    tail = " ".join(f"{word[0].upper()}{word[1:]}." for word in words)
    return " ".join(part for part in (body, tail, extra) if part)

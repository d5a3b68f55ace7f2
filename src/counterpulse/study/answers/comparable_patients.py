"""Matched or weighted patients compared by the method that goes with their outcome."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Literal

from counterpulse.data.terms import Term
from counterpulse.study.answers.comparable_means import comparable_means
from counterpulse.study.answers.curves import curve_answer
from counterpulse.study.balancing.balance import MEASURES
from counterpulse.study.method_spec import MethodSpec, Option
from counterpulse.study.methods import cox
from counterpulse.study.planning.drafts import Desk, Draft
from counterpulse.study.planning.measures import split_measure
from counterpulse.study.request import Answer, Request

OF_MANY = ("subclasses", "coarsened-exact")
"""Strata of many patients, which are no sets of partners to draw."""
FEWEST = 100
"""Bootstrap draws whose percentiles say something."""

ALL_MEASURES = tuple(dict.fromkeys(measure for measures in MEASURES.values() for measure in measures))

BOOTSTRAP = Option(
    name="bootstrap", default=0.0, kind="number",
    about="how many times matched sets, or patients, are drawn again for percentile intervals of risks and means; 0: the robust variance",
    phrases=(("0.0", ""),), words="confidence intervals were percentiles of {value} bootstrap samples", references=(("0.0", ""),),
)  # fmt: skip


def comparable(request: Request) -> Answer:
    """Means and risks directly; times to an event by a weighted Cox model and weighted curves."""
    return _times(request) if request.outcome.kind == "time-to-event" else comparable_means(request)


def _times(request: Request) -> Answer:
    measures = tuple(dict.fromkeys("hazard ratio" if name == "by type" else name for name in request.analysis.measures))
    options = {option.name: option.default for option in cox.SPEC.options}
    analysis = replace(request.analysis, measures=measures, options=options)
    request = replace(request, analysis=analysis)
    if measures[0] == "hazard ratio":
        return cox.estimate(request)
    risks = [measure for measure in measures if measure != "hazard ratio"]
    first = curve_answer(request, risks, draw=True)
    if "hazard ratio" not in measures:
        return first
    alone = replace(request, analysis=replace(analysis, measures=("hazard ratio",), draws=()))
    return first.joined(cox.estimate(alone))


def refuse(
    desk: Desk, draft: Draft, options: Mapping[str, object], terms: tuple[Term, ...], outcomes: tuple[str, ...]
) -> None:
    """A contrast that the outcome does not have, a bootstrap of times, matching that the bootstrap does not suit."""
    estimand, node = draft.node.estimand, draft.node.propensity
    wanted = [*((estimand.contrast,) if estimand and estimand.contrast else ()), *(estimand.also if estimand else ())]
    wanted += [item for item in draft.node.also if any(item.startswith(measure) for measure in ALL_MEASURES)]
    for name in outcomes:
        kind = desk.outcomes[name].kind
        for measure in wanted:
            bare = _bare(measure)
            if bare not in MEASURES.get(kind, ()):
                desk.refuse(
                    draft.where("estimand"), "E612", f"analysis {draft.node.id}: a {bare} of '{name}', a {kind} outcome",
                    ", ".join(MEASURES.get(kind, ())), "choose one of these",
                )  # fmt: skip
        if options["bootstrap"] and kind == "time-to-event":
            desk.refuse(
                draft.where("bootstrap"), "E611", f"analysis {draft.node.id}: a bootstrap of '{name}', a {kind} outcome",
                "binary, continuous or count outcomes", "take `bootstrap` out; the variance is robust",
            )  # fmt: skip
    draws = options["bootstrap"]
    if draws and not (isinstance(draws, float) and draws >= FEWEST and draws.is_integer()):
        desk.refuse(
            draft.where("bootstrap"), "E611", f"analysis {draft.node.id}: a bootstrap of so few draws has no percentiles",
            f"a whole number of {FEWEST} or more, or 0", "write bootstrap: 1000",
        )  # fmt: skip
    if options["bootstrap"] and draft.node.clusters is not None:
        desk.refuse(
            draft.where("bootstrap"), "E611", f"analysis {draft.node.id}: a bootstrap of patients or sets beside clusters",
            "one of the two", "take `bootstrap` out; the variance is robust to the clusters",
        )  # fmt: skip
    if options["bootstrap"] and node is not None and node.by in OF_MANY:
        desk.refuse(
            draft.where("bootstrap"), "E611", f"analysis {draft.node.id}: a bootstrap of matched sets, which '{node.by}' does not make",
            "by: nearest, optimal or full", "take `bootstrap` out; the variance is robust",
        )  # fmt: skip
    if options["bootstrap"] and node is not None and node.replacement:
        desk.refuse(
            draft.where("bootstrap"), "E611", f"analysis {draft.node.id}: a bootstrap after matching with replacement is not valid",
            "replacement: no", "take `bootstrap` out, or match without replacement",
        )  # fmt: skip


def _bare(measure: str) -> str:
    try:
        return split_measure(measure)[0]
    except ValueError:
        return measure


def told_of(patients: str, *, of_means: str, of_times: str) -> Callable[[str, Sequence[str]], str]:
    """What is done for a kind of outcome: of these patients, with these variances."""

    def told(kind: str, measures: Sequence[str]) -> str:
        if kind != "time-to-event":
            return f"the {'risks' if kind == 'binary' else 'means'} of {patients} patients were compared, {of_means}"
        hazards = f"the hazards of {patients} patients were compared by Cox regression"
        curves = f"event-free survival of {patients} patients was estimated by the Kaplan-Meier method"
        asked = {"hazard ratio" if name == "by type" else _bare(name) for name in measures}
        said = [
            words
            for words, wanted in ((hazards, "hazard ratio" in asked), (curves, bool(asked - {"hazard ratio"})))
            if wanted
        ]
        return f"{' and '.join(said)}, {of_times}"

    return told


def word(
    name: str,
    label: str,
    about: str,
    told: Callable[[str, Sequence[str]], str],
    balances: Literal["matching", "weighting"],
    citations: tuple[str, ...],
    calls: str,
) -> MethodSpec:
    """A word of the protocol that stands for balancing, the usual comparison and its variance."""
    return MethodSpec(
        name=name, label=label, about=about, outcomes=frozenset(MEASURES), measures=("by type", *ALL_MEASURES),
        also=ALL_MEASURES, kind="marginal", options=(BOOTSTRAP,), adjustable=True, clusters=("robust",), balances=balances,
        weighted=True, checks=("proportional-hazards",), draws=(), told=told, refuse=refuse, calls=calls, citations=citations,
        estimate=comparable,
    )  # fmt: skip

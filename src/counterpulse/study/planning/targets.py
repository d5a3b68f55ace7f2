"""The effect that an analysis is after: which measure a word means, and the people whom it may be about."""

from __future__ import annotations

from counterpulse.study.catalog import METHODS
from counterpulse.study.method_spec import MethodSpec
from counterpulse.study.planning.drafts import Desk, Draft
from counterpulse.study.planning.measures import STANDARDIZED_ODDS, split_measure

OTHERS = ("treated", "untreated")
MODELS = ("random-intercept", "gee")


def measures_for(desk: Desk, spec: MethodSpec, outcomes: tuple[str, ...]) -> tuple[str, ...]:
    """The measures of a method for outcomes of these kinds, the usual one of the first outcome first."""
    kinds = [desk.outcomes[name].kind for name in outcomes if name in desk.outcomes]
    known = [spec.by_kind[kind] for kind in kinds if kind in spec.by_kind]
    return tuple(dict.fromkeys(measure for measures in known for measure in measures)) or spec.measures


def measure_meant(draft: Draft, spec: MethodSpec, text: str, *, adjusted: bool) -> str:
    """The marginal odds ratio, where "odds ratio" cannot mean a coefficient or is not meant to."""
    if text != "odds ratio" or STANDARDIZED_ODDS not in spec.measures:
        return text
    node = draft.node
    clustered = node.clusters is not None and node.clusters.treat_as in MODELS
    asked = node.estimand is not None and node.estimand.kind == "marginal"
    marginal = asked and adjusted and not clustered and node.propensity is None
    return STANDARDIZED_ODDS if marginal or "odds ratio" not in spec.measures else text


def refuse_target(desk: Desk, draft: Draft, spec: MethodSpec, measures: tuple[str, ...], *, balanced: bool) -> None:
    """An effect in the treated, or in the untreated, that the method or the measure does not have."""
    estimand = draft.node.estimand
    target = None if estimand is None else estimand.target
    if balanced or target in (None, "all"):
        return
    able = spec.targeted
    wrong = [text for text in measures if split_measure(text)[0] not in able]
    if target in OTHERS and not wrong:
        return
    others = ", ".join(name for name, item in METHODS.items() if item.targeted or item.balances)
    what = f"its {wrong[0]} in" if able and wrong else "an effect in"
    desk.refuse(
        draft.where("estimand"), "E629", f"analysis {draft.node.id}: {spec.label} does not estimate {what} the {target}",
        f"{', '.join(able)} in the treated or the untreated" if able else others,
        "write target: all" + (f", or contrast: {able[0]}" if able and wrong else f", or another method: {others}"),
    )  # fmt: skip

"""What matching and weighting know, and what does not go with them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from counterpulse.protocol.nodes import GroupOutcome, Propensity
from counterpulse.source.yaml_file import YamlPath
from counterpulse.study.catalog import METHODS
from counterpulse.study.method_spec import MethodSpec
from counterpulse.study.planning.drafts import Desk, Draft

MATCHING = ("nearest", "optimal", "full", "subclasses", "coarsened-exact")
WEIGHTING = ("logistic", "entropy-balancing")
PAIRS = ("nearest", "optimal")

TARGETS: Mapping[str, tuple[str, ...]] = {
    "nearest": ("treated", "untreated", "matched"), "optimal": ("treated", "untreated", "matched"),
    "full": ("treated", "untreated", "all"), "subclasses": ("treated", "untreated", "all"),
    "coarsened-exact": ("treated", "untreated", "all"), "logistic": ("all", "treated", "untreated", "overlap", "matched"),
    "entropy-balancing": ("all", "treated", "untreated"),
}  # fmt: skip
"""Whom the effect may be about, the usual one first."""

KEYS: Mapping[str, frozenset[str]] = {
    "nearest": frozenset({"ratio", "caliper", "caliper_sd", "calipers", "exact", "anti_exact", "replacement", "order", "discard"}),
    "optimal": frozenset({"ratio", "caliper", "caliper_sd", "calipers", "exact", "anti_exact", "discard"}),
    "full": frozenset({"caliper", "exact"}),
    "subclasses": frozenset({"classes"}),
    "coarsened-exact": frozenset(),
    "logistic": frozenset({"stabilize", "trim", "trim_percentile", "truncate"}),
    "entropy-balancing": frozenset({"truncate"}),
}  # fmt: skip
"""What each way of balancing knows, besides the covariates of the score and the limit of balance."""

Misfit = tuple[YamlPath, str, str, str, str]
"""Where, which finding, what was seen, what is allowed, what to do."""


def refuse_misfits(
    desk: Desk, draft: Draft, spec: MethodSpec, node: Propensity, way: tuple[str, str], maker: str
) -> None:
    """Methods without weights, keys of another way, several treatments, other plans for immortal time."""
    misfits = (
        *_of_the_way(desk, draft, node, way),
        *_of_the_method(desk, draft, spec, way[0]),
        *_of_the_rest(draft, maker),
    )
    for path, code, seen, allowed, remedy in misfits:
        desk.refuse(path, code, f"analysis {draft.node.id}: {seen}", allowed, remedy)


def _of_the_way(desk: Desk, draft: Draft, node: Propensity, way: tuple[str, str]) -> Iterator[Misfit]:
    """A way of the other use, keys that it does not know, several treated groups."""
    (use, by), where = way, draft.where("propensity")
    ways = MATCHING if use == "matching" else WEIGHTING
    if by not in ways:
        yield where, "E722", f"'{by}' is no way of {use}", ", ".join(ways), "choose one of these, or leave `by` out"
    strange = sorted(node.model_fields_set & frozenset().union(*KEYS.values()) - KEYS[by])
    if strange:
        seen = f"`{', '.join(strange)}` means nothing to {use} by '{by}'"
        yield where, "E722", seen, ", ".join(sorted(KEYS[by])) or "no such key", f"take `{strange[0]}` out"
    groups = desk.nodes.groups
    if groups is not None and len(groups.treated) > 1 and use == "matching":
        yield (
            where, "E723", "matching of several treated groups", "one treated group and the reference; weighting takes several",
            "use weighting, or compare the treated groups in studies of their own",
        )  # fmt: skip


def _of_the_method(desk: Desk, draft: Draft, spec: MethodSpec, use: str) -> Iterator[Misfit]:
    """Methods that take no weights, measures and options that only everybody's model has."""
    where = draft.where("propensity")
    beside = [METHODS[name] for name in draft.node.also if name in METHODS]
    unable = [item.label for item in (spec, *beside) if not (item.weighted or item.balances)]
    if unable or desk.nodes.groups is None or isinstance(draft.node.outcome, GroupOutcome):
        who = unable[0] if unable else "an analysis without compared groups"
        able = ", ".join(name for name, item in METHODS.items() if item.weighted or item.balances)
        remedy = "choose one of these methods, or take `propensity` out"
        yield where, "E721", f"{who} takes no matched or weighted patients", able, remedy
    if spec.balances is None and (standardized := _standardized(draft, spec)):
        seen = f"a {standardized[0]} is not standardized from a model of matched or weighted patients"
        remedy = f"write method: propensity-{use}, which compares risks and means directly"
        yield where, "E726", seen, f"the {spec.measures[0]}", remedy
    for name in (item for item in ("interval", "penalty", "variance") if item in draft.node.options):
        option = spec.option(name)
        if option is not None and (name != "interval" or "wald" in option.allowed):
            seen = f"`{name}` in matched or weighted patients, whose variance is robust"
            yield draft.where(name), "E724", seen, "", f"take `{name}` out"


def _of_the_rest(draft: Draft, maker: str) -> Iterator[Misfit]:
    """Ladders and screens, clusters with a model of their own, plans for immortal time that weight by themselves."""
    where, clusters = draft.where("propensity"), draft.node.clusters
    if draft.node.models is not None or draft.node.screen is not None:
        seen = "a ladder of models or a screen in matched or weighted patients"
        yield (
            where,
            "E724",
            seen,
            "one outcome model",
            "write `adjust` alone, and the other models as sensitivity analyses",
        )
    if maker not in ("as observed", "landmark"):
        seen = f"matched or weighted patients with the plan '{maker}' for immortal time"
        remedy = "take `propensity` out (the plan weights by itself), or use a landmark"
        yield where, "E724", seen, "landmark, ignore-and-report", remedy
    if clusters is not None and clusters.treat_as != "robust":
        seen = f"clusters as {clusters.treat_as} in matched or weighted patients"
        remedy = "write as: robust, or match within centers (exact)"
        yield draft.where("clusters"), "E724", seen, "as: robust, or exact: a pair within a center", remedy


def _standardized(draft: Draft, spec: MethodSpec) -> list[str]:
    """Measures asked for that the method gets by standardizing a model."""
    estimand = draft.node.estimand
    asked = [
        *((estimand.contrast,) if estimand and estimand.contrast else ()), *(estimand.also if estimand else ()), *draft.node.also,
    ]  # fmt: skip
    return [measure for measure in asked if measure in spec.targeted]

"""How an analysis makes the compared groups comparable: matching or weighting by the probability of being treated."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from counterpulse.data.terms import Term, variables_of
from counterpulse.protocol.nodes import GroupOutcome, Propensity
from counterpulse.protocol.plan import PlannedBalancing, PlannedClause
from counterpulse.results import Choice
from counterpulse.source import did_you_mean
from counterpulse.study.catalog import METHODS
from counterpulse.study.method_spec import MethodSpec
from counterpulse.study.planning.adjustment import listed_terms
from counterpulse.study.planning.drafts import Desk, Draft
from counterpulse.study.planning.planned_models import Ladder
from counterpulse.study.planning.wording import term_text

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

REFERENCES = {
    "nearest": "rosenbaum-rubin-1985", "optimal": "ming-rosenbaum-2000", "full": "hansen-2004",
    "subclasses": "rosenbaum-rubin-1983", "coarsened-exact": "iacus-2012", "logistic": "lunceford-davidian-2004",
    "entropy-balancing": "hainmueller-2012", "overlap": "li-2018",
}  # fmt: skip
CALIPER = re.compile(
    r"(?P<width>\d+(?:\.\d+)?)\s*(?P<sd>SD)?(?:\s*of\s+(?:the\s+)?(?P<on>logit|probability|score))?",
    re.ASCII | re.IGNORECASE,
)
RATIO = re.compile(r"1\s*:\s*(?P<low>\d+)(?:\s*-\s*(?P<high>\d+))?", re.ASCII)
WHOM = {
    "all": "everybody", "treated": "the treated", "untreated": "the untreated",
    "overlap": "the patients who could receive either treatment", "matched": "the matched treated",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Balanced:
    """What is planned, for whom, and how a plan and a methods section say it; all of it empty where nothing is balanced."""

    planned: PlannedBalancing | None = None
    target: str | None = None
    choices: tuple[Choice, ...] = ()
    words: str | None = None
    clauses: tuple[PlannedClause, ...] = ()


def planned_balancing(
    desk: Desk, draft: Draft, spec: MethodSpec, outcomes: tuple[str, ...], ladder: Ladder, maker: str
) -> tuple[Balanced, Ladder]:
    """The balancing of an analysis, and what is left to adjust for after it."""
    node = draft.node.propensity
    use = spec.balances or (node.use if node is not None else None)
    if node is None and use is None:
        return Balanced(), ladder
    node = node or Propensity()
    if use is None:
        desk.refuse(
            draft.where("propensity"), "E720", f"analysis {draft.node.id} has `propensity` but does not say what it is used for",
            "use: matching or use: weighting", "write propensity: {use: matching, …}",
        )  # fmt: skip
        return Balanced(), ladder
    by = node.by or (MATCHING if use == "matching" else WEIGHTING)[0]
    _refuse_misfits(desk, draft, spec, node, use, by, maker)
    terms, ladder = _score(desk, draft, spec, outcomes, node, ladder)
    target = _target(desk, draft, by)
    options = {**_pairing(desk, draft, node, by), **_written(node, by)}
    planned = PlannedBalancing(
        use=use, by=by, terms=terms, options=options, balance_limit=node.balance_limit,
        across=node.imputations == "across",
    )  # fmt: skip
    said = _words(desk, planned, target)
    choices = tuple(_choices(planned, target, node, draft))
    works = tuple(dict.fromkeys(filter(None, (REFERENCES.get(target), REFERENCES[by]))))
    return Balanced(planned, target, choices, said, (PlannedClause(_clause(desk, planned, target), works),)), ladder


def _refuse_misfits(
    desk: Desk, draft: Draft, spec: MethodSpec, node: Propensity, use: str, by: str, maker: str
) -> None:
    """Methods without weights, keys of another way, several treatments, what is no comparison of groups."""
    analysis, where = draft.node.id, draft.where("propensity")
    beside = [METHODS[name] for name in draft.node.also if name in METHODS]
    unable = [item.label for item in (spec, *beside) if not (item.weighted or item.balances)]
    if unable or desk.nodes.groups is None or isinstance(draft.node.outcome, GroupOutcome):
        able = ", ".join(name for name, item in METHODS.items() if item.weighted or item.balances)
        desk.refuse(
            where, "E721", f"analysis {analysis}: {unable[0] if unable else 'an analysis without compared groups'} takes no matched or "
            "weighted patients", able, "choose one of these methods, or take `propensity` out",
        )  # fmt: skip
    if by not in (MATCHING if use == "matching" else WEIGHTING):
        desk.refuse(
            where, "E722", f"analysis {analysis}: '{by}' is no way of {use}", ", ".join(MATCHING if use == "matching" else WEIGHTING),
            "choose one of these, or leave `by` out",
        )  # fmt: skip
    strange = sorted(node.model_fields_set & frozenset().union(*KEYS.values()) - KEYS[by])
    if strange:
        desk.refuse(
            where, "E722", f"analysis {analysis}: `{', '.join(strange)}` means nothing to {use} by '{by}'",
            ", ".join(sorted(KEYS[by])) or "no such key", f"take `{strange[0]}` out",
        )  # fmt: skip
    groups = desk.nodes.groups
    if groups is not None and len(groups.treated) > 1 and use == "matching":
        desk.refuse(
            where, "E723", f"analysis {analysis}: matching of several treated groups", "one treated group and the reference; weighting takes several",
            "use weighting, or compare the treated groups in studies of their own",
        )  # fmt: skip
    if spec.balances is None and (standardized := _standardized(draft, spec)):
        desk.refuse(
            where, "E726", f"analysis {analysis}: a {standardized[0]} is not standardized from a model of matched or weighted patients",
            f"the {spec.measures[0]}", f"write method: propensity-{use}, which compares risks and means directly",
        )  # fmt: skip
    for name in (item for item in ("interval", "penalty", "variance") if item in draft.node.options):
        option = spec.option(name)
        if option is not None and "wald" in (*option.allowed, "wald" if name != "interval" else ""):
            desk.refuse(
                draft.where(name), "E724", f"analysis {analysis}: `{name}` in matched or weighted patients, whose variance is robust",
                "", f"take `{name}` out",
            )  # fmt: skip
    if draft.node.models is not None or draft.node.screen is not None:
        desk.refuse(
            where, "E724", f"analysis {analysis}: a ladder of models or a screen in matched or weighted patients",
            "one outcome model", "write `adjust` alone, and the other models as sensitivity analyses",
        )  # fmt: skip
    if maker not in ("as observed", "landmark"):
        desk.refuse(
            where, "E724", f"analysis {analysis}: matched or weighted patients with the plan '{maker}' for immortal time",
            "landmark, ignore-and-report", "take `propensity` out (the plan weights by itself), or use a landmark",
        )  # fmt: skip
    clusters = draft.node.clusters
    if clusters is not None and clusters.treat_as != "robust":
        desk.refuse(
            draft.where("clusters"), "E724", f"analysis {analysis}: clusters as {clusters.treat_as} in matched or weighted patients",
            "as: robust, or exact: a pair within a center", "write as: robust, or match within centers (exact)",
        )  # fmt: skip


def _standardized(draft: Draft, spec: MethodSpec) -> list[str]:
    """Measures asked for that the method gets by standardizing a model."""
    estimand = draft.node.estimand
    asked = [
        *((estimand.contrast,) if estimand and estimand.contrast else ()),
        *(estimand.also if estimand else ()),
        *draft.node.also,
    ]
    return [measure for measure in asked if measure in spec.targeted]


def _score(
    desk: Desk, draft: Draft, spec: MethodSpec, outcomes: tuple[str, ...], node: Propensity, ladder: Ladder
) -> tuple[tuple[Term, ...], Ladder]:
    """The covariates of the score: its own, else those of `adjust`, which then are no more in the outcome model."""
    terms = ladder.main.terms
    if node.model is not None:
        place = (*draft.where("propensity"), "model")
        terms = listed_terms(desk, draft, METHODS["propensity-matching"], outcomes, node.model, place)
    elif ladder.main.selection is None:
        ladder = ladder.without_terms()
    if ladder.main.selection is not None or not terms:
        desk.refuse(
            draft.where("propensity"), "E725", f"analysis {draft.node.id}: the propensity score has no covariates named in advance",
            ", ".join(desk.nodes.confounders), "name a set of confounders with propensity: {model: …} or adjust",
        )  # fmt: skip
    return terms, ladder


def _target(desk: Desk, draft: Draft, by: str) -> str:
    estimand = draft.node.estimand
    allowed = TARGETS[by]
    if estimand is None or estimand.target is None:
        return allowed[0]
    if estimand.target not in allowed:
        desk.refuse(
            draft.where("estimand"), "E726", f"analysis {draft.node.id}: '{by}' does not estimate the effect in '{estimand.target}'",
            ", ".join(allowed), f"write target: {allowed[0]}, or another way of balancing",
        )  # fmt: skip
    return "treated" if estimand.target == "matched" and by in PAIRS else estimand.target


def _pairing(desk: Desk, draft: Draft, node: Propensity, by: str) -> dict[str, object]:
    """The ratio and the caliper, whose words hold several choices."""
    found: dict[str, object] = {}
    where = draft.where("propensity")
    if node.ratio is not None and by in PAIRS:
        text = f"1:{node.ratio}" if isinstance(node.ratio, int) else node.ratio.strip()
        read = RATIO.fullmatch(text)
        low, high = (int(read["low"]), int(read["high"] or 0)) if read else (0, 0)
        if not read or low < 1 or (read["high"] and high <= low):
            desk.refuse((*where, "ratio"), "E727", f"analysis {draft.node.id}: `ratio` cannot be '{node.ratio}'",
                        "1:1, 1:2, …; 1:1-4 for a number that varies", "write ratio: 1:1")  # fmt: skip
        elif high:
            found |= {"ratio": (low + high) // 2 or 1, "min_controls": low, "max_controls": high}
        else:
            found["ratio"] = low
    if node.caliper is not None and str(node.caliper).lower() != "none" and "caliper" in KEYS[by]:
        read = CALIPER.fullmatch(str(node.caliper).strip())
        if not read or float(read["width"]) <= 0:
            desk.refuse((*where, "caliper"), "E727", f"analysis {draft.node.id}: `caliper` cannot be '{node.caliper}'",
                        "0.2 SD of logit, 0.2 SD of probability, none",
                        did_you_mean(str(node.caliper), ["0.2 SD of logit"]) or "write caliper: 0.2 SD of logit")  # fmt: skip
        else:
            found |= {"caliper": float(read["width"])}
            found |= {"on": "logit" if (read["on"] or "logit").lower() == "logit" else "probability"}
    return found


def _written(node: Propensity, by: str) -> dict[str, object]:
    """The other keys by the names that the methods of balancing have for them."""
    names = {"replacement": "replace", "calipers": "caliper_on", "classes": "count"}
    keys = sorted(KEYS[by] - {"ratio", "caliper"})
    return {names.get(key, key): value for key in keys if (value := getattr(node, key)) not in (None, (), {}, False)}


def _choices(planned: PlannedBalancing, target: str, node: Propensity, draft: Draft) -> Iterator[Choice]:
    given = draft.node.estimand is not None and draft.node.estimand.target is not None
    reference = REFERENCES.get(target) or REFERENCES[planned.by]
    yield Choice(planned.use, planned.by, "default" if node.by is None else "given", REFERENCES[planned.by])
    yield Choice("effect in", WHOM[target], "given" if given else "default", reference)
    yield Choice("propensity model", ", ".join(map(term_text, planned.terms)), "given")
    for name, value in planned.options.items():
        yield Choice(f"{planned.use}: {name.replace('_', ' ')}", _shown(value), "given")
    if planned.by in PAIRS:
        yield from _pair_defaults(planned)
    yield Choice("balance", f"standardized differences up to {planned.balance_limit:g}",
                 "given" if "balance_limit" in node.model_fields_set else "default", "austin-2009")  # fmt: skip


def _shown(value: object) -> str | float | int | bool:
    if isinstance(value, Mapping):
        return ", ".join(f"{name} within {width:g}" for name, width in value.items())
    if isinstance(value, tuple):
        return ", ".join(map(str, value))
    return value if isinstance(value, str | float | int | bool) else str(value)


def _pair_defaults(planned: PlannedBalancing) -> Iterator[Choice]:
    """What pairs are made by where the protocol does not say."""
    usual: dict[str, str | int | bool] = {"ratio": 1, "caliper": "none", "replace": False}
    if planned.by == "nearest":
        usual["order"] = "largest"
    for name, value in usual.items():
        if name not in planned.options:
            yield Choice(f"matching: {name}", value, "default")
    yield Choice("variance", "robust to matched pairs", "default", "abadie-spiess-2022")


def _words(desk: Desk, planned: PlannedBalancing, target: str) -> str:
    """The balancing as a composition names it."""
    if planned.use == "weighting":
        return (
            f"{'entropy balancing' if planned.by == 'entropy-balancing' else 'propensity weights'} for {WHOM[target]}"
        )
    ratio = planned.options.get("ratio", 1)
    kind = f"1:{ratio} {planned.by} matching" if planned.by in PAIRS else f"{planned.by.replace('-', ' ')} matching"
    caliper = planned.options.get("caliper")
    return kind + (f" within {caliper:g} SD of the {planned.options.get('on', 'logit')}" if caliper else "")


def _clause(desk: Desk, planned: PlannedBalancing, target: str) -> str:
    """The balancing as a methods section says it."""
    names = dict.fromkeys(
        desk.variables[name].label if name in desk.variables else name
        for term in planned.terms
        for name in variables_of(term)
    )
    of = ", ".join(names)
    limit = f"standardized differences up to {planned.balance_limit:g} counted as balance"
    if planned.by == "entropy-balancing":
        return f"patients were weighted by entropy balancing of {of} for the effect in {WHOM[target]}, and {limit}"
    if planned.by == "coarsened-exact":
        return f"patients were matched exactly on coarsened {of} for the effect in {WHOM[target]}, and {limit}"
    score = f"the probability of treatment was estimated by {'multinomial ' if _several(desk) else ''}logistic regression on {of}"
    if planned.use == "weighting":
        return f"{score}, patients were weighted by it for the effect in {WHOM[target]}, and {limit}"
    options = planned.options
    how = _words(desk, planned, target)
    more = "with replacement" if options.get("replace") else "without replacement" if planned.by in PAIRS else ""
    exact = options.get("exact")
    labels = (
        [desk.variables[name].label for name in exact if name in desk.variables] if isinstance(exact, tuple) else []
    )
    parts = [score, " ".join(part for part in (f"patients were matched on it by {how}", more) if part)]
    parts += [f"exactly on {', '.join(labels)}"] if labels else []
    return ", ".join(parts) + f", and {limit}"


def _several(desk: Desk) -> bool:
    return desk.nodes.groups is not None and len(desk.nodes.groups.treated) > 1

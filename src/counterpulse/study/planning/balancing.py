"""How an analysis makes the compared groups comparable: matching or weighting by the probability of being treated."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from counterpulse.data.terms import Term, variables_of
from counterpulse.protocol.nodes import Propensity
from counterpulse.protocol.plan import PlannedBalancing, PlannedClause
from counterpulse.protocol.selection_words import in_a_row
from counterpulse.results import Choice
from counterpulse.source import did_you_mean
from counterpulse.study.catalog import METHODS
from counterpulse.study.method_spec import MethodSpec
from counterpulse.study.planning.adjustment import listed_terms, refuse_the_outcome
from counterpulse.study.planning.balancing_misfits import KEYS, MATCHING, PAIRS, TARGETS, WEIGHTING, refuse_misfits
from counterpulse.study.planning.drafts import Desk, Draft
from counterpulse.study.planning.planned_models import Ladder
from counterpulse.study.planning.wording import term_text

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
    refuse_misfits(desk, draft, spec, node, (use, by), maker)
    terms, ladder = _score(desk, draft, spec, outcomes, node, ladder)
    if not terms:
        return Balanced(), ladder
    _refuse_pairing(desk, draft, node, outcomes)
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


def _refuse_pairing(desk: Desk, draft: Draft, node: Propensity, outcomes: tuple[str, ...]) -> None:
    """Pairs that are made by the group itself, or by what is to be compared."""
    for key, names in (("exact", node.exact), ("anti_exact", node.anti_exact), ("calipers", tuple(node.calipers))):
        place = (*draft.where("propensity"), key)
        refuse_the_outcome(desk, draft, names, outcomes, place)
        if desk.nodes.groups is not None and desk.nodes.groups.variable in names:
            desk.refuse(
                place, "E608", f"analysis {draft.node.id} matches on the group variable itself", "other variables than the compared groups",
                f"take it out of `{key}`",
            )  # fmt: skip


def _target(desk: Desk, draft: Draft, by: str) -> str:
    estimand = draft.node.estimand
    allowed = tuple(target for target in TARGETS[by] if target != "treated" or not _several(desk))
    if estimand is None or estimand.target is None:
        return allowed[0]
    if estimand.target not in allowed:
        desk.refuse(
            draft.where("estimand"), "E726", f"analysis {draft.node.id}: '{by}' does not estimate the effect in '{estimand.target}'"
            + (" of several groups" if estimand.target == "treated" else ""),
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
    of = in_a_row(list(names) or [""])
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

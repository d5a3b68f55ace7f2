"""What an analysis adjusts for: names, terms, and what may not stand in a model."""

from __future__ import annotations

from counterpulse.data.terms import Categorical, Interaction, Numeric, Term, variables_of
from counterpulse.protocol.nodes import Selection, TermNode
from counterpulse.study.catalog import METHODS
from counterpulse.study.drafts import Desk, Draft
from counterpulse.study.method_spec import MethodSpec
from counterpulse.study.outcomes import columns_behind


def adjustment(desk: Desk, draft: Draft, spec: MethodSpec, outcomes: tuple[str, ...]) -> tuple[Term, ...]:
    """The terms an analysis adjusts for; what cannot stand in its model is refused."""
    adjust = draft.node.adjust
    if adjust is None or adjust == "none":
        return ()
    if isinstance(adjust, Selection):
        desk.refuse(
            draft.where("adjust"), "E605", f"analysis {draft.node.id}: selection of covariates is not in this version",
            "a named set of confounders, a list of variables, or none", "name the adjustment set",
        )  # fmt: skip
        return ()
    if not spec.adjustable:
        adjustable = ", ".join(name for name, other in METHODS.items() if other.adjustable)
        desk.refuse(
            draft.where("adjust"), "E606", f"analysis {draft.node.id}: {spec.label} does not adjust for covariates",
            f"adjust: none, or a method that adjusts: {adjustable}", "take `adjust` out, or change the method",
        )  # fmt: skip
        return ()
    if isinstance(adjust, str):
        if adjust not in desk.nodes.confounders:
            return (adjust,) if adjust in desk.variables else ()
        listed = desk.nodes.confounders[adjust]
    else:
        listed = adjust
    terms = tuple(term for item in listed if (term := _term(desk, draft, item)) is not None)
    _refuse_the_outcome(desk, draft, terms, outcomes)
    _refuse_lone_interactions(desk, draft, terms)
    return terms


def _refuse_the_outcome(desk: Desk, draft: Draft, terms: tuple[Term, ...], outcomes: tuple[str, ...]) -> None:
    """What an outcome is made of predicts it perfectly and adjusts for nothing."""
    follow_up = {} if desk.nodes.follow_up is None else desk.nodes.follow_up.model_dump()
    for outcome in outcomes:
        made_of = {follow_up.get(name, name) for name in columns_behind(desk.nodes.outcomes[outcome])}
        for name in dict.fromkeys(name for term in terms for name in variables_of(term) if name in made_of):
            desk.refuse(
                draft.where("adjust"), "E621", f"analysis {draft.node.id} adjusts for '{name}', of which '{outcome}' is made",
                "covariates known before the outcome", "take it out of the adjustment set",
            )  # fmt: skip


def _refuse_lone_interactions(desk: Desk, draft: Draft, terms: tuple[Term, ...]) -> None:
    """An interaction without its main effects depends on where zero lies."""
    alone = {name for term in terms if not isinstance(term, Interaction) for name in variables_of(term)}
    for term in terms:
        if isinstance(term, Interaction) and (absent := [name for name in variables_of(term) if name not in alone]):
            desk.refuse(
                draft.where("adjust"), "E622", f"analysis {draft.node.id}: an interaction without {' and '.join(absent)} by itself",
                "an interaction of variables that are also in the list", f"add {', '.join(absent)} to the list",
            )  # fmt: skip


def _term(desk: Desk, draft: Draft, item: str | TermNode) -> Term | None:
    if isinstance(item, str):
        term: Term = item
    elif item.spline is not None:
        desk.refuse(
            draft.where("adjust"), "E607", f"analysis {draft.node.id}: splines are not in this version",
            "a name, log: yes, per: NUMBER, reference: LEVEL, interaction: [A, B]", "use the variable as it is",
        )  # fmt: skip
        return None
    elif item.interaction is not None:
        term = Interaction(*item.interaction)
    else:
        assert item.variable is not None
        numeric = item.log or item.per is not None
        term = Numeric(item.variable, item.per or 1.0, item.log) if numeric else item.variable
        if item.reference is not None:
            term = Categorical(item.variable, item.reference)
    if desk.nodes.groups is not None and desk.nodes.groups.variable in variables_of(term):
        desk.refuse(
            draft.where("adjust"), "E608", f"analysis {draft.node.id} adjusts for the group variable itself",
            "covariates other than the compared groups", "take it out of the adjustment set",
        )  # fmt: skip
        return None
    kinds = {name: desk.variables[name].kind for name in variables_of(term) if name in desk.variables}
    wrong = [name for name, kind in kinds.items() if kind in ("date", "datetime", "text", "id")]
    for name in wrong:
        desk.refuse(
            draft.where("adjust"), "E609", f"analysis {draft.node.id} adjusts for '{name}', a {kinds[name]}",
            "numbers, yes/no and categories", "derive a number or a category from it under `variables`",
        )  # fmt: skip
    return None if wrong else term

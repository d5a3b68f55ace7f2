"""What an analysis adjusts for: names, terms, and what may not stand in a model."""

from __future__ import annotations

from counterpulse.data.terms import Categorical, Interaction, Numeric, Term, variables_of
from counterpulse.protocol.nodes import TermNode
from counterpulse.source.yaml_file import YamlPath
from counterpulse.study.answers.splines import spline_term
from counterpulse.study.catalog import METHODS
from counterpulse.study.method_spec import MethodSpec
from counterpulse.study.patients.outcomes import columns_behind
from counterpulse.study.planning.drafts import Desk, Draft

Written = str | tuple[str | TermNode, ...] | None
"""A set of confounders by name, a variable, a list of terms, "none", or nothing."""


def listed_terms(
    desk: Desk, draft: Draft, spec: MethodSpec, outcomes: tuple[str, ...], written: Written, place: YamlPath
) -> tuple[Term, ...]:
    """The terms that a set of confounders or a list names; what cannot stand in a model is refused at its `place`."""
    if written is None or written == "none":
        return ()
    if not spec.adjustable:
        adjustable = ", ".join(name for name, other in METHODS.items() if other.adjustable)
        desk.refuse(
            place, "E606", f"analysis {draft.node.id}: {spec.label} does not adjust for covariates",
            f"adjust: none, or a method that adjusts: {adjustable}", f"take `{place[-1]}` out, or change the method",
        )  # fmt: skip
        return ()
    listed: tuple[str | TermNode, ...] = written if isinstance(written, tuple) else (written,)
    if isinstance(written, str) and written in desk.nodes.confounders:
        listed = desk.nodes.confounders[written]
    terms = _as_listed(tuple(term for item in listed if (term := _term(desk, draft, item, place)) is not None))
    refuse_the_outcome(desk, draft, terms, outcomes, place)
    _refuse_lone_interactions(desk, draft, terms, place)
    return terms


def _as_listed(terms: tuple[Term, ...]) -> tuple[Term, ...]:
    """An interaction is of the variables as they stand in the list: of the spline, of the logarithm."""
    own = {variables_of(term)[0]: term for term in terms if not isinstance(term, str | Interaction)}
    return tuple(
        Interaction(*(own.get(variables_of(side)[0], side) for side in (term.left, term.right)))
        if isinstance(term, Interaction)
        else term
        for term in terms
    )


def refuse_the_outcome(
    desk: Desk, draft: Draft, terms: tuple[Term, ...], outcomes: tuple[str, ...], place: YamlPath
) -> None:
    """What an outcome is made of predicts it perfectly and adjusts for nothing."""
    follow_up = {} if desk.nodes.follow_up is None else desk.nodes.follow_up.model_dump()
    for outcome in (name for name in outcomes if name in desk.nodes.outcomes):
        made_of = {follow_up.get(name, name) for name in columns_behind(desk.nodes.outcomes[outcome])}
        for name in dict.fromkeys(name for term in terms for name in variables_of(term) if name in made_of):
            desk.refuse(
                place, "E621", f"analysis {draft.node.id} adjusts for '{name}', of which '{outcome}' is made",
                "covariates known before the outcome", "take it out of the adjustment set",
            )  # fmt: skip


def _refuse_lone_interactions(desk: Desk, draft: Draft, terms: tuple[Term, ...], place: YamlPath) -> None:
    """An interaction without its main effects depends on where zero lies."""
    alone = {name for term in terms if not isinstance(term, Interaction) for name in variables_of(term)}
    for term in terms:
        if isinstance(term, Interaction) and (absent := [name for name in variables_of(term) if name not in alone]):
            desk.refuse(
                place, "E622", f"analysis {draft.node.id}: an interaction without {' and '.join(absent)} by itself",
                "an interaction of variables that are also in the list", f"add {', '.join(absent)} to the list",
            )  # fmt: skip


def _term(desk: Desk, draft: Draft, item: str | TermNode, place: YamlPath) -> Term | None:
    if isinstance(item, str):
        term: Term = item
    elif item.spline is not None or item.knots is not None:
        spline = spline_term(desk, draft, item, place)
        if spline is None:
            return None
        term = spline
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
            place, "E608", f"analysis {draft.node.id} adjusts for the group variable itself",
            "covariates other than the compared groups", "take it out of the adjustment set",
        )  # fmt: skip
        return None
    kinds = {name: desk.variables[name].kind for name in variables_of(term) if name in desk.variables}
    wrong = [name for name, kind in kinds.items() if kind in ("date", "datetime", "text", "id")]
    for name in wrong:
        desk.refuse(
            place, "E609", f"analysis {draft.node.id} adjusts for '{name}', a {kinds[name]}",
            "numbers, yes/no and categories", "derive a number or a category from it under `variables`",
        )  # fmt: skip
    return None if wrong else term

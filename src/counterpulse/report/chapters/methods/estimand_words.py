"""Which effect each analysis estimates, in words: conditional or marginal, and in whom."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from counterpulse.protocol.plan import Plan, PlannedAnalysis
from counterpulse.report.chapters.methods.balancing_words import WHOM
from counterpulse.report.chapters.speech import Speech, listed, paragraph
from counterpulse.report.document import Paragraph, Run
from counterpulse.report.measures import measure_of

NAMED = {
    "all": "the average treatment effect",
    "treated": "the average treatment effect in the treated",
    "untreated": "the average treatment effect in the untreated",
    "overlap": "the average treatment effect in the overlap population",
}
MATCHED = "matched "
"""How a target begins that is narrower than planned, because some found no match."""
BY_TYPE = "by type"
"""The measure of an analysis that takes the usual one of each outcome."""


def compares_groups(plan: Plan, item: PlannedAnalysis) -> bool:
    """Whether an analysis estimates an effect of the groups, and not of predictors."""
    own = not any(plan.outcomes[name].of_group for name in item.outcomes if name in plan.outcomes)
    first = item.measures[0] if item.measures else ""
    return bool(plan.groups) and own and not item.only_screen and (measure_of(first).contrasts or first == BY_TYPE)


def kind_of_effect(item: PlannedAnalysis) -> str:
    """Whether the plan says conditional or marginal."""
    return next((str(choice.value) for choice in item.choices if choice.name == "kind of effect"), "")


def estimand_paragraph(speech: Speech) -> Paragraph | None:
    """The effects of the primary and secondary analyses, those in the same patients together; and comparisons that are none."""
    whom: dict[str, list[PlannedAnalysis]] = {}
    bare: list[str] = []
    for item in speech.plan.analyses:
        if item.role in ("primary", "secondary") and kind_of_effect(item) and compares_groups(speech.plan, item):
            if is_effect(speech.plan, item):
                whom.setdefault(item.target, []).append(item)
            else:
                bare.append(item.id)
    runs = [run for target, items in whom.items() for run in _in(speech, target, items)]
    if bare:
        verb = "compare" if len(bare) > 1 else "compares"
        runs.append(Run(f"{listed(bare)} {verb} the groups as they {speech.are}, without adjustment."))
    return paragraph(*runs) if runs else None


def is_effect(plan: Plan, item: PlannedAnalysis) -> bool:
    """Whether chance, covariates, or balancing make the groups comparable, as far as they do."""
    groups = plan.protocol.groups
    by_chance = groups is not None and groups.assigned_by == "randomization"
    return by_chance or item.adjusted or item.balancing is not None


def _in(speech: Speech, target: str, items: Sequence[PlannedAnalysis]) -> Iterator[Run]:
    kinds: dict[str, list[str]] = {}
    for item in items:
        kinds.setdefault(_kind(item), []).append(item.id)
    whom = WHOM.get(target, target)
    if len(kinds) == 1:
        ((kind, ids),) = kinds.items()
        effects, were, are = ("effect", speech.was, "is") if len(ids) == 1 else ("effects", speech.were, "are")
        yield Run(f"The {effects} in {listed(ids)} {were} estimated in {whom} and {are} {kind}.")
    else:
        told = "; ".join(f"{kind} in {listed(ids)}" for kind, ids in kinds.items())
        yield Run(f"Effects {speech.were} estimated in {whom}: {told}.")
    yield from _matched(speech, target, [item for item in items if item.balancing and item.balancing.use == "matching"])


def _matched(speech: Speech, target: str, items: Sequence[PlannedAnalysis]) -> Iterator[Run]:
    """Whom the effect is about where not everybody found a match: known after the run, a condition before."""
    if speech.result is not None:
        rows = speech.result.estimates
        left = {row.analysis for row in rows if row.estimand is not None and row.estimand.target.startswith(MATCHED)}
        items = [item for item in items if item.id in left]
    if not items:
        return
    who, ids = WHOM.get(target, target), listed([item.id for item in items])
    some = (
        f"Some of {who} found no match: the" if speech.result is not None else f"Where some of {who} find no match, the"
    )
    yield Run(f"{some} effect in {ids} is that among the matched {target} patients.")


def _kind(item: PlannedAnalysis) -> str:
    """Conditional on what, or of which name where it is marginal."""
    kind = kind_of_effect(item)
    if kind != "conditional":
        return f"{kind} ({NAMED[item.target]})" if item.target in NAMED else kind
    given = ["the covariates"] if item.terms or item.models or item.selection is not None or item.screen else []
    clustered = item.clusters is not None and item.clusters.treat_as == "random-intercept"
    given += ["the cluster"] if clustered else []
    return f"conditional on {listed(given)}" if given else kind

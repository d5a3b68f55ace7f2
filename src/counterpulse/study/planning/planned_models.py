"""The models of an analysis as planned: one, a ladder of them, covariates to be selected, predictors one by one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from counterpulse.data.terms import Interaction, Term
from counterpulse.protocol.nodes import GroupOutcome, Selection
from counterpulse.protocol.plan import PlannedModel, PlannedSelection
from counterpulse.protocol.selection_words import selection_text
from counterpulse.results import Choice
from counterpulse.source import did_you_mean
from counterpulse.source.yaml_file import YamlPath
from counterpulse.study.catalog import METHODS
from counterpulse.study.method_spec import MethodSpec
from counterpulse.study.methods.by_type import chosen
from counterpulse.study.planning.adjustment import Written, listed_terms
from counterpulse.study.planning.drafts import Desk, Draft
from counterpulse.study.planning.wording import model_text, term_text
from counterpulse.study.request import slug

KEYS: Mapping[str, frozenset[str]] = {
    "stepwise": frozenset({"by", "enter", "stay", "screen"}),
    "forward": frozenset({"by", "enter", "screen"}),
    "backward": frozenset({"by", "stay", "screen"}),
    "lasso": frozenset({"folds", "rule", "screen"}),
    "screen": frozenset({"enter"}),
}
"""The keys that each way of selecting covariates knows, besides its candidates and those that always stay."""

REFERENCES = {"lasso": "tibshirani-1996", "stepwise": "heinze-2018", "repeats": "sauerbrei-schumacher-1992"}
RESERVED = ("screen", "selection-repeated", "competing-event")
"""Names of what is made beside the models of a ladder."""
UNMODELLED = ("random-intercept", "gee")


@dataclass(frozen=True, slots=True)
class Ladder:
    """The models of an analysis, the main one first (unnamed where it is the only one), and the predictors it screens.

    `only_screen` says that there is no model besides.
    """

    models: tuple[PlannedModel, ...]
    screen: tuple[Term, ...] = ()
    only_screen: bool = False

    @property
    def main(self) -> PlannedModel:
        """The model whose estimate counts."""
        return self.models[0]

    @property
    def adjusted(self) -> bool:
        """Whether the main model has covariates, or may come to have some."""
        return bool(self.main.terms or self.main.selection or self.only_screen)

    @property
    def modelled(self) -> bool:
        """Whether any model has covariates: then all are models, so that their estimates are of one kind."""
        return self.adjusted or any(model.terms or model.selection for model in self.models)

    def with_terms(self, extra: tuple[Term, ...]) -> Ladder:
        """Terms that stand in every model, the levels of a center for example."""
        models = tuple(replace(model, terms=(*model.terms, *extra)) for model in self.models)
        return replace(self, models=models)

    def without_terms(self) -> Ladder:
        """The main model alone, without covariates."""
        return replace(self, models=(replace(self.main, terms=()),))


def planned_models(desk: Desk, draft: Draft, spec: MethodSpec, outcomes: tuple[str, ...]) -> Ladder:
    """What the analysis adjusts for, in each of its models."""
    node = draft.node
    screen = _screen(desk, draft, spec, outcomes)
    if node.models is None:
        if node.main_model is not None:
            desk.refuse(draft.where("main_model"), "E641", f"analysis {node.id} has no `models` to choose a main one from",
                        "models: {NAME: ADJUSTMENT, …}", "take `main_model` out, or write `models`")  # fmt: skip
        model = _model(desk, draft, spec, outcomes, "", node.adjust, draft.where("adjust"))
        return Ladder((model,), screen, bool(screen) and node.adjust is None)
    place = draft.where("models")
    if node.adjust is not None:
        desk.refuse(place, "E640", f"analysis {node.id} has both `adjust` and `models`", "one of them",
                    "write the adjustment as a model of the ladder")  # fmt: skip
    models = [
        _model(desk, draft, spec, outcomes, name, written, (*place, name)) for name, written in node.models.items()
    ]
    if not models:
        desk.refuse(place, "E641", f"analysis {node.id} has a ladder without a model", "", "name at least one model")
        return Ladder((PlannedModel(name=""),), screen)
    _refuse_names(desk, draft, tuple(node.models))
    main = node.main_model or models[-1].name
    if main not in node.models:
        desk.refuse(
            draft.where("main_model"), "E641", f"analysis {node.id} has no model '{main}'", ", ".join(node.models),
            did_you_mean(main, list(node.models)) or "name one of these",
        )  # fmt: skip
    return Ladder(tuple(sorted(models, key=lambda model: model.name != main)), screen)


def _refuse_names(desk: Desk, draft: Draft, names: tuple[str, ...]) -> None:
    """A model's name is a part of the ids of its estimates."""
    seen: dict[str, str] = {}
    for name in names:
        id_ = slug(name)
        if not id_ or id_ in RESERVED:
            desk.refuse((*draft.where("models"), name), "E641", f"analysis {draft.node.id} has a model named '{name}'",
                        "a name of its own", "name it after what it adjusts for")  # fmt: skip
        elif id_ in seen:
            desk.refuse((*draft.where("models"), name), "E641",
                        f"analysis {draft.node.id} has models '{seen[id_]}' and '{name}', whose estimates have the same id",
                        "names that differ in more than blanks, commas, semicolons or dots", "rename one of them")  # fmt: skip
        seen[id_] = name


def _model(
    desk: Desk, draft: Draft, spec: MethodSpec, outcomes: tuple[str, ...], name: str, written: Written | Selection,
    place: YamlPath,
) -> PlannedModel:  # fmt: skip
    if not isinstance(written, Selection):
        return PlannedModel(name=name, terms=listed_terms(desk, draft, spec, outcomes, written, place))
    keep = listed_terms(desk, draft, spec, outcomes, written.keep, (*place, "keep"))
    return PlannedModel(name=name, terms=keep, selection=_selection(desk, draft, spec, outcomes, written, keep, place))


def _selection(
    desk: Desk, draft: Draft, spec: MethodSpec, outcomes: tuple[str, ...], node: Selection, keep: tuple[Term, ...],
    place: YamlPath,
) -> PlannedSelection:  # fmt: skip
    _refuse_the_method(desk, draft, spec, outcomes, place)
    _refuse_keys(desk, draft, node, place)
    listed = listed_terms(desk, draft, spec, outcomes, node.source, (*place, "from"))
    candidates = tuple(term for term in dict.fromkeys(listed) if term not in keep)
    if not candidates and (node.source is None or node.source == "none"):
        desk.refuse((*place, "from"), "E645", f"analysis {draft.node.id} selects covariates from nothing",
                    ", ".join(desk.nodes.confounders), "name the candidates: from: a set of confounders, or a list")  # fmt: skip
    alone = node.select in ("lasso", "screen") or node.screen is not None
    if alone and any(isinstance(term, Interaction) for term in candidates):
        desk.refuse(
            (*place, "from"), "E647", f"analysis {draft.node.id}: an interaction is a candidate where each is looked at alone",
            "variables", "take the interaction out, or use select: stepwise without `screen`",
        )  # fmt: skip
    enter, stay = node.enter, node.stay
    if enter is None:
        enter = 0.1 if node.select == "screen" else 0.05
    if stay is None:
        stay = max(0.1, enter)
    if node.select == "stepwise" and node.by == "p" and enter > stay:
        desk.refuse(
            (*place, "enter"), "E644", f"analysis {draft.node.id}: a covariate would enter at P < {enter:g} and leave at P >= {stay:g}",
            "enter at most stay", "write enter: 0.05 and stay: 0.10, or leave both out",
        )  # fmt: skip
    return PlannedSelection(
        method=node.select, candidates=candidates, keep=keep, by=node.by, enter=enter, stay=stay, screen=node.screen,
        folds=node.folds, rule=node.rule, repeats=node.repeats,
    )  # fmt: skip


def _refuse_the_method(desk: Desk, draft: Draft, spec: MethodSpec, outcomes: tuple[str, ...], place: YamlPath) -> None:
    """Candidates are compared by a likelihood, which not every method has."""
    used = [spec] if spec.measures != ("by type",) else [
        chosen(desk.outcomes[name].kind, adjusted=True) for name in outcomes if desk.outcomes[name].kind in spec.outcomes
    ]  # fmt: skip
    without = [item.label for item in used if item.likelihood is None]
    if spec.adjustable and without:
        able = ", ".join(name for name, other in METHODS.items() if other.likelihood is not None)
        desk.refuse(
            (*place, "select"), "E643", f"analysis {draft.node.id}: covariates of {without[0]} are not selected from the data",
            able, "name the adjustment set, or change the method",
        )  # fmt: skip
    clusters = draft.node.clusters
    if clusters is not None and clusters.treat_as in UNMODELLED:
        desk.refuse(
            (*place, "select"), "E648",
            f"analysis {draft.node.id}: covariates are not selected with clusters treated as {clusters.treat_as}",
            "clusters: {as: robust}, fixed or strata", "name the adjustment set, or treat the clusters otherwise",
        )  # fmt: skip


def _refuse_keys(desk: Desk, draft: Draft, node: Selection, place: YamlPath) -> None:
    """A key that does nothing is a misunderstanding."""
    known = set(KEYS[node.select])
    if node.by != "p":
        known -= {"enter", "stay"}
    for key in ("by", "enter", "stay", "screen", "folds", "rule"):
        if key in node.model_fields_set and key not in known:
            beside = f" by {node.by}" if node.by != "p" and key in KEYS[node.select] else ""
            desk.refuse(
                (*place, key), "E646", f"analysis {draft.node.id}: `{key}` means nothing to select: {node.select}{beside}",
                ", ".join(sorted(known)), f"take `{key}` out",
            )  # fmt: skip


def _screen(desk: Desk, draft: Draft, spec: MethodSpec, outcomes: tuple[str, ...]) -> tuple[Term, ...]:
    """Predictors, each in a model of its own."""
    if draft.node.screen is None:
        return ()
    place = draft.where("screen")
    terms = tuple(dict.fromkeys(listed_terms(desk, draft, spec, outcomes, draft.node.screen, place)))
    if not terms and spec.adjustable:
        desk.refuse(place, "E642", f"analysis {draft.node.id} screens no predictor", ", ".join(desk.nodes.confounders),
                    "name a set of confounders, or a list of variables")  # fmt: skip
    if any(isinstance(term, Interaction) for term in terms):
        desk.refuse(place, "E642", f"analysis {draft.node.id}: an interaction stands in no model of its own",
                    "variables", "take it out of `screen`")  # fmt: skip
    return terms


def refuse_nothing(desk: Desk, draft: Draft, spec: MethodSpec, ladder: Ladder) -> None:
    """Without compared groups a model is of its predictors; without either there is only the spread between clusters."""
    node = draft.node
    if desk.nodes.groups is not None and not isinstance(node.outcome, GroupOutcome):
        return
    if ladder.only_screen or spec.option("score") is not None:  # a score predicts without covariates
        return
    spread = node.clusters is not None and node.clusters.treat_as in ("random-intercept", "fixed")
    empty = [model.name for model in ladder.models if not (model.terms or model.selection)]
    companions = [name for name in node.also if name in METHODS and METHODS[name].adjustable and not ladder.main.terms]
    if (spec.adjustable and not spread and empty) or companions:
        words = f"{METHODS[companions[0]].label} of" if companions else f"model '{empty[0]}' of" if empty[0] else ""
        desk.refuse(
            draft.where("also" if companions else "models" if node.models else "adjust"), "E649",
            f"{words} analysis {node.id} estimates nothing: there are no compared groups and no predictors".strip(),
            "adjust: a list of predictors; a curve of all patients needs no model",
            "name the predictors, or use kaplan-meier or aalen-johansen for a time to an event",
        )  # fmt: skip


def ladder_choices(draft: Draft, ladder: Ladder) -> tuple[Choice, ...]:
    """The models, and how their rows are chosen, as provenance holds them."""
    node, named = draft.node, node_is_ladder(draft)
    choices = []
    if named:
        in_order = {model.name: model for model in ladder.models}
        text = "; ".join(f"{name}: {model_text(in_order[name])}" for name in node.models or () if name in in_order)
        choices.append(Choice("models", text, "given"))
        choices.append(Choice("main model", ladder.main.name, "given" if node.main_model is not None else "default"))
        rows = (
            "the same in every model, complete for all" if same_rows(draft) else "in each model its own complete rows"
        )
        choices.append(Choice("rows of the models", rows, "default" if node.same_rows is None else "given"))
    elif ladder.main.selection is None and not ladder.only_screen:
        adjusted = ", ".join(map(term_text, ladder.main.terms)) or "nothing"
        choices.append(Choice("adjusted for", adjusted, "default" if node.adjust is None else "given"))
    for model in ladder.models:
        if model.selection is not None:
            choices += _selection_choices(model.selection)
    if ladder.screen:
        choices.append(Choice("screened one by one", ", ".join(map(term_text, ladder.screen)), "given"))
    return tuple(choices)


def node_is_ladder(draft: Draft) -> bool:
    """Whether the analysis names its models."""
    return bool(draft.node.models)


def same_rows(draft: Draft) -> bool:
    """Whether the models of a ladder are fitted to the same rows, so that they can be compared."""
    return draft.node.same_rows is not False


def _selection_choices(selection: PlannedSelection) -> list[Choice]:
    reference = REFERENCES["lasso" if selection.method == "lasso" else "stepwise"]
    rest = "refitted without a penalty; " if selection.method == "lasso" else ""
    return [
        Choice("covariates", selection_text(selection, term_text), "given", reference),
        Choice("estimates after selection", f"{rest}intervals take no account of the selection", "default"),
        Choice("rows of the selection", "those complete for every candidate", "default"),
        Choice("selection repeated", f"in {selection.repeats} bootstrap samples" if selection.repeats else "no",
               "default" if selection.repeats == 200 else "given", REFERENCES["repeats"] if selection.repeats else None),
    ]  # fmt: skip

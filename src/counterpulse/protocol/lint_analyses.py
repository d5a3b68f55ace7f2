"""The analyses: roles, estimands, P values that answer no question, and honest planning."""

from __future__ import annotations

from datetime import date
from typing import Any

from counterpulse.protocol.desk import Desk
from counterpulse.protocol.nodes import Analysis, Registration, Selection
from counterpulse.source.yaml_file import YamlPath

CHANGES_THE_ESTIMAND = ("outcome", "population", "method", "immortal_time", "keep")


def lint_analyses(desk: Desk) -> None:
    """Check the analyses and what is promised about them."""
    _primaries(desk)
    for index, analysis in enumerate(desk.nodes.analyses):
        path = ("analyses", index)
        _sensitivity(desk, path, analysis)
        _promises(desk, path, analysis)
        _levels(desk, path, analysis.options)
        selected: dict[tuple[str, ...], Any] = {("adjust",): analysis.adjust}
        selected |= {("models", name): adjust for name, adjust in (analysis.models or {}).items()}
        for key in (key for key, adjust in selected.items() if isinstance(adjust, Selection)):
            desk.report("W263", (*path, *key), "covariates are selected from the data: intervals are too narrow and "
                        "P values too small", remedy="name an adjustment set that was argued beforehand")  # fmt: skip
    _circular_differences(desk)
    _refused_p_values(desk)
    _registration(desk)
    _amendments(desk)
    _trial(desk)
    _default_populations(desk)


def _primaries(desk: Desk) -> None:
    analyses = desk.nodes.analyses
    primaries = [index for index, analysis in enumerate(analyses) if analysis.role == "primary"]
    if not analyses:
        desk.report("W260", (), "no analysis is defined", remedy="add analyses: with one of role: primary")
    elif not primaries:
        desk.report("W260", ("analyses",), "no analysis has role: primary", key=True,
                    remedy="say which analysis answers the question of the study")  # fmt: skip
    hypotheses = sum(max(1, len(analyses[index].outcomes)) for index in primaries)
    if hypotheses > 1 and not any(analyses[index].multiplicity for index in primaries):
        desk.report(
            "W261", ("analyses", primaries[-1], "role"), f"{hypotheses} primary results without `multiplicity`",
            allowed="multiplicity: holm, hochberg, bonferroni or none", remedy="say how the type I error is kept",
        )  # fmt: skip


def _sensitivity(desk: Desk, path: YamlPath, analysis: Analysis) -> None:
    if analysis.of is None:
        if analysis.role == "sensitivity":
            desk.report("E262", path, f"the sensitivity analysis {analysis.id} does not say what it differs from",
                        remedy="add of: with the id of the other analysis")  # fmt: skip
        return
    changed = [key for key in CHANGES_THE_ESTIMAND if key in analysis.model_fields_set]
    if changed and analysis.estimand is None and desk.nodes.study.design != "review":
        desk.report(
            "W262", (*path, changed[0]), f"{analysis.id} changes {', '.join(changed)} and states no estimand: it is taken "
            f"to be that of {analysis.of}", remedy="add estimand: with contrast, kind and target",
        )  # fmt: skip


def _circular_differences(desk: Desk) -> None:
    of = {analysis.id: analysis.of for analysis in desk.nodes.analyses}
    for index, analysis in enumerate(desk.nodes.analyses):
        way, here = [analysis.id], analysis.of
        while here in of and here not in way:
            way.append(here)
            here = of[here]
        if here == analysis.id:
            desk.report("E230", ("analyses", index, "of"), f"analyses that differ from each other in a circle: "
                        f"{' of '.join((*way, analysis.id))}", remedy="describe one of them in full")  # fmt: skip


def _levels(desk: Desk, path: YamlPath, options: Any) -> None:  # noqa: ANN401  (options are what YAML holds)
    level = options.get("level")
    if isinstance(level, int | float) and not 0.5 <= level < 1:
        desk.report("E269", (*path, "level"), f"`level` is {level}", allowed="the level of the interval, such as 0.95",
                    remedy="write level: 0.95; the type I error is `alpha`")  # fmt: skip


def _refused_p_values(desk: Desk) -> None:
    nodes = desk.nodes
    if nodes.subgroups is not None and nodes.subgroups.p_values is True:
        desk.report("E264", ("subgroups", "p_values"), "a P value a stratum is refused: it does not say whether effects "
                    "differ", allowed="one interaction test a subgroup variable", remedy="remove p_values")  # fmt: skip
    if nodes.study.design == "randomized-trial" and nodes.report.table1.p_values is True:
        desk.report("E265", ("report", "table1", "p_values"), "P values in Table 1 of a randomized trial are refused: "
                    "differences at baseline are chance", allowed="p_values: no", remedy="write p_values: no")  # fmt: skip


def _registration(desk: Desk) -> None:
    study = desk.nodes.study
    registered = isinstance(study.registration, Registration)
    if study.planned == "registered":
        if not registered:
            desk.report("E267", ("study", "planned"), "planned: registered, and there is no registration",
                        remedy="add registration: with registry, id, and link or date")  # fmt: skip
        elif isinstance(study.registration, Registration) and not (study.registration.link or study.registration.date):
            desk.report("E267", ("study", "registration"), "a registration without link or date",
                        remedy="add date or link to registration")  # fmt: skip
    said = "data_seen_before_plan" in study.model_fields_set and study.data_seen_before_plan
    if said and study.planned is not None and study.planned != "after-data":
        desk.report("W268", ("study", "planned"), f"planned: {study.planned}, and data_seen_before_plan: yes",
                    remedy="write planned: after-data, or correct data_seen_before_plan")  # fmt: skip


def _promises(desk: Desk, path: YamlPath, analysis: Analysis) -> None:
    study = desk.nodes.study
    if analysis.planned == "registered" and study.registration == "none":
        desk.report("E267", (*path, "planned"), f"{analysis.id} is planned: registered, and the study is not registered",
                    remedy="add the registration under study, or write planned: stated")  # fmt: skip


def _amendments(desk: Desk) -> None:
    planned = {analysis.id: (index, analysis.planned) for index, analysis in enumerate(desk.nodes.analyses)}
    for index, amendment in enumerate(desk.nodes.amendments):
        try:
            date.fromisoformat(amendment.date)
        except ValueError:
            desk.report("E272", ("amendments", index, "date"), f"`{amendment.date}` is not a date",
                        allowed="year-month-day, as in 2025-02-10", remedy="write year, month, day")  # fmt: skip
        for name in amendment.touches if amendment.after_data_seen else ():
            where, promise = planned.get(name, (0, None))
            if promise in ("registered", "stated"):
                desk.report("W268", ("analyses", where, "planned"), f"{name} is planned: {promise}, and was changed after "
                            "data were seen", remedy="write planned: after-data")  # fmt: skip


def _trial(desk: Desk) -> None:
    nodes = desk.nodes
    if nodes.trial is not None and nodes.trial.randomization is not None and nodes.trial.randomization.seed is not None:
        desk.report(
            "E266", ("trial", "randomization", "seed"), "a seed for the allocation: a list that can be drawn again can be "
            "foreseen", allowed="a secret drawn from the operating system and kept apart", remedy="remove seed",
        )  # fmt: skip
    hypothesis = nodes.hypothesis
    if hypothesis is None:
        return
    if hypothesis.type != "superiority" and hypothesis.margin is None:
        desk.report("E270", ("hypothesis",), f"{hypothesis.type} without its margin", key=True,
                    remedy="add margin: with the largest difference that does not matter")  # fmt: skip
    if hypothesis.alpha is not None and "alpha" in nodes.model_fields_set and hypothesis.alpha != nodes.alpha:
        desk.report("E271", ("hypothesis", "alpha"), f"alpha is {hypothesis.alpha:g} here and {nodes.alpha:g} for the study",
                    remedy="write it once, under `alpha`")  # fmt: skip


def _default_populations(desk: Desk) -> None:
    defaults = [name for name, population in desk.nodes.populations.items() if population.default]
    for name in defaults[1:]:
        desk.report("E273", ("populations", name, "default"), f"`{defaults[0]}` is already the default population",
                    remedy="keep one default")  # fmt: skip

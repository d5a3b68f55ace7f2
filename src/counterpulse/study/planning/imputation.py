"""Missing values as the protocol wants them treated: left out and counted, or filled in several times."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from counterpulse.data.terms import variables_of
from counterpulse.protocol.nodes import MissingData, ProtocolNode
from counterpulse.protocol.plan import PlannedAnalysis, PlannedClause, PlannedImputation, PlannedShift
from counterpulse.results import Choice, Origin
from counterpulse.source.yaml_file import YamlPath
from counterpulse.study.method_spec import MethodSpec
from counterpulse.study.patients.derive import reads
from counterpulse.study.planning.drafts import Desk, Draft

IMPUTABLE = ("number", "integer", "category", "ordinal", "yesno", "condition")
NUMBERS = ("number", "integer")
USUAL_ITERATIONS = 5
BY_RULE = "as many as the percentage of incomplete patients, at least 20"
ORDER = "values are imputed first; whatever is resampled is resampled within each imputed table"


@dataclass(frozen=True, slots=True)
class Missing:
    """What is done about missing values in one analysis; `method` is None where the protocol does not say."""

    method: str | None
    choices: tuple[Choice, ...]
    imputation: PlannedImputation | None = None
    shifts: tuple[PlannedShift, ...] = ()
    clauses: tuple[PlannedClause, ...] = ()


def planned_missing(desk: Desk, draft: Draft) -> Missing:
    """What the analysis, or else the study, says of missing values; without the variables, which the models decide."""
    setting, path = _setting(desk, draft)
    if setting is None:
        return Missing(
            None,
            (Choice("missing values", "refused: the protocol does not say what to do with them", "default"),),
        )
    if setting.method == "complete-case":
        _refuse_strays(desk, draft, setting, path)
        return Missing(
            "complete-case", (Choice("missing values", "rows with a missing value are left out and counted", "given"),)
        )
    planned = PlannedImputation(
        columns=setting.variables if isinstance(setting.variables, tuple) else (), datasets=setting.datasets,
        iterations=setting.iterations or USUAL_ITERATIONS, methods=dict(setting.methods),
        center=None if setting.center == "none" else desk.nodes.data.site, center_as=setting.center, from_outcomes=setting.outcomes,
    )  # fmt: skip
    _refuse_types(desk, draft, setting, path)
    shifts = tuple(PlannedShift(variable=name, by=by) for name, steps in setting.shift.items() for by in steps if by)
    return Missing(
        "multiple-imputation", tuple(_choices(desk, setting)), planned, shifts, tuple(_clauses(desk, setting))
    )


def _setting(desk: Desk, draft: Draft) -> tuple[MissingData | None, YamlPath]:
    """The setting in force: that of the analysis stands on that of the study, key by key."""
    own, study = draft.node.missing_data, desk.nodes.missing_data
    if own is None:
        return study, ("missing_data",)
    if isinstance(own, str):
        own = MissingData(method=own)
    if study is not None and study.method == own.method:
        own = study.model_copy(update={name: getattr(own, name) for name in own.model_fields_set})
    return own, draft.where("missing_data")


def _refuse_strays(desk: Desk, draft: Draft, setting: MissingData, path: YamlPath) -> None:
    strays = sorted(setting.model_fields_set - {"method"})
    if strays and path != ("missing_data",):
        desk.refuse(
            path, "E728", f"analysis {draft.node.id}: `{', '.join(strays)}` goes with multiple imputation, not with complete cases",
            "missing_data: {method: multiple-imputation, …}", f"take `{strays[0]}` out",
        )  # fmt: skip


def _refuse_types(desk: Desk, draft: Draft, setting: MissingData, path: YamlPath) -> None:
    """What cannot be imputed, shifted, or imputed in the way that is asked."""
    named = setting.variables if isinstance(setting.variables, tuple) else ()
    for name in (*named, *setting.auxiliary, *setting.methods, *setting.shift):
        known = desk.variables.get(name)
        if known is None or known.kind not in IMPUTABLE:
            desk.refuse(
                path, "E728", f"analysis {draft.node.id}: '{name}' cannot be imputed" + (f": it is a {known.kind}" if known else ": there is no such variable"),
                "numbers, yes/no and categories", "name another variable, or derive a number or a category from it",
            )  # fmt: skip
        elif name in setting.shift and known.kind not in NUMBERS:
            desk.refuse(
                path, "E729", f"analysis {draft.node.id}: imputed values of '{name}', a {known.kind}, have no distance to be shifted by",
                "numbers", "shift a number, or name the values of the category as an analysis of its own",
            )  # fmt: skip
    if setting.center != "none" and desk.nodes.data.site is None:
        desk.refuse(
            path, "E728", f"analysis {draft.node.id}: the center takes part in the imputation, and the data name none",
            "data: {site: COLUMN}", "name the column of the center under `data`, or write center: none",
        )  # fmt: skip


def with_variables(
    desk: Desk, analysis: PlannedAnalysis, spec: MethodSpec, auxiliary: Sequence[str] = ()
) -> PlannedAnalysis:
    """The analysis whose imputation knows the variables of its models."""
    planned = analysis.imputation
    if planned is None:
        return analysis
    wanted = planned.columns or tuple(_of_models(desk, analysis, spec))
    columns, passive = _leaves(desk, (*wanted, *auxiliary))
    known = tuple(name for name in analysis.outcomes if desk.outcomes[name].of_group is None)
    outcomes = known if planned.from_outcomes else ()
    return _with_errors(
        replace(analysis, imputation=replace(planned, columns=columns, passive=passive, outcomes=outcomes))
    )


def _with_errors(analysis: PlannedAnalysis) -> PlannedAnalysis:
    """Intervals of quantiles that rest on a standard error, where the choice was left to the program: only these can be pooled."""
    if analysis.options.get("interval") != "by-size":
        return analysis
    text = "Hendricks-Koenker sandwich: the inversion of the rank test has no standard error that could be pooled"
    choices = tuple(choice for choice in analysis.choices if choice.name != "interval by size")
    options = {**analysis.options, "interval": "nid"}
    return replace(
        analysis, options=options,
        choices=(*choices, Choice("interval of quantiles", text, "derived", "hendricks-koenker-1992")),
    )  # fmt: skip


def shared_imputations(desk: Desk, analyses: Sequence[PlannedAnalysis]) -> list[PlannedAnalysis]:
    """The analyses, with one imputation for all that want it in the same way: of the variables and outcomes of all of them."""
    ways: dict[tuple[object, ...], list[PlannedImputation]] = {}
    for planned in (analysis.imputation for analysis in analyses):
        if planned is not None:
            ways.setdefault(planned.way, []).append(planned)
    joined = {way: _joined(desk, planned) for way, planned in ways.items()}
    for one in joined.values():
        _refuse_methods(desk, one)
    shared = [
        analysis if analysis.imputation is None else replace(analysis, imputation=joined[analysis.imputation.way])
        for analysis in analyses
    ]
    for analysis in shared:
        _refuse_shifts(desk, analysis)
    return shared


def _refuse_methods(desk: Desk, planned: PlannedImputation) -> None:
    """A way of imputing what is not imputed would be passed over in silence."""
    for name in planned.methods:
        if name not in planned.columns:
            why = "is computed from others in every table" if name in planned.passive else "takes part in no analysis"
            desk.refuse(
                ("missing_data",), "E728", f"`methods` names '{name}', which {why}", ", ".join(planned.columns),
                "name what is imputed, or take it out",
            )  # fmt: skip


def _refuse_shifts(desk: Desk, analysis: PlannedAnalysis) -> None:
    planned = analysis.imputation
    for name in dict.fromkeys(shift.variable for shift in analysis.shifts if planned is not None):
        if planned is not None and name in planned.passive:
            desk.refuse(
                ("missing_data",), "E729", f"analysis {analysis.id}: '{name}' is computed from others in every table, so it cannot be shifted",
                ", ".join(column for column in planned.columns if desk.variables[column].kind in NUMBERS),
                "shift what it is computed from",
            )  # fmt: skip


def _joined(desk: Desk, planned: Sequence[PlannedImputation]) -> PlannedImputation:
    columns = _in_order(desk, {name for one in planned for name in one.columns})
    outcomes = {name for one in planned for name in one.outcomes}
    return replace(
        planned[0], columns=columns, passive=_in_order(desk, {name for one in planned for name in one.passive}),
        outcomes=tuple(name for name in desk.outcomes if name in outcomes),
        ordered=tuple(name for name in columns if desk.variables[name].kind == "ordinal"),
    )  # fmt: skip


def _in_order(desk: Desk, names: Iterable[str]) -> tuple[str, ...]:
    wanted = set(names)
    return tuple(name for name in desk.variables if name in wanted)


def _of_models(desk: Desk, analysis: PlannedAnalysis, spec: MethodSpec) -> Iterator[str]:
    """The variables of the models, of the options that name variables, and of the subgroups."""
    for term in analysis.every_term:
        yield from variables_of(term)
    yield from () if analysis.balancing is None else analysis.balancing.exact
    for option in spec.options:
        if option.kind in ("name", "names"):
            value = analysis.options.get(option.name) or ()
            yield from (value,) if isinstance(value, str) else value  # type: ignore[misc]
    subgroups = desk.nodes.subgroups
    if subgroups is not None and subgroups.of == analysis.id:
        yield from (by if isinstance(by, str) else by.variable for by in subgroups.by)


def _leaves(desk: Desk, names: Iterable[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """What is imputed, and what is computed from it afterwards: a derived variable whose sources can all be imputed."""
    columns, passive, todo = set[str](), set[str](), list(dict.fromkeys(names))
    clusters = desk.nodes.data.site
    while todo:
        name = todo.pop()
        if name in columns or name in passive or name == clusters or desk.variables[name].kind not in IMPUTABLE:
            continue
        sources = _sources(desk.nodes, name)
        if sources and all(source in desk.variables and _is_imputable(desk, source) for source in sources):
            passive.add(name)
            todo += sources
        else:
            columns.add(name)
    return _in_order(desk, columns), _in_order(desk, passive)


def _sources(nodes: ProtocolNode, name: str) -> list[str]:
    """What a derived variable is computed from; nothing for a column or a measurement."""
    node = nodes.variables.get(name)
    return [] if node is None or node.table is not None else sorted(reads(node))


def _is_imputable(desk: Desk, name: str) -> bool:
    """Whether a variable, or all that it is computed from, can be imputed."""
    sources = _sources(desk.nodes, name)
    if sources:
        return all(source in desk.variables and _is_imputable(desk, source) for source in sources)
    return desk.variables[name].kind in IMPUTABLE


def _choices(desk: Desk, setting: MissingData) -> Iterator[Choice]:
    repeated = any(outcome.kind == "repeated" for outcome in desk.outcomes.values())

    def origin(key: str) -> Origin:
        return "given" if key in setting.model_fields_set else "default"

    yield Choice("missing values", "multiple imputation by chained equations", "given", "van-buuren-2011")
    yield Choice("imputed tables", setting.datasets or BY_RULE, origin("datasets"), "white-2011")
    yield Choice("iterations of imputation", setting.iterations or USUAL_ITERATIONS, origin("iterations"))
    yield Choice(
        "imputation model",
        "every variable from all others and the outcomes; of a time to an event, the event and the Nelson-Aalen hazard"
        + ("; of repeated measurements, the mean of each patient" if repeated else "")
        if setting.outcomes
        else "every variable from all others, without the outcomes",
        origin("outcomes"), "white-royston-2009",
    )  # fmt: skip
    if setting.center != "none":
        yield Choice("center in the imputation", setting.center, "given")
    yield Choice("pooling", "Rubin's rules, degrees of freedom of Barnard and Rubin", "default", "barnard-rubin-1999")
    yield Choice("order of imputation and bootstrap", ORDER, "default", "schomaker-heumann-2018")
    for name, steps in setting.shift.items():
        yield Choice(
            f"shift of imputed {name}", ", ".join(f"{step:g}" for step in steps), "given", "carpenter-kenward-2013"
        )


def _clauses(desk: Desk, setting: MissingData) -> Iterator[PlannedClause]:
    tables = f"{setting.datasets}" if setting.datasets else "as many"
    more = "" if setting.datasets else " as the percentage of incomplete patients, at least 20,"
    outcomes = ", the outcomes among the predictors," if setting.outcomes else ""
    yield PlannedClause(
        f"missing values were imputed by chained equations in {tables} tables{more}{outcomes} and estimates were pooled by Rubin's rules",
        ("van-buuren-2011", "white-2011", "barnard-rubin-1999"),
    )
    for name in setting.shift:
        label = desk.variables[name].label if name in desk.variables else name
        yield PlannedClause(
            f"imputed values of {label} were shifted to see when the conclusion changes", ("carpenter-kenward-2013",)
        )

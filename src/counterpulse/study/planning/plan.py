"""Protocol and dictionary become the plan: every choice resolved, or stated as its rule, before any data are read."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import PurePath
from typing import Literal

from counterpulse.data.dictionary import Dictionary
from counterpulse.data.terms import variables_of
from counterpulse.describe.quartiles import DEFINITIONS as QUARTILES
from counterpulse.describe.rules import LEVEL_TESTS, NUMERIC_TESTS, RULES
from counterpulse.errors import ProtocolError
from counterpulse.expression import Scope, parse, to_english, to_text
from counterpulse.protocol import Protocol
from counterpulse.protocol.lint import lint
from counterpulse.protocol.nodes import CountedTime, Outcome, ProtocolNode, SubgroupVariable
from counterpulse.protocol.plan import (
    Plan,
    PlannedAnalysis,
    PlannedCriterion,
    PlannedGroup,
    PlannedOutcome,
    PlannedPopulation,
    PlannedSubgroup,
    PlannedSubgroups,
    PlannedTableOne,
    PlannedVariable,
)
from counterpulse.protocol.scope import derived_kind, derived_levels, derived_unit, measured_column, study_scope
from counterpulse.results import Choice, Notice
from counterpulse.source import Finding, did_you_mean
from counterpulse.source.yaml_file import YamlPath
from counterpulse.study.catalog import METHODS, estimator_of
from counterpulse.study.description import lint_description
from counterpulse.study.methods.by_type import chosen
from counterpulse.study.patients.derive import levels_of
from counterpulse.study.patients.measurement_rules import check_measurements, measurement_words, with_table_dictionaries
from counterpulse.study.patients.outcomes import outcome_kind, time_unit
from counterpulse.study.planning.drafts import Desk, drafts
from counterpulse.study.planning.exposure_outcome import exposure_outcomes
from counterpulse.study.planning.flow_boxes import planned_flow
from counterpulse.study.planning.imputation import shared_imputations
from counterpulse.study.planning.later import kept_for_later
from counterpulse.study.planning.resolve import resolve
from counterpulse.study.planning.review import planned_review, review_groups, review_outcomes
from counterpulse.study.planning.robustness import planned_robustness, robustness_choices
from counterpulse.study.planning.truncation import better_of, label_of, planned_truncation, truncated_words

SUMMARIZED = ("number", "integer", "category", "ordinal", "yesno")
OF_FREQUENCY = ("risk", "survival", "incidence", "rate", "rmst")
"""What a measure is called that rests on how often the outcome occurs."""


def make_plan(protocol: Protocol, dictionary: Dictionary) -> Plan:
    """Resolve every choice of a protocol.

    Raises
    ------
    ProtocolError : with every finding of the protocol against its dictionary and against the methods of this version
    """
    plan, findings = draft_plan(protocol, dictionary)
    if plan is None:
        raise ProtocolError([finding for finding in findings if finding.severity == "error"])
    return plan


def draft_plan(protocol: Protocol, dictionary: Dictionary) -> tuple[Plan | None, tuple[Finding, ...]]:
    """The plan, or None where an error stands in the way; and all findings, warnings among them."""
    nodes = protocol.nodes
    dictionary = with_table_dictionaries(nodes, dictionary)
    findings = list(lint(protocol, dictionary))
    if any(finding.severity == "error" for finding in findings):
        return None, tuple(findings)
    scope = study_scope(nodes, dictionary)
    variables = _variables(nodes, dictionary, scope)
    outcomes = {name: _outcome(name, outcome, nodes, dictionary, scope) for name, outcome in nodes.outcomes.items()}
    outcomes |= exposure_outcomes(nodes) | review_outcomes(nodes)
    review = planned_review(nodes, {name: variable.label for name, variable in variables.items()})
    desk = Desk(nodes, protocol.file.position, variables, outcomes)
    kept_for_later(desk)
    check_measurements(desk, dictionary)
    _table_one_words(desk)
    _shown_by_level(desk)
    lint_description(desk)
    analyses = [resolve(desk, draft) for draft in drafts(nodes)]
    _subgroups_of_a_model(desk, analyses)
    _risks_of_cases(desk, analyses)
    robustness = planned_robustness(desk, analyses)
    resolved = tuple(shared_imputations(desk, [analysis for analysis in analyses if analysis is not None]))
    findings += desk.findings
    if any(finding.severity == "error" for finding in findings):
        return None, tuple(findings)
    plan = Plan(
        protocol=_without_folders(nodes),
        protocol_digest=protocol.digest,
        dictionary_digest=dictionary.digest,
        group_variable=nodes.groups.variable if nodes.groups else None,
        group_label=variables[nodes.groups.variable].label if nodes.groups else "",
        groups=_groups(nodes) if review is None else review_groups(review),
        review=review,
        time_zero=_time_zero(nodes, scope),
        variables=variables,
        criteria=tuple(_criteria(nodes, scope)),
        populations={name: _population(name, nodes, scope) for name in nodes.populations},
        outcomes=outcomes,
        table_one=None if review is not None else _table_one(nodes, resolved, variables),
        analyses=resolved,
        subgroups=_subgroups(nodes, variables),
        robustness=robustness,
        flow=planned_flow(nodes, scope),
        choices=(*_study_choices(nodes), *robustness_choices(nodes, robustness)),
        warnings=tuple(Notice(finding.code, finding.where.short(), _one_line(finding)) for finding in findings),
    )
    return plan, tuple(findings)


def _without_folders(nodes: ProtocolNode) -> ProtocolNode:
    """The protocol as a report may carry it: its files by name, not by where they lie on somebody's disk."""
    names = {key: PurePath(getattr(nodes.data, key)).name for key in ("table", "dictionary")}
    tables = {
        name: table.model_copy(
            update={key: PurePath(path).name for key in ("file", "dictionary") if (path := getattr(table, key))}
        )
        for name, table in nodes.tables.items()
    }
    return nodes.model_copy(update={"data": nodes.data.model_copy(update=names), "tables": tables})


def _one_line(finding: Finding) -> str:
    return f"{finding.seen}; {finding.remedy}" if finding.remedy else finding.seen


def _table_one_words(desk: Desk) -> None:
    """The rule, the quartiles and the tests of `table1` are words that description knows."""
    written = desk.nodes.table1
    if written is None:
        return
    words = [(("rule",), written.rule, tuple(RULES)), (("quartiles",), written.quartiles, tuple(QUARTILES))]
    for name, test in written.tests.items():
        numeric = desk.variables[name].kind in ("number", "integer") if name in desk.variables else False
        words.append((("tests", name), test, tuple(NUMERIC_TESTS if numeric else LEVEL_TESTS)))  # type: ignore[arg-type]
    for path, word, allowed in words:
        if word is not None and word not in allowed:
            desk.refuse(
                ("table1", *path), "E615", f"Table 1 does not know '{word}'", ", ".join(allowed),
                did_you_mean(word, list(allowed)) or "choose one of these",
            )  # fmt: skip


def _shown_by_level(desk: Desk) -> None:
    """Table 1 and subgroups print the levels of their variables: never ids, texts or dates, which are people."""
    table, subgroups = desk.nodes.table1, desk.nodes.subgroups
    shown: list[tuple[YamlPath, str]] = []
    if table is not None:
        shown += [(("table1", "variables", index), name) for index, name in enumerate(table.variables)]
    if subgroups is not None:
        names = [by if isinstance(by, str) else by.variable for by in subgroups.by]
        shown += [(("subgroups", "by", index), name) for index, name in enumerate(names)]
        groups = desk.nodes.groups
        for index, name in enumerate(names):
            if groups is not None and name == groups.variable:
                desk.refuse(
                    ("subgroups", "by", index), "E616", f"'{name}' makes the groups that each subgroup compares", "",
                    "name another variable",
                )  # fmt: skip
    for path, name in shown:
        if name in desk.variables and desk.variables[name].kind not in SUMMARIZED:
            desk.refuse(
                path, "E617", f"'{name}' is of type {desk.variables[name].kind}, and its values would be printed",
                "numbers, yes/no and categories", "derive a number or a category from it under `variables`",
            )  # fmt: skip


def _subgroups_of_a_model(desk: Desk, analyses: Sequence[PlannedAnalysis | None]) -> None:
    """Subgroups repeat a model of the compared groups; no other analysis has them."""
    subgroups = desk.nodes.subgroups
    if subgroups is None:
        return
    review = desk.nodes.study.design == "review"
    for analysis in (item for item in analyses if item is not None and item.id == subgroups.of):
        kinds = [desk.outcomes[name].kind for name in analysis.outcomes]
        clustered = analysis.clusters is not None
        used = [estimator_of(analysis)]
        if analysis.method == "by-type":
            used = [chosen(kind, adjusted=analysis.adjusted, clustered=clustered) for kind in kinds]
        if (desk.nodes.groups is None and not review) or not all(spec.subgroups for spec in used):
            desk.refuse(
                ("subgroups", "of"), "E619", f"subgroups of {analysis.id}, which is no model of compared groups",
                "an analysis by " + ", ".join(sorted(name for name, spec in METHODS.items() if spec.subgroups)),
                "name another analysis",
            )  # fmt: skip


def _risks_of_cases(desk: Desk, analyses: Sequence[PlannedAnalysis | None]) -> None:
    """Patients chosen by their outcome have no risk that could be told: a difference or a curve shows how they were chosen."""
    if desk.nodes.study.design != "case-control":
        return
    for index, node in enumerate(desk.nodes.analyses):
        item = next((known for known in analyses if known is not None and known.id == node.id), None)
        kinds = {desk.outcomes[name].kind for name in item.outcomes} if item is not None else set()
        risks = (
            [name for name in item.measures if any(word in name for word in OF_FREQUENCY)] if item is not None else []
        )
        if risks and kinds & {"binary", "time-to-event"}:
            desk.refuse(
                ("analyses", index), "W603", f"analysis {node.id} estimates a {risks[0]} in a case-control study, where patients were "
                "chosen by their outcome: it shows how they were chosen", "odds ratio", "use logistic-regression",
            )  # fmt: skip


def _groups(nodes: ProtocolNode) -> tuple[PlannedGroup, ...]:
    if nodes.groups is None:
        return ()
    treated = tuple(PlannedGroup(level, label, False) for level, label in nodes.groups.treated.items())
    return (*treated, *(PlannedGroup(level, label, True) for level, label in nodes.groups.reference.items()))


def _time_zero(nodes: ProtocolNode, scope: Scope) -> str:
    if isinstance(nodes.time_zero, CountedTime):
        return nodes.time_zero.text
    return _label(nodes.time_zero, scope) if nodes.time_zero else ""


def _variables(nodes: ProtocolNode, dictionary: Dictionary, scope: Scope) -> dict[str, PlannedVariable]:
    found = {
        variable.name: PlannedVariable(
            name=variable.name, label=variable.label, kind=variable.type, unit=variable.unit,
            levels=levels_of(variable.type, variable.levels), section=variable.section,
        )
        for variable in dictionary
    }  # fmt: skip
    for name, node in nodes.variables.items():
        kind = derived_kind(node, dictionary)
        found[name] = PlannedVariable(
            name=name, label=node.label or name, kind=kind, unit=derived_unit(node, dictionary),
            levels=levels_of(kind, derived_levels(node, dictionary)), definition=_definition(nodes, name, dictionary, scope),
        )  # fmt: skip
    return found


def _definition(nodes: ProtocolNode, name: str, dictionary: Dictionary, scope: Scope) -> str:
    node = nodes.variables[name]
    if node.table is not None:
        return measurement_words(node, dictionary)
    text = node.rule or node.value
    return to_english(parse(text), scope) if text is not None else _cases(nodes, name, scope)


def _cases(nodes: ProtocolNode, name: str, scope: Scope) -> str:
    parts = [
        f"{case.value} when {to_english(parse(case.when), scope)}"
        if case.when is not None
        else f"otherwise {case.otherwise}"
        for case in nodes.variables[name].cases or ()
    ]
    return "; ".join(parts)


def _criteria(nodes: ProtocolNode, scope: Scope) -> Iterator[PlannedCriterion]:
    for kind, criteria in (("include", nodes.eligibility.include), ("exclude", nodes.eligibility.exclude)):
        for criterion in criteria:
            rule = parse(criterion.rule)
            yield PlannedCriterion(
                id=criterion.id, kind=kind, text=criterion.text, rule=to_text(rule), english=to_english(rule, scope),
                if_unknown=criterion.if_unknown,
            )  # fmt: skip


def _population(name: str, nodes: ProtocolNode, scope: Scope) -> PlannedPopulation:
    node = nodes.populations[name]
    rule = parse(node.rule)
    return PlannedPopulation(
        name=name, label=node.label or name, rule=to_text(rule), english=to_english(rule, scope),
        analyze_as=node.analyze_as, if_unknown=node.if_unknown,
    )  # fmt: skip


def _outcome(name: str, outcome: Outcome, nodes: ProtocolNode, dictionary: Dictionary, scope: Scope) -> PlannedOutcome:
    unit = time_unit(outcome, dictionary)
    truncation = planned_truncation(outcome, nodes)
    return PlannedOutcome(
        name=name,
        label=label_of(outcome, name),
        kind=outcome_kind(outcome),
        definition=measurement_words(outcome, dictionary) if outcome.table else _outcome_words(outcome, nodes, scope),
        better=better_of(outcome),
        horizon=outcome.horizon.within(unit) if outcome.horizon and unit else None,
        time_unit=unit,
        unit=outcome.unit or (measured.unit if (measured := measured_column(outcome, dictionary)) else None),
        summary=outcome.summary,
        shown_as=outcome.shown_as,
        primary=outcome.primary,
        if_unknown=outcome.if_unknown,
        competing=truncation.label if truncation and truncation.plan == "competing" else outcome.competing,
        truncation=truncation,
    )


def _outcome_words(outcome: Outcome, nodes: ProtocolNode, scope: Scope) -> str:
    if (truncation := planned_truncation(outcome, nodes)) is not None:
        value = outcome.free_days.support if outcome.free_days else outcome.value
        return truncated_words(outcome, truncation, to_english(parse(value), scope) if value else "")
    if outcome.any_of is not None or outcome.first_of is not None:
        parts: Mapping[str, str] | tuple[str, ...] = outcome.any_of or outcome.first_of or ()
        labels = list(parts.values()) if isinstance(parts, Mapping) else [_label(name, scope) for name in parts]
        return f"{'any' if outcome.any_of is not None else 'the first'} of {', '.join(labels)}"
    if outcome_kind(outcome) == "time-to-event" and outcome.time is None:
        return f"time from {_time_zero(nodes, scope)} to {_label(str(outcome.event), scope)}"
    text = outcome.event or outcome.value
    words = to_english(parse(text), scope) if text is not None else ""
    return f"time to {_label(outcome.time, scope)} with the event where {words}" if outcome.time is not None else words


def _label(name: str, scope: Scope) -> str:
    return scope[name].label or name if name in scope else name


def _table_one(
    nodes: ProtocolNode, analyses: tuple[PlannedAnalysis, ...], variables: Mapping[str, PlannedVariable]
) -> PlannedTableOne | None:
    looks, written = nodes.report.table1, nodes.table1
    names = written.variables if written is not None else _baseline(nodes, analyses, variables)
    if not names:
        return None
    rule = written.rule if written and written.rule else "means"
    return PlannedTableOne(
        variables=names,
        rule=rule,
        p_values=looks.p_values is True,
        smd="smd" in looks.show and nodes.groups is not None,
        overall=looks.overall,
        smd_denominator=written.smd_denominator if written else "pooled",
        quartiles=(written.quartiles if written and written.quartiles else "linear (type 7)"),
        summaries={**_usual_summaries(rule, names, variables), **(written.summaries if written else {})},
        tests=written.tests if written else {},
    )


def _usual_summaries(
    rule: str, names: tuple[str, ...], variables: Mapping[str, PlannedVariable]
) -> dict[str, Literal["mean", "median", "both"]]:
    """Numbers are shown as the rule compares them: by mean and SD, or by median and quartiles."""
    summary: Literal["mean", "median"] = "median" if rule in ("medians", "gtsummary") else "mean"
    return {name: summary for name in names if variables[name].kind in ("number", "integer")}


def _baseline(
    nodes: ProtocolNode, analyses: tuple[PlannedAnalysis, ...], variables: Mapping[str, PlannedVariable]
) -> tuple[str, ...]:
    """What the models adjust for and the subgroups split by; where there is nothing, every column that can be summarized."""
    adjusted = [name for analysis in analyses for term in analysis.every_term for name in variables_of(term)]
    split = [] if nodes.subgroups is None else [by if isinstance(by, str) else by.variable for by in nodes.subgroups.by]
    listed = [name for terms in nodes.confounders.values() for item in terms if (name := _named(item))]
    wanted = list(dict.fromkeys([*listed, *adjusted, *split]))
    if not wanted:
        outcome_text = " ".join(str(outcome.model_dump()) for outcome in nodes.outcomes.values())
        taken = {nodes.groups.variable if nodes.groups else None, nodes.data.id, nodes.data.site}
        wanted = [name for name in variables if name not in taken and name not in outcome_text]
    return tuple(name for name in wanted if variables[name].kind in SUMMARIZED)


def _named(item: object) -> str | None:
    return item if isinstance(item, str) else getattr(item, "variable", None)


def _subgroups(nodes: ProtocolNode, variables: Mapping[str, PlannedVariable]) -> PlannedSubgroups | None:
    if nodes.subgroups is None:
        return None
    by = []
    for item in nodes.subgroups.by:
        node = SubgroupVariable(variable=item) if isinstance(item, str) else item
        by.append(
            PlannedSubgroup(
                variable=node.variable, label=node.label or variables[node.variable].label,
                cuts=tuple(sorted(node.cut)), levels=tuple(node.levels or ()),
            )
        )  # fmt: skip
    return PlannedSubgroups(of=nodes.subgroups.of, by=tuple(by), refit=nodes.subgroups.refit)


def _study_choices(nodes: ProtocolNode) -> Iterator[Choice]:
    """What holds for every analysis; a review has no patients to count or to describe."""
    yield Choice("alpha", nodes.alpha, "given" if "alpha" in nodes.model_fields_set else "default")
    if nodes.seed is not None:
        yield Choice("seed", nodes.seed, "given")
    if nodes.question is not None:
        return
    yield Choice(
        "numbers at risk", "n(T >= t), those under observation just before t", "default", "therneau-grambsch-2000"
    )
    yield Choice("quartiles", "linear interpolation (type 7)", "default", "hyndman-fan-1996")
    if nodes.tables:
        yield Choice(
            "windows of measurements",
            "both ends belong to a window; rows without a value are no measurements",
            "default",
        )
    yield Choice("small cells", nodes.privacy.small_cells, "given" if nodes.privacy.small_cells else "default")

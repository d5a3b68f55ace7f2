"""A study as a reporting event of the CDISC Analysis Results Standard (v1.0): what was analyzed, how, in whom, with which results.

Analysis sets and data subsets are where-clauses; every estimate is a result of an operation of its method. See
https://github.com/cdisc-org/analysis-results-standard
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from counterpulse.data.dictionary import Dictionary
from counterpulse.expression import Scope, parse, to_ars
from counterpulse.protocol.plan import Plan, PlannedAnalysis
from counterpulse.protocol.scope import study_scope
from counterpulse.results import REFERENCES, EstimateRow, StudyResult
from counterpulse.study.catalog import ESTIMATORS, METHODS
from counterpulse.study.method_spec import MethodSpec

Tree = dict[str, Any]
DATASET = "ADSL"
VERSION = 1
OPERATIONS = ("estimate", "conf_low", "conf_high", "std_error", "statistic", "p_value", "n", "events")
REASONS = {
    "primary": "SPECIFIED IN PROTOCOL", "secondary": "SPECIFIED IN PROTOCOL", "sensitivity": "SPECIFIED IN PROTOCOL",
    "exploratory": "DATA DRIVEN",
}  # fmt: skip
PURPOSES = {
    "primary": "PRIMARY OUTCOME MEASURE", "secondary": "SECONDARY OUTCOME MEASURE", "sensitivity": "SENSITIVITY ANALYSIS",
    "exploratory": "EXPLORATORY OUTCOME MEASURE",
}  # fmt: skip


def reporting_event(plan: Plan, dictionary: Dictionary, result: StudyResult) -> Tree:
    """The reporting event as a tree for JSON."""
    scope = study_scope(plan.protocol, dictionary)
    asked = (analysis.estimator or analysis.method for analysis in plan.analyses)
    used = dict.fromkeys((*(row.method for row in result.estimates), *asked))
    return {
        "id": result.identity.id,
        "version": VERSION,
        "name": result.identity.title,
        "mainListOfContents": _contents(plan),
        "analysisSets": list(_sets(plan, scope)),
        "analysisGroupings": list(_groupings(plan)),
        "dataSubsets": list(_subsets(plan, scope)),
        "methods": [
            _method(spec) for spec in (METHODS.get(name, ESTIMATORS.get(name)) for name in used) if spec is not None
        ],
        "analyses": [item for analysis in plan.analyses for item in _analyses(plan, analysis, result.estimates)],
        "referenceDocuments": [
            {"id": key, "name": REFERENCES[key]}
            for key in dict.fromkeys(key for record in result.analyses for key in record.citations)
            if key in REFERENCES
        ],
    }


def _contents(plan: Plan) -> Tree:
    items = [
        {
            "name": f"{analysis.id}: {analysis.label}",
            "level": 1,
            "order": order,
            "analysisId": f"{analysis.id}.{outcome}",
        }
        for order, (analysis, outcome) in enumerate(
            ((analysis, outcome) for analysis in plan.analyses for outcome in analysis.outcomes), start=1
        )
    ]
    return {"name": "List of analyses", "contentsList": {"listItems": items}}


def _sets(plan: Plan, scope: Scope) -> Iterator[Tree]:
    """Who is analyzed: the eligible, then each population among them."""
    parts = [
        (criterion.rule if criterion.kind == "include" else f"not ({criterion.rule})") for criterion in plan.criteria
    ]
    if plan.protocol.study.design == "randomized-trial":
        parts = []
    yield _clause("eligible", "Eligible", " and ".join(f"({part})" for part in parts), scope)
    for population in plan.populations.values():
        if population.rule is not None:
            yield _clause(population.name, population.label, population.rule, scope)


def _clause(id_: str, name: str, rule: str, scope: Scope) -> Tree:
    return {
        "id": id_,
        "name": name,
        "label": name,
        **(to_ars(parse(rule), scope) if rule else {"level": 1, "order": 1}),
    }


def _groupings(plan: Plan) -> Iterator[Tree]:
    if plan.group_variable is None:
        return
    groups = [
        {
            "id": group.level, "name": group.label, "level": 1, "order": order,
            "condition": {
                "dataset": DATASET, "variable": plan.group_variable, "comparator": "EQ", "value": [group.level],
            },
        }
        for order, group in enumerate(plan.groups, start=1)
    ]  # fmt: skip
    yield {
        "id": plan.group_variable, "name": plan.group_label, "groupingDataset": DATASET,
        "groupingVariable": plan.group_variable, "dataDriven": False, "groups": groups,
    }  # fmt: skip


def _subsets(plan: Plan, scope: Scope) -> Iterator[Tree]:
    for analysis in plan.analyses:
        if analysis.keep is not None:
            yield _clause(f"{analysis.id}.keep", f"Kept in {analysis.id}", analysis.keep, scope)


def _method(spec: MethodSpec) -> Tree:
    operations = [
        {"id": f"{spec.name}.{operation}", "name": operation, "order": order}
        for order, operation in enumerate(OPERATIONS, start=1)
    ]
    return {
        "id": spec.name,
        "name": spec.label,
        "label": spec.label,
        "description": spec.about,
        "operations": operations,
    }


def _analyses(plan: Plan, analysis: PlannedAnalysis, rows: Sequence[EstimateRow]) -> Iterator[Tree]:
    for name in analysis.outcomes:
        own = [row for row in rows if (row.analysis, row.outcome) == (analysis.id, name)]
        tree: Tree = {
            "id": f"{analysis.id}.{name}",
            "version": VERSION,
            "name": f"{analysis.label}: {plan.outcomes[name].label}",
            "description": analysis.sentence,
            "reason": {"controlledTerm": REASONS.get(analysis.role, "SPECIFIED IN PROTOCOL")},
            "purpose": {"controlledTerm": PURPOSES.get(analysis.role, "SECONDARY OUTCOME MEASURE")},
            "dataset": DATASET,
            "variable": name,
            "analysisSetId": analysis.population,
            "methodId": analysis.estimator or analysis.method,
            "orderedGroupings": []
            if plan.group_variable is None
            else [{"order": 1, "groupingId": plan.group_variable, "resultsByGroup": True}],
            "results": [result for row in own for result in _results(row, plan)],
        }
        yield tree | ({"dataSubsetId": f"{analysis.id}.keep"} if analysis.keep is not None else {})


def _results(row: EstimateRow, plan: Plan) -> Iterator[Tree]:
    """One result a number of the row; its place is the row's id."""
    shown = {**row.estimate.row(), "n": row.n, "events": row.events}
    groups = [
        {"groupingId": plan.group_variable, "groupId": level}
        for level in (row.estimate.term, row.estimate.reference)
        if plan.group_variable is not None and level in {group.level for group in plan.groups}
    ]
    for operation in OPERATIONS:
        if shown.get(operation) is not None:
            yield {
                "id": row.id, "operationId": f"{row.method}.{operation}", "resultGroups": groups,
                "rawValue": repr(shown[operation]), "description": row.estimate.measure,
            }  # fmt: skip

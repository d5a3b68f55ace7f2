"""Expressions of a protocol: can they be read, do they fit the dictionary, do derivations end."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from counterpulse.expression.check import check
from counterpulse.expression.nodes import Expression, Span, names
from counterpulse.expression.order import CircularDefinitionError, evaluation_order
from counterpulse.expression.parse import parse
from counterpulse.expression.problem import ExpressionError, Problem
from counterpulse.protocol.desk import Desk
from counterpulse.protocol.rules import Rule, rules_of
from counterpulse.protocol.scope import study_scope
from counterpulse.source import Finding
from counterpulse.source.yaml_file import YamlPath


def lint_rules(desk: Desk) -> None:
    """Read and check every expression, then look for derivations that go round in a circle."""
    eligible = study_scope(desk.nodes, desk.dictionary, populations=False)
    readable: dict[YamlPath, Expression] = {}
    for rule in rules_of(desk.nodes):
        try:
            expression = parse(rule.text)
        except ExpressionError as error:
            desk.findings.append(place_problem(desk, rule, error.problem))
            continue
        readable[rule.path] = expression
        scope = desk.scope if rule.populations else eligible
        for problem in check(expression, scope, expect=rule.wants):
            desk.findings.append(place_problem(desk, rule, problem))
    _lint_cycles(desk, "variables", readable)
    _lint_cycles(desk, "populations", readable)


def place_problem(desk: Desk, rule: Rule, problem: Problem) -> Finding:
    """Put a problem of an expression where it stands in the file; at the value's start where YAML folded or escaped it."""
    place = desk.protocol.where(rule.path)
    rest = (place.excerpt or "")[(place.column or 1) - 1 :]
    if rest.startswith(rule.text):
        return problem.finding(place)
    if rest[1:].startswith(rule.text) and place.column is not None:
        return problem.finding(replace(place, column=place.column + 1))
    return replace(problem, span=Span(0, 1)).finding(place)


def _lint_cycles(desk: Desk, section: str, readable: Mapping[YamlPath, Expression]) -> None:
    reads: dict[str, set[str]] = {}
    for path, expression in readable.items():
        if path[0] == section and path[1] not in desk.dictionary:
            reads.setdefault(str(path[1]), set()).update(names(expression))
    while True:
        try:
            evaluation_order(reads)
            return
        except CircularDefinitionError as error:
            desk.report(
                "E230", (section, error.cycle[0]), f"defined in a circle: {' reads '.join(error.cycle)}", key=True,
                allowed="each is derived from columns of the table, or from others that are",
                remedy="define one of them without the others",
            )  # fmt: skip
            for name in error.cycle:
                reads.pop(name, None)

"""From the table to the eligible patients with their outcomes, in R: the same rules, written out once more."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from counterpulse.data.dictionary import Dictionary
from counterpulse.expression import Scope, evaluation_order, names, parse, r_name, r_text, to_r
from counterpulse.protocol.nodes import CountedTime, DerivedVariable, ProtocolNode
from counterpulse.protocol.plan import Plan
from counterpulse.protocol.scope import derived_levels, study_scope
from counterpulse.protocol.words import HOURS, UNITS
from counterpulse.study.export.r_outcomes import elapsed, outcome_lines
from counterpulse.study.patients.derive import reads

EXPOSURE, FOLLOWED = "exposure_start.", "followed."
READ = {
    "number": "as.numeric({})", "integer": "as.numeric({})", "yesno": "yes_no({})", "date": "as.Date({})",
    "datetime": "moment({})", "id": "{}", "text": "{}",
}  # fmt: skip


def study_lines(plan: Plan, dictionary: Dictionary) -> Iterator[str]:
    """The R code that makes `patients`: read, derived, judged, with the columns of every outcome."""
    scope = study_scope(plan.protocol, dictionary)
    yield from _heading("The patients")
    yield 'patients <- read_patients("patients.csv")'
    yield "patients$row. <- seq_len(nrow(patients))"
    yield from _typed(plan, dictionary)
    yield from _heading("Derived variables")
    yield from _derived(plan.protocol, dictionary, scope)
    yield from _heading("Eligibility")
    yield from _eligibility(plan, scope)
    yield from _heading("Outcomes")
    yield from outcome_lines(plan.protocol, dictionary, scope)
    yield from _exposure(plan.protocol, dictionary, scope)
    yield from _populations(plan, scope)
    yield from _groups(plan)


def taken_elsewhere(nodes: ProtocolNode) -> tuple[str, ...]:
    """Variables that come from tables with several rows a patient: the file of patients holds them ready."""
    return tuple(name for name, node in nodes.variables.items() if node.table is not None)


def derived_again(plan: Plan, dictionary: Dictionary, wanted: Collection[str]) -> Iterator[str]:
    """The body of an R function of `patients` that computes derived variables anew."""
    nodes = plan.protocol
    some = {name: node for name, node in nodes.variables.items() if name in wanted}
    yield from _derived(nodes.model_copy(update={"variables": some}), dictionary, study_scope(nodes, dictionary))


def _heading(text: str) -> Iterator[str]:
    yield ""
    yield f"# -- {text} {'-' * (112 - len(text))}"
    yield ""


def _typed(plan: Plan, dictionary: Dictionary) -> Iterator[str]:
    for variable in dictionary:
        column = f"patients${r_name(variable.name)}"
        if variable.type in ("category", "ordinal"):
            levels = ", ".join(r_text(level) for level in variable.levels or ())
            yield (
                f"{column} <- factor({column}, levels = c({levels}))" if levels else f"{column} <- levels_of({column})"
            )
        elif READ[variable.type] != "{}":
            yield f"{column} <- {READ[variable.type].format(column)}"
    for name in taken_elsewhere(plan.protocol):
        column = f"patients${r_name(name)}"
        yield f"{column} <- {READ[plan.variables[name].kind].format(column)}"


def _derived(nodes: ProtocolNode, dictionary: Dictionary, scope: Scope) -> Iterator[str]:
    for name in evaluation_order({name: reads(node) for name, node in nodes.variables.items()}):
        node = nodes.variables.get(name)
        if node is not None and node.table is None:
            yield f"patients${r_name(name)} <- with(patients, {_definition(node, dictionary, scope)})"


def _definition(node: DerivedVariable, dictionary: Dictionary, scope: Scope) -> str:
    text = node.rule or node.value
    if text is not None:
        return to_r(parse(text), scope)
    code = next((r_text(case.otherwise) for case in node.cases or () if case.otherwise is not None), "NA")
    for case in reversed([case for case in node.cases or () if case.when is not None]):
        code = f"ifelse({to_r(parse(str(case.when)), scope)}, {r_text(str(case.value))}, {code})"
    if node.type == "number":
        return f"as.numeric({code})"
    levels = ", ".join(r_text(level) for level in derived_levels(node, dictionary))
    return f"factor({code}, levels = c({levels}))"


def _eligibility(plan: Plan, scope: Scope) -> Iterator[str]:
    yield "eligible <- rep(TRUE, nrow(patients))"
    if plan.protocol.study.design == "randomized-trial":
        yield "# nobody who was randomized is removed"
        return
    for criterion in plan.criteria:
        include = criterion.kind == "include"
        kept = criterion.if_unknown != "remove-patient"
        rule = f"with(patients, {to_r(parse(criterion.rule), scope)})"
        unknown = "TRUE" if include == kept else "FALSE"
        yield f"eligible <- eligible & {'' if include else '!'}unknown_is({rule}, {unknown})  # {_comment(criterion.text)}"


def _comment(text: str) -> str:
    return " ".join(text.split())


def _exposure(nodes: ProtocolNode, dictionary: Dictionary, scope: Scope) -> Iterator[str]:
    """Hours from time zero to treatment (never: infinite), and hours a patient is known to be alive and watched."""
    if nodes.exposure is None or nodes.exposure.starts is None:
        return
    starts = nodes.exposure.starts
    if scope[starts].kind in ("date", "datetime") and isinstance(nodes.time_zero, str):
        start = elapsed(nodes, starts, "hours")
    else:
        unit = UNITS.get((scope[starts].unit or "").lower(), "days")
        start = f"{r_name(starts)} * {HOURS[unit.removesuffix('s')]:g}"
    given = to_r(parse(nodes.exposure.given), scope)
    yield f"patients${EXPOSURE} <- with(patients, ifelse({given}, pmax(0, {start}), Inf))"
    yield f"patients${FOLLOWED} <- with(patients, {_alive(nodes)})"


def _alive(nodes: ProtocolNode) -> str:
    follow_up = nodes.follow_up
    if follow_up is None or isinstance(nodes.time_zero, CountedTime | None):
        return "rep(Inf, nrow(patients))"
    ends = [elapsed(nodes, name, "hours") for name in (follow_up.death, follow_up.last_seen) if name is not None]
    if follow_up.discharge is not None and follow_up.after_discharge != "alive":
        ends.append(elapsed(nodes, follow_up.discharge, "hours"))
    return f"first_known({', '.join([*ends, 'rep(Inf, nrow(patients))'])})"


def _populations(plan: Plan, scope: Scope) -> Iterator[str]:
    rules = {name: population.rule for name, population in plan.populations.items() if population.rule is not None}
    for name in evaluation_order({name: set(names(parse(rule))) for name, rule in rules.items()}):
        if name in rules:
            unknown = "TRUE" if plan.populations[name].if_unknown == "keep-patient" else "FALSE"
            yield f"patients${r_name(name)} <- unknown_is(with(patients, {to_r(parse(rules[name]), scope)}), {unknown})"


def _groups(plan: Plan) -> Iterator[str]:
    if plan.group_variable is None:
        return
    column = f"patients${r_name(plan.group_variable)}"
    yield f"{column} <- {compared(plan, plan.group_variable)}"
    for outcome in plan.outcomes.values():
        if outcome.of_group is not None:
            yield f"patients${r_name(outcome.name)} <- {column} == {r_text(outcome.of_group)}"


def compared(plan: Plan, column: str) -> str:
    """A column as the factor of the compared groups, the reference first; anyone else is NA."""
    levels = ", ".join(r_text(level) for level in (plan.reference, *plan.treated))
    return f"factor(level_text(patients${r_name(column)}), levels = c({levels}))"

"""Subgroups in R: the effect in each stratum from one model with an interaction, and one test of it a variable."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from counterpulse.data.terms import Categorical, Interaction, Numeric, Term, variables_of
from counterpulse.expression import r_name, r_text
from counterpulse.protocol.plan import PlannedSubgroup
from counterpulse.results import EstimateRow
from counterpulse.study.export.part import Part
from counterpulse.study.export.r_models import Model, call, data_lines, fit_lines, has_number, terms_of, wald
from counterpulse.study.export.r_terms import is_leveled
from counterpulse.study.patients.strata import cut_labels


def subgroup_lines(part: Part, model: Model) -> Iterator[str]:
    """The effect in each stratum, and one test of interaction a variable."""
    planned = part.plan.subgroups
    if planned is None or planned.of != part.analysis.id or planned.refit or part.group is None:
        return
    for subgroup in planned.by:
        rows = [row for row in part.rows if row.subgroup is not None and row.subgroup.variable == subgroup.variable]
        if rows:
            yield from _subgroup(part, model, subgroup, rows)


def _subgroup(part: Part, model: Model, subgroup: PlannedSubgroup, rows: Sequence[EstimateRow]) -> Iterator[str]:
    column, group = f"{subgroup.variable}.stratum", str(part.group)
    main = [term for term in terms_of(part, model) if variables_of(term) != (group,)]
    others = [term for term in main if subgroup.cuts or variables_of(term) != (subgroup.variable,)]
    inner = replace(part, kinds={**part.kinds, column: "category"})
    terms: tuple[Term, ...] = (group, *others, column, Interaction(group, column))
    yield f"sample${r_name(column)} <- {_stratum(subgroup, part)}"
    yield from _without_empty(part, subgroup, rows, column)
    yield from data_lines(inner, (group, *others, Categorical(column)), model)
    yield from fit_lines(inner, model, terms)
    yield f"strata <- levels(d${r_name(column)})"
    for row in rows:
        if row.subgroup is None or not has_number(row):
            continue
        own, level = f"{group}{row.estimate.term}", row.subgroup.level
        product = r_text(f"{own}:{column}{level}")
        wanted = f"c({r_text(own)}, if ({r_text(level)} != strata[1]) {product})"
        yield wald(row.id, [own], part, model.natural).replace(f"c({r_text(own)})", wanted)
    yield from _interaction(inner, model, _test_of(part, subgroup, "variable"), terms, (group, column))
    continuous = _test_of(part, subgroup, "continuous")
    if continuous is not None:
        number = Numeric(subgroup.variable)
        others = [term for term in main if term not in (subgroup.variable, number)]
        terms = (group, *others, number, Interaction(group, number))
        yield from data_lines(part, terms, model)
        yield from fit_lines(part, model, terms)
        yield from _interaction(part, model, continuous, terms, (group, subgroup.variable))


def _without_empty(part: Part, subgroup: PlannedSubgroup, rows: Sequence[EstimateRow], column: str) -> Iterator[str]:
    """A stratum in which a compared group has nobody takes no part."""
    empty = dict.fromkeys(
        row.subgroup.level for row in rows if row.subgroup is not None and any(count.n == 0 for count in row.groups)
    )
    if empty:
        name = r_name(column)
        yield f"sample${name}[sample${name} %in% c({', '.join(map(r_text, empty))})] <- NA"
        yield f"sample${name} <- droplevels(sample${name})"


def _test_of(part: Part, subgroup: PlannedSubgroup, what: str) -> str | None:
    """The id of the interaction test of a subgroup variable by its strata, or of the variable as a number."""
    term = "continuous" if what == "continuous" else subgroup.variable
    for row in part.of_measure("interaction"):
        if (row.estimate.variable, row.estimate.term) == (subgroup.variable, term) and has_number(row):
            return row.id
    return None


def _interaction(
    part: Part, model: Model, test: str | None, terms: tuple[Term, ...], product: tuple[str, str]
) -> Iterator[str]:
    if test is None:
        return
    wanted = f"product_of(m, {r_text(product[0])}, {r_text(product[1])})"
    if model.likelihood(part) and part.cluster is None and part.analysis.maker != "time-varying":
        yield f"likelihood_ratio({r_text(test)}, fit, {call(part, model, terms[:-1])}, m, {wanted})"
    else:
        yield f"joint({r_text(test)}, m, {wanted})"


def _stratum(subgroup: PlannedSubgroup, part: Part) -> str:
    column = f"sample${r_name(subgroup.variable)}"
    if subgroup.cuts:
        cuts = ", ".join(f"{cut!r}" for cut in subgroup.cuts)
        labels = ", ".join(map(r_text, cut_labels(subgroup.cuts)))
        return f"cut({column}, c(-Inf, {cuts}, Inf), right = FALSE, labels = c({labels}))"
    if subgroup.levels:
        names = ", ".join(r_text(", ".join(group)) for group in subgroup.levels)
        code = "NA"
        for group in subgroup.levels:
            code = f"ifelse(level_text({column}) %in% c({', '.join(map(r_text, group))}), {r_text(', '.join(group))}, {code})"
        return f"factor({code}, levels = c({names}))"
    if is_leveled(subgroup.variable, dict(part.kinds)):
        return f"droplevels({column})"
    return f"droplevels(as.factor(level_text({column})))"

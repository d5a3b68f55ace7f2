"""A regression model in R: the rows, the fit, every coefficient, joint tests, standardized risks."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from counterpulse.data.terms import Spline, Term, variables_of
from counterpulse.expression import r_name, r_text
from counterpulse.results import EstimateRow, finite_or_none
from counterpulse.study.answers.fitted_model import ROBUST
from counterpulse.study.export.part import Part
from counterpulse.study.export.r_terms import coefficient, formula, prepared
from counterpulse.study.patients.outcomes import columns_of
from counterpulse.study.request import cause_column, event_column

Code = Callable[[Part], str]


def never(part: Part) -> bool:
    """Interactions are tested by Wald's test."""
    return False


def rows_counted(part: Part) -> str:
    """What the degrees of freedom of complete data count: events of times, else patients."""
    if part.outcome.kind != "time-to-event":
        return "length(unique(d$row.))"
    if part.of_competing_event:
        return f'sum(d${r_name(cause_column(part.outcome.name))} == "competing")'
    return f"sum(d${r_name(event_column(part.outcome.name))})"


@dataclass(frozen=True, slots=True, kw_only=True)
class Model:
    """How R fits one kind of model.

    `measures` are what its coefficients are called; `response` the left side; `fit` the call with ``{formula}``; `natural`
    the function that a coefficient is read by; `numbers` what turns the fit into coefficients with their variance; `right`
    what the formula holds besides the terms, `columns` what it reads besides; `without` a variable that is no term;
    `likelihood` whether interactions are tested by likelihood ratio; `counted` what its degrees of freedom count; `packages` those
    it needs.
    """

    measures: tuple[str, ...]
    response: Code
    fit: Code
    natural: str
    numbers: Code
    right: Code = lambda part: ""
    columns: Callable[[Part], tuple[str, ...]] = lambda part: ()
    without: Callable[[Part], tuple[str, ...]] = lambda part: ()
    likelihood: Callable[[Part], bool] = never
    value: Callable[[EstimateRow, str, Part], str] | None = None
    packages: tuple[str, ...] = ()
    counted: Code = rows_counted


def model_lines(part: Part, model: Model) -> Iterator[str]:
    """The fit of a part and its coefficients."""
    terms = terms_of(part, model)
    yield from data_lines(part, terms, model)
    yield from fit_lines(part, model, terms)
    yield from coefficient_lines(part, model, part.rows, terms)


def terms_of(part: Part, model: Model) -> tuple[Term, ...]:
    """The terms of a part but for those that stand elsewhere in the formula."""
    return tuple(term for term in part.model_terms if variables_of(term)[0] not in model.without(part))


def coefficient_lines(part: Part, model: Model, rows: Sequence[EstimateRow], terms: Sequence[Term]) -> Iterator[str]:
    """Every coefficient and every joint test among the rows."""
    for row in rows:
        if row.subgroup is not None or not has_number(row):
            continue
        if row.estimate.measure in ("overall", "nonlinearity"):
            yield _joint(row, part, model, rows, terms)
        elif row.estimate.measure in (*model.measures, "coefficient") and row.estimate.variable is not None:
            yield _one(row, part, model, terms)


def has_number(row: EstimateRow) -> bool:
    """Whether there is something to compare."""
    return finite_or_none(row.estimate.value) is not None or finite_or_none(row.estimate.p_value) is not None


def standardized_lines(part: Part) -> Iterator[str]:
    """Marginal risks of a logistic model, by standardization."""
    reference = part.plan.reference if part.group is not None else ""
    for treated in part.plan.treated if part.group is not None else ():
        ids = {
            "difference": part.id_of("risk difference", treated), "ratio": part.id_of("risk ratio", treated),
            "odds": part.id_of("marginal odds ratio", treated), "treated": part.id_of("risk", treated), "reference": part.id_of("risk", reference),
        }  # fmt: skip
        if any(ids.values()):
            target = "" if part.analysis.target == "all" else f", target = {r_text(part.analysis.target)}"
            yield (
                f"standardized({listed(ids)}, fit, d, {r_text(str(part.group))}, {r_text(treated)}, {r_text(reference)}, "
                f"level = {part.analysis.level!r}{cluster_argument(part)}{target})"
            )


def cluster_argument(part: Part) -> str:
    """The clusters, and the variance that is asked for."""
    clusters = part.analysis.clusters
    if clusters is None:
        return ""
    given = "" if clusters.variance is None else f", given = {r_text(clusters.variance)}"
    return f", cluster = d${r_name(clusters.variable)}{given}"


def listed(ids: Mapping[str, str | None]) -> str:
    """Named ids as an R list, those that are absent left out."""
    return f"list({', '.join(f'{r_name(name)} = {r_text(id_)}' for name, id_ in ids.items() if id_ is not None)})"


def data_lines(part: Part, terms: Sequence[Term], model: Model, extra: Sequence[str] = ()) -> Iterator[str]:
    """The complete rows, with the columns that the formula needs."""
    columns = [
        *columns_of(part.outcome.name, part.outcome.kind),
        *(name for term in terms for name in variables_of(term)),
        *model.columns(part),
        *extra,
    ]
    columns += [part.cluster] if part.cluster is not None else []
    yield f"d <- complete(sample, c({', '.join(map(r_text, dict.fromkeys(columns)))}))"
    yield from prepared([term for term in terms if variables_of(term) != (part.group,)], dict(part.kinds))


def fit_lines(part: Part, model: Model, terms: Sequence[Term]) -> Iterator[str]:
    """The fit, and its numbers as `m`."""
    yield f"fit <- {call(part, model, terms)}"
    yield f"m <- {model.numbers(part)}"
    if part.imputations:
        clusters = part.analysis.clusters
        robust = clusters is not None and clusters.treat_as in ROBUST
        most = f", clusters = length(unique(d${r_name(str(part.cluster))}))" if robust else ""
        yield f"m <- completed(m, {model.counted(part)}{most})"


def call(part: Part, model: Model, terms: Sequence[Term]) -> str:
    """The call that fits."""
    return model.fit(part).format(formula=f"{model.response(part)} ~ {formula(terms)}{model.right(part)}")


def wald(id_: str, names: Sequence[str], part: Part, natural: str) -> str:
    """A sum of coefficients with its Wald interval."""
    wanted = ", ".join(map(r_text, names))
    return f"wald({r_text(id_)}, m, c({wanted}), level = {part.analysis.level!r}, natural = {natural})"


def _one(row: EstimateRow, part: Part, model: Model, terms: Sequence[Term]) -> str:
    name = coefficient(str(row.estimate.variable), row.estimate.term, dict(part.kinds), terms)
    natural = "identity" if row.estimate.measure == "coefficient" else model.natural
    if row.estimate.interval is None or row.estimate.interval.kind in ("wald", "rubin"):
        return wald(row.id, [name], part, natural)
    if model.value is not None:
        return model.value(row, name, part)
    return f"value_of({r_text(row.id)}, m, {r_text(name)}, {natural})"


def _joint(row: EstimateRow, part: Part, model: Model, rows: Sequence[EstimateRow], terms: Sequence[Term]) -> str:
    """The test of all coefficients of one variable, or of those that bend its spline; products of a spline among them."""
    variable = str(row.estimate.variable)
    if any(isinstance(term, Spline) and term.variable == variable for term in terms):
        bends = "TRUE" if row.estimate.measure == "nonlinearity" else "FALSE"
        return f"joint({r_text(row.id)}, m, spline_of(m, {r_text(variable)}, nonlinear = {bends}))"
    names = [
        coefficient(variable, item.estimate.term, dict(part.kinds), terms)
        for item in rows
        if item.estimate.variable == variable and item.estimate.measure in model.measures and has_number(item)
    ]
    return f"joint({r_text(row.id)}, m, c({', '.join(map(r_text, names))}))"

"""Regression models in R: the fit, its variance, every coefficient, standardized risks, subgroups."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from math import isnan

from counterpulse.data.terms import Categorical, Interaction, Term, variables_of
from counterpulse.expression import r_name, r_text
from counterpulse.protocol.plan import PlannedSubgroup
from counterpulse.results import EstimateRow
from counterpulse.study.export.part import Part
from counterpulse.study.export.r_study import r_name_dotted
from counterpulse.study.export.r_terms import coefficient, formula, is_leveled, prepared
from counterpulse.study.patients.outcomes import columns_of
from counterpulse.study.patients.strata import cut_labels
from counterpulse.study.request import START


@dataclass(frozen=True, slots=True, kw_only=True)
class Model:
    """How R fits one kind of model.

    `measures` are what its coefficients are called; `fit` is the call with ``{formula}``; `natural` the function that a coefficient is read by; `variances` the code of
    each variance by name; `df` the degrees of freedom; `likelihood` whether interactions are tested by likelihood ratio.
    """

    measures: tuple[str, ...]
    response: Callable[[Part], str]
    fit: Callable[[Part], str]
    natural: str
    variance: Callable[[Part], str]
    df: Callable[[Part], str] = lambda part: "Inf"
    likelihood: bool = True


def _y(part: Part) -> str:
    return r_name(part.outcome.name)


def _surv(part: Part) -> str:
    time, event = (r_name_dotted(name) for name in columns_of(part.outcome.name, "time-to-event"))
    return f"Surv({START}, {time}, {event})" if part.analysis.maker == "time-varying" else f"Surv({time}, {event})"


def _logistic_fit(part: Part) -> str:
    return "glm({formula}, family = binomial, data = d, control = glm.control(epsilon = 1e-14, maxit = 100))"


def _logistic_variance(part: Part) -> str:
    if part.cluster is None:
        return "vcov(fit)"
    return f'sandwich::vcovCL(fit, cluster = d${r_name(part.cluster)}, type = "HC0")'


def _linear_variance(part: Part) -> str:
    if part.cluster is not None:
        return f'sandwich::vcovCL(fit, cluster = d${r_name(part.cluster)}, type = "HC1")'
    return 'sandwich::vcovHC(fit, type = "HC3")' if part.option("variance") == "robust" else "vcov(fit)"


def _cox_fit(part: Part) -> str:
    more = [
        f'ties = "{part.option("ties")}"',
        "data = d",
        "control = coxph.control(eps = 1e-11, iter.max = 100)",
    ]
    cluster = part.cluster or ("row_of_origin" if part.analysis.maker == "time-varying" else None)
    if cluster is not None:
        more.append(f"cluster = d${r_name(cluster)}")
    return f"coxph({{formula}}, {', '.join(more)})"


LOGISTIC = Model(measures=("odds ratio",), response=_y, fit=_logistic_fit, natural="exp", variance=_logistic_variance)
LINEAR = Model(
    measures=("mean difference",), response=_y, fit=lambda part: "lm({formula}, data = d)", natural="identity", variance=_linear_variance,
    df=lambda part: "fit$df.residual", likelihood=False,
)  # fmt: skip
COX = Model(measures=("hazard ratio",), response=_surv, fit=_cox_fit, natural="exp", variance=lambda part: "vcov(fit)")


def model_lines(part: Part, model: Model) -> Iterator[str]:
    """The fit of a part and its coefficients."""
    yield from _data(part, part.model_terms)
    yield f"fit <- {_call(part, model, part.model_terms)}"
    yield f"V <- {model.variance(part)}"
    for row in part.rows:
        if row.estimate.measure == "overall":
            yield _joint(row, part, model)
        elif row.subgroup is None and row.estimate.variable is not None and _is_coefficient(row, model):
            name = coefficient(row.estimate.variable, row.estimate.term, dict(part.kinds), part.model_terms)
            wald = row.estimate.interval is None or row.estimate.interval.kind == "wald"
            yield _wald(row.id, [name], part, model) if wald else _value(row.id, name, model)


def standardized_lines(part: Part) -> Iterator[str]:
    """Marginal risks of a logistic model, by standardization."""
    reference = part.plan.reference
    for treated in part.plan.treated:
        ids = {
            "difference": part.id_of("risk difference", treated), "ratio": part.id_of("risk ratio", treated),
            "treated": part.id_of("risk", treated), "reference": part.id_of("risk", reference),
        }  # fmt: skip
        if any(ids.values()):
            cluster = "" if part.cluster is None else f", cluster = d${r_name(part.cluster)}"
            yield (
                f"standardized({listed(ids)}, fit, d, {r_text(str(part.group))}, {r_text(treated)}, {r_text(reference)}, "
                f"level = {part.analysis.level!r}{cluster})"
            )


def listed(ids: Mapping[str, str | None]) -> str:
    """Named ids as an R list, those that are absent left out."""
    return f"list({', '.join(f'{name} = {r_text(id_)}' for name, id_ in ids.items() if id_ is not None)})"


def _data(part: Part, terms: Sequence[Term], extra: Sequence[str] = ()) -> Iterator[str]:
    columns = [
        *columns_of(part.outcome.name, part.outcome.kind),
        *(name for term in terms for name in variables_of(term)),
    ]
    columns += [part.cluster] if part.cluster is not None else []
    columns += part.names("strata")
    named = ", ".join(map(r_text, dict.fromkeys([*columns, *extra])))
    yield f"d <- complete(sample, c({named}))"
    yield from prepared([term for term in terms if variables_of(term) != (part.group,)], dict(part.kinds))


def _call(part: Part, model: Model, terms: Sequence[Term]) -> str:
    strata = part.names("strata")
    right = formula(terms)
    if strata:
        right += f" + strata({', '.join(map(r_name, strata))})"
    return model.fit(part).format(formula=f"{model.response(part)} ~ {right}")


def _is_coefficient(row: EstimateRow, model: Model) -> bool:
    return row.estimate.measure in model.measures


def _wald(id_: str, names: Sequence[str], part: Part, model: Model) -> str:
    wanted = ", ".join(map(r_text, names))
    return (
        f"wald({r_text(id_)}, coef(fit), V, c({wanted}), level = {part.analysis.level!r}, natural = {model.natural}, "
        f"df = {model.df(part)})"
    )


def _joint(row: EstimateRow, part: Part, model: Model) -> str:
    """The test of all coefficients of one variable."""
    others = [
        item for item in part.rows if item.estimate.variable == row.estimate.variable and _is_coefficient(item, model)
    ]
    names = [
        coefficient(str(item.estimate.variable), item.estimate.term, dict(part.kinds), part.model_terms)
        for item in others
    ]
    return f"joint({r_text(row.id)}, coef(fit), V, c({', '.join(map(r_text, names))}), df = {model.df(part)})"


def _value(id_: str, name: str, model: Model) -> str:
    """An estimate whose interval is of another kind than R's summary gives."""
    return f"compare({r_text(id_)}, {model.natural}(coef(fit)[[coefficient_named(names(coef(fit)), {r_text(name)})]]))"


# -- subgroups -------------------------------------------------------------------------------------------------------


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
    """One model with the interaction of group and stratum; each stratum is a contrast of it."""
    column, group = f"{subgroup.variable}.stratum", str(part.group)
    others = tuple(term for term in part.terms if subgroup.cuts or variables_of(term) != (subgroup.variable,))
    inner = replace(part, kinds={**part.kinds, column: "category"})
    terms: tuple[Term, ...] = (group, *others, column, Interaction(group, column))
    yield f"sample${r_name_dotted(column)} <- {_stratum(subgroup, part)}"
    yield from _data(inner, (group, *others, Categorical(column)))
    yield f"fit <- {_call(inner, model, terms)}"
    yield f"V <- {model.variance(inner)}"
    yield f"strata <- levels(d${r_name_dotted(column)})"
    for row in rows:
        assert row.subgroup is not None
        main, level = f"{group}{row.estimate.term}", row.subgroup.level
        if isnan(row.estimate.value):
            continue
        wanted = f"c({r_text(main)}, if ({r_text(level)} != strata[1]) {r_text(f'{main}:{column}{level}')})"
        yield (
            f"wald({r_text(row.id)}, coef(fit), V, {wanted}, level = {part.analysis.level!r}, natural = {model.natural}, "
            f"df = {model.df(part)})"
        )
    yield from _interaction(inner, model, _test_of(part, subgroup, "variable"), terms)
    continuous = _test_of(part, subgroup, "continuous")
    if continuous is not None:
        others = tuple(term for term in part.terms if variables_of(term) != (subgroup.variable,))
        terms = (group, *others, subgroup.variable, Interaction(group, subgroup.variable))
        yield from _data(part, terms)
        yield f"fit <- {_call(part, model, terms)}"
        yield f"V <- {model.variance(part)}"
        yield from _interaction(part, model, continuous, terms)


def _test_of(part: Part, subgroup: PlannedSubgroup, what: str) -> str | None:
    """The id of the interaction test of a subgroup variable by its strata, or of the variable as a number."""
    term = "continuous" if what == "continuous" else subgroup.variable
    for row in part.of_measure("interaction"):
        if (row.estimate.variable, row.estimate.term) == (subgroup.variable, term):
            return row.id
    return None


def _interaction(part: Part, model: Model, test: str | None, terms: tuple[Term, ...]) -> Iterator[str]:
    if test is None:
        return
    if model.likelihood and part.cluster is None and part.analysis.maker != "time-varying":
        yield f"likelihood_ratio({r_text(test)}, fit, update(fit, . ~ . - {formula(terms[-1:])}))"
    else:
        yield f'joint({r_text(test)}, coef(fit), V, grep(":", names(coef(fit)), value = TRUE), df = {model.df(part)})'


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

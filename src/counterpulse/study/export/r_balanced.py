"""Matched and weighted patients in R: their weights given or computed again, their balance, and each method that takes weights."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from counterpulse.data.terms import Term, variables_of
from counterpulse.expression import r_name, r_text
from counterpulse.protocol.plan import Plan, PlannedAnalysis, PlannedBalancing
from counterpulse.results import Cell, StudyResult
from counterpulse.study.catalog import METHODS
from counterpulse.study.export.part import Part
from counterpulse.study.export.r_curves import conf_type
from counterpulse.study.export.r_kinds import COX, LOGISTIC
from counterpulse.study.export.r_methods import Exported
from counterpulse.study.export.r_models import has_number, listed, model_lines
from counterpulse.study.export.r_subgroups import subgroup_lines
from counterpulse.study.export.r_terms import formula, prepared
from counterpulse.study.patients.outcomes import columns_of
from counterpulse.study.request import UNIT, WEIGHT, slug

BALANCED = "balanced.csv"
PAIRS = ("nearest", "optimal")
NEEDED = ("exact", "anti_exact", "caliper_on")
"""Options of matching that name columns."""
CURVES = {False: ("risk difference", "risk ratio", "risk"), True: ("rmst difference", "rmst ratio", "rmst")}
"""What is read off a curve at a time, and of the area under it."""


def given_analyses(plan: Plan) -> list[PlannedAnalysis]:
    """The analyses whose sets and weights the script is given."""
    return [
        analysis for analysis in plan.analyses
        if analysis.balancing is not None and not computed(analysis, plan) and len(analysis.models) < 2
    ]  # fmt: skip


def computed(analysis: PlannedAnalysis, plan: Plan) -> bool:
    """Whether R makes the weights again: from a logistic score of two groups, one in each table."""
    balancing = analysis.balancing
    return balancing is not None and balancing.by == "logistic" and not balancing.across and len(plan.treated) == 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """A standardized difference of the bundle; `after` balancing, or before it."""

    id: str
    variable: str
    level: str | None
    after: bool
    denominator: str
    value: float


def differences_of(part: Part, result: StudyResult) -> tuple[Difference, ...]:
    """The balance of a part as the bundle holds it, of the covariates of its score."""
    if part.analysis.balancing is None or len(part.plan.treated) > 1:
        return ()
    variant = (slug(part.model),) if part.model else ()
    name = ".".join((part.analysis.id, *variant, part.outcome.name, "balance"))
    block = next((block for block in result.blocks if block.id == name), None)
    known = _covariates(part.analysis.balancing.terms)
    return () if block is None else tuple(one for one in _differences(name, block.rows()) if one.variable in known)


def _differences(name: str, rows: Sequence[Mapping[str, Cell]]) -> Iterator[Difference]:
    for row in rows:
        value, variable, level = row["smd"], str(row["variable"]), row["level"]
        if isinstance(value, float):
            of = variable if level is None else f"{variable}={slug(str(level))}"
            yield Difference(
                id=f"{name}.{row['sample']}.{of}", variable=variable, level=None if level is None else str(level),
                after=row["sample"] != "unadjusted", denominator=str(row["denominator"]), value=value,
            )  # fmt: skip


def balanced_lines(part: Part, differences: Sequence[Difference]) -> Iterator[str]:
    """The weights of the sample, the balance, and who goes on."""
    balancing, group = part.analysis.balancing, r_text(str(part.group))
    if balancing is None:
        return
    columns = dict.fromkeys((*_covariates(balancing.terms), *_named(balancing.options)))
    yield f"sample <- complete(sample, c({', '.join(map(r_text, columns))}))"
    treated = r_text(part.plan.treated[0])
    if computed(part.analysis, part.plan):
        yield "d <- sample"
        yield from prepared(balancing.terms, dict(part.kinds))
        yield (
            f"weighing <- weights_of(d, {r_text(formula(balancing.terms))}, {group}, {treated}, "
            f"{r_text(part.analysis.target)}{_options(balancing.options)})"
        )
        yield f"sample${WEIGHT} <- weighing$weights"
        yield f"sample${UNIT} <- NA"
    else:
        table = "table" if part.imputations else "0"
        yield f"sample <- balanced_patients(sample, {r_text(BALANCED)}, {r_text(part.name)}, {table})"
    for one in differences:
        level = "NULL" if one.level is None else r_text(one.level)
        yield (
            f"standardized_difference({r_text(one.id)}, sample, {r_text(one.variable)}, {level}, {group}, {treated}, "
            f"after = {'TRUE' if one.after else 'FALSE'}, {r_text(one.denominator)})"
        )
    if balancing.by in PAIRS and not balancing.across:
        yield from _again(part, balancing)
    if part.outcome.kind == "time-to-event" or not METHODS[part.analysis.method].balances:
        yield f"sample <- sample[sample${WEIGHT} > 0, ]"


def _covariates(terms: Sequence[Term]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(name for term in terms for name in variables_of(term)))


def _named(options: Mapping[str, object]) -> Iterator[str]:
    """Columns that the options of a matching name."""
    for key in NEEDED:
        value = options.get(key)
        yield from (
            (value,) if isinstance(value, str) else tuple(value) if isinstance(value, tuple | list | dict) else ()
        )


def _options(options: Mapping[str, object]) -> str:
    """How weights are trimmed, held and stabilized."""
    shown = {True: "TRUE", False: "FALSE"}
    return "".join(
        f", {name} = {shown[value] if isinstance(value, bool) else repr(value)}" for name, value in options.items()
    )


MATCHIT = {
    "ratio": "ratio", "caliper": "caliper", "on": "link", "replace": "replace", "exact": "exact", "order": "m.order",
}  # fmt: skip
"""Options that MatchIt has too, and what it calls them; a matching with others is not repeated."""
ORDERS = ("largest", "smallest", "closest", "farthest")


def _again(part: Part, balancing: PlannedBalancing) -> Iterator[str]:
    """The matching once more by the program whose pairs ours are, of imputed tables in the first."""
    options = balancing.options
    if set(options) - set(MATCHIT) or options.get("order", "largest") not in ORDERS:
        return
    given = {"method": r_text(balancing.by), "distance": '"glm"', "link": '"linear.logit"'}
    given["estimand"] = '"ATC"' if part.analysis.target == "untreated" else '"ATT"'
    for name, value in options.items():
        if name == "on":
            given["link"] = '"linear.logit"' if value == "logit" else '"logit"'
        elif name == "exact":
            given["exact"] = f"c({', '.join(map(r_text, _named({name: value})))})"
        else:
            given[MATCHIT[name]] = "TRUE" if value is True else r_text(value) if isinstance(value, str) else repr(value)
    yield "d <- sample"
    yield from prepared(balancing.terms, dict(part.kinds))
    arguments = ", ".join(f"{name} = {value}" for name, value in given.items())
    yield (
        f"{'if (table == 1) ' if part.imputations else ''}matched_again({r_text(part.name)}, d, "
        f"{r_text(formula(balancing.terms))}, {r_text(str(part.group))}, {r_text(part.plan.treated[0])}, list({arguments}))"
    )


# -- what is estimated in them ---------------------------------------------------------------------------------------


def _together(part: Part) -> str | None:
    """The column of those whose outcomes are not independent: clusters, else matched sets."""
    return part.cluster or (UNIT if _sets(part) else None)


def _sets(part: Part) -> bool:
    """Whether patients stand in sets of partners."""
    balancing = part.analysis.balancing
    return balancing is not None and balancing.by in (*PAIRS, "full") and not balancing.options.get("replace")


def _cox_fit(part: Part) -> str:
    together = _together(part)
    cluster = f", cluster = d${r_name(together)}" if together is not None else ""
    ties = part.analysis.options.get("ties", "efron")
    control = "control = coxph.control(eps = 1e-11, iter.max = 100)"
    return f'coxph({{formula}}, ties = "{ties}", data = d, weights = d${WEIGHT}{cluster}, {control})'


def _cox_numbers(part: Part) -> str:
    together, plain = _together(part), "numbers_of(coef(fit), vcov(fit))"
    return plain if together is None else f"unless_few({plain}, d${r_name(together)})"


def _logistic_numbers(part: Part) -> str:
    """Robust by set from 40 sets on, as without weights; of fewer the estimate alone."""
    together = _together(part)
    if together is None:
        return f"if (all(d${WEIGHT} == floor(d${WEIGHT}))) numbers_of(coef(fit), vcov(fit)) else numbers_of(coef(fit), sandwich::sandwich(fit))"
    return f"if (length(unique(d${r_name(together)})) < few_clusters) bare(coef(fit)) else by_cluster(fit, d${r_name(together)})"


WEIGHTED_COX = replace(COX, fit=_cox_fit, numbers=_cox_numbers, likelihood=lambda part: False)
WEIGHTED_LOGISTIC = replace(
    LOGISTIC, numbers=_logistic_numbers, likelihood=lambda part: False,
    fit=lambda part: f"suppressWarnings(glm({{formula}}, family = binomial, data = d, weights = d${WEIGHT}, control = tight))",
)  # fmt: skip


def _means_lines(part: Part) -> Iterator[str]:
    """Means or risks of the groups; standardized ones, and those of a bootstrap, are not repeated."""
    if part.terms or part.analysis.options.get("bootstrap"):
        return
    group, reference = str(part.group), part.plan.reference
    measure = "risk" if part.outcome.kind == "binary" else "mean"
    own = computed(part.analysis, part.plan)
    sources = ", sources = weighing$sources" if own else ""
    known = (
        own
        or part.analysis.balancing is None
        or part.analysis.balancing.use == "matching"
        or part.analysis.balancing.across
    )
    for treated in part.plan.treated:
        ids = {
            "difference": part.id_of(f"{measure} difference", treated), "ratio": part.id_of("risk ratio", treated),
            "odds": part.id_of("odds ratio", treated), "treated": part.id_of(measure, treated),
            "reference": part.id_of(measure, reference),
        }  # fmt: skip
        if any(ids.values()):
            cluster = f", cluster = sample${r_name(part.cluster)}" if part.cluster is not None else ""
            yield (
                f"compared_means({listed(ids)}, sample, {r_text(part.outcome.name)}, {r_text(group)}, {r_text(treated)}, "
                f"{r_text(reference)}, level = {part.analysis.level!r}{sources}{cluster}{'' if known else ', variance = FALSE'})"
            )


def _curve_lines(part: Part) -> Iterator[str]:
    """Risks and mean times from weighted curves, medians, and the test within matched sets."""
    together, columns = _together(part), columns_of(part.outcome.name, "time-to-event")
    yield f"d <- complete(sample, c({', '.join(map(r_text, (*columns, str(part.group))))}))"
    cluster = "NULL" if together is None else r_text(together)
    named = ", ".join(map(r_text, columns))
    for at in dict.fromkeys(row.estimate.at.time for row in part.rows if row.estimate.at is not None):
        for treated in part.plan.treated:
            for area, (difference, ratio, own) in CURVES.items():
                ids = {
                    "difference": part.id_of(difference, treated, at), "ratio": part.id_of(ratio, treated, at),
                    "treated": part.id_of(own, treated, at), "reference": part.id_of(own, part.plan.reference, at),
                }  # fmt: skip
                if any(ids.values()):
                    yield (
                        f"balanced_contrasts({listed(ids)}, d, {named}, {r_text(str(part.group))}, {r_text(treated)}, "
                        f"{r_text(part.plan.reference)}, {at!r}, level = {part.analysis.level!r}, {cluster}, "
                        f"area = {'TRUE' if area else 'FALSE'}, conf_type = {r_text(conf_type(part))})"
                    )
    for row in part.of_measure("median survival time"):
        own = f"d[d${r_name(str(part.group))} == {r_text(row.estimate.term)}, ]"
        kind = f"level = {part.analysis.level!r}, {cluster}, {r_text(conf_type(part))}"
        yield f"weighted_median({r_text(row.id)}, {own}, {named}, {kind})"
    test = next(part.of_measure("test of curves"), None)
    sets = _sets(part)
    if test is not None and not part.names("strata") and (sets or len(part.plan.treated) == 1):
        rho = 1 if part.option("compare_with") == "peto-peto" else 0
        function = "test_within_sets" if sets else "test_of_weighted"
        yield f"{function}({r_text(test.id)}, d, {named}, {r_text(str(part.group))}, rho = {rho})"


def _cox_lines(part: Part) -> Iterator[str]:
    yield from model_lines(part, WEIGHTED_COX)
    yield from subgroup_lines(part, WEIGHTED_COX)
    yield from _curve_lines(part)


def _logistic_lines(part: Part) -> Iterator[str]:
    yield from model_lines(part, WEIGHTED_LOGISTIC)
    yield from subgroup_lines(part, WEIGHTED_LOGISTIC)


def _comparable_lines(part: Part) -> Iterator[str]:
    """Means directly; times by Cox's model and curves under the usual options."""
    if part.outcome.kind != "time-to-event":
        yield from _means_lines(part)
        return
    options = {option.name: option.default for option in METHODS["cox"].options}
    part = replace(part, analysis=replace(part.analysis, options=options))
    if any(has_number(row) for row in part.of_measure("hazard ratio")):
        yield from model_lines(part, WEIGHTED_COX)
    yield from _curve_lines(part)


BALANCED_METHODS: Mapping[str, Exported] = {
    "propensity-matching": Exported(_comparable_lines),
    "propensity-weighting": Exported(_comparable_lines),
    "cox": Exported(_cox_lines),
    "kaplan-meier": Exported(_curve_lines),
    "rmst": Exported(_curve_lines),
    "logistic-regression": Exported(_logistic_lines, lambda part: ("sandwich", "clubSandwich")),
}
"""Methods of balanced patients. What is not here is listed as not exported."""

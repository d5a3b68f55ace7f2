"""Each kind of regression model in R: its call, its variance, what its coefficients are called."""

from __future__ import annotations

from collections.abc import Mapping

from counterpulse.expression import r_name, r_text
from counterpulse.results import EstimateRow
from counterpulse.study.export.part import Part
from counterpulse.study.export.r_models import Code, Model, cluster_argument
from counterpulse.study.patients.outcomes import columns_of
from counterpulse.study.request import START, cause_column, time_column

CONTROL = "control = glm.control(epsilon = 1e-14, maxit = 100)"
PLAIN = "numbers_of(coef(fit), vcov(fit))"


def _y(part: Part) -> str:
    return r_name(part.outcome.name)


def _always(part: Part) -> bool:
    return True


def _clustered(part: Part, more: str = "") -> str:
    return f"by_cluster(fit{cluster_argument(part)}{more})"


# -- logistic and linear ---------------------------------------------------------------------------------------------


def _logistic_numbers(part: Part) -> str:
    return PLAIN if part.cluster is None else _clustered(part)


def _linear_numbers(part: Part) -> str:
    if part.cluster is not None:
        return _clustered(part, ", df = fit$df.residual")
    variance = 'sandwich::vcovHC(fit, type = "HC3")' if part.option("variance") == "robust" else "vcov(fit)"
    return f"numbers_of(coef(fit), {variance}, fit$df.residual)"


def _mixed(part: Part) -> str:
    return f"mixed({{formula}}, d, d${r_name(str(part.cluster))})"


def _mixed_logistic(part: Part) -> str:
    clusters = part.analysis.clusters
    points = f", points = {clusters.quadrature}" if clusters is not None and clusters.quadrature is not None else ""
    return f"mixed({{formula}}, d, d${r_name(str(part.cluster))}, logistic = TRUE{points})"


def _equations(family: str) -> Code:
    def fit(part: Part) -> str:
        clusters = part.analysis.clusters
        correlation = "exchangeable" if clusters is None else clusters.correlation
        return f"estimating_equations({{formula}}, d, d${r_name(str(part.cluster))}, {family}, {r_text(correlation)})"

    return fit


def _itself(part: Part) -> str:
    return "fit"


ROBUST_PACKAGES = ("sandwich", "clubSandwich")
LOGISTIC = Model(
    measures=("odds ratio",), response=_y, natural="exp", numbers=_logistic_numbers, likelihood=_always,
    fit=lambda part: f"glm({{formula}}, family = binomial, data = d, {CONTROL})",
)  # fmt: skip
LINEAR = Model(
    measures=("mean difference",), response=_y, natural="identity", numbers=_linear_numbers,
    fit=lambda part: "lm({formula}, data = d)",
)  # fmt: skip
MIXED_LINEAR = Model(
    measures=("mean difference",), response=_y, natural="identity", fit=_mixed, numbers=_itself,
    packages=("lme4", "lmerTest"),
)  # fmt: skip
MIXED_LOGISTIC = Model(
    measures=("odds ratio",), response=_y, natural="exp", fit=_mixed_logistic, numbers=_itself, packages=("lme4", "lmerTest"),
)  # fmt: skip
GEE_LINEAR = Model(
    measures=("mean difference",), response=_y, natural="identity", fit=_equations("gaussian"), numbers=_itself,
    packages=("geepack",),
)  # fmt: skip
GEE_LOGISTIC = Model(
    measures=("odds ratio",), response=lambda part: f"as.numeric({_y(part)})", natural="exp", fit=_equations("binomial"),
    numbers=_itself, packages=("geepack",),
)  # fmt: skip

LOGISTIC_WAYS: Mapping[str, Model] = {"robust": LOGISTIC, "random-intercept": MIXED_LOGISTIC, "gee": GEE_LOGISTIC}
LINEAR_WAYS: Mapping[str, Model] = {"robust": LINEAR, "random-intercept": MIXED_LINEAR, "gee": GEE_LINEAR}


def way_of(part: Part, ways: Mapping[str, Model]) -> Model:
    """The model that takes clusters into account as planned; without clusters the plain one."""
    clusters = part.analysis.clusters
    return ways["robust" if clusters is None else clusters.treat_as]


# -- Cox -------------------------------------------------------------------------------------------------------------


def _surv(part: Part) -> str:
    time, event = (r_name(name) for name in columns_of(part.outcome.name, "time-to-event"))
    if part.of_competing_event:
        event = f'{r_name(cause_column(part.outcome.name))} == "competing"'
    return f"Surv({START}, {time}, {event})" if part.analysis.maker == "time-varying" else f"Surv({time}, {event})"


def _strata(part: Part) -> str:
    return f" + strata({', '.join(map(r_name, part.names('strata')))})" if part.names("strata") else ""


def _cox_fit(part: Part) -> str:
    more = [f'ties = "{part.option("ties")}"', "data = d", "control = coxph.control(eps = 1e-11, iter.max = 100)"]
    cluster = part.cluster or ("row_of_origin" if part.analysis.maker == "time-varying" else None)
    if cluster is not None:
        more.append(f"cluster = d${r_name(cluster)}")
    return f"coxph({{formula}}, {', '.join(more)})"


def _cox_numbers(part: Part) -> str:
    return PLAIN if part.cluster is None else f"unless_few({PLAIN}, d${r_name(part.cluster)})"


def _cox_columns(part: Part) -> tuple[str, ...]:
    return (*part.names("strata"), *((cause_column(part.outcome.name),) if part.of_competing_event else ()))


COX = Model(
    measures=("hazard ratio",), response=_surv, fit=_cox_fit, natural="exp", numbers=_cox_numbers, right=_strata,
    columns=_cox_columns, without=lambda part: part.names("strata"), likelihood=_always,
)  # fmt: skip

# -- Fine and Gray ---------------------------------------------------------------------------------------------------


def _by_rows(part: Part) -> bool:
    """Whether finegray() and coxph() have the conventions of a part; crr() has the others."""
    return part.option("tied_censoring") == "after-events"


def repeats_fine_gray(part: Part) -> bool:
    """Whether R has the conventions of a part: crr() takes Breslow's ties only."""
    return _by_rows(part) or part.option("ties") == "breslow"


def _fine_gray_fit(part: Part) -> str:
    time, cause = r_text(time_column(part.outcome.name)), r_text(cause_column(part.outcome.name))
    strata = ", ".join(f"d${r_name(name)}" for name in part.names("censoring_strata"))
    more = f", strata = interaction({strata}, drop = TRUE)" if strata else ""
    if not _by_rows(part):
        return f"fine_gray({{formula}}, d, {time}, {cause}{more})"
    more += f", cluster = d${r_name(part.cluster)}" if part.cluster is not None else ""
    return f"fine_gray_rows({{formula}}, d, {time}, {cause}, {r_text(part.option('ties'))}{more})"


def _fine_gray_numbers(part: Part) -> str:
    """The variance of crr() is another with strata and knows no clusters; that of coxph() takes the censoring as known."""
    if _by_rows(part):
        numbers = "numbers_of(fit$b, fit$V)" if part.option("variance") == "robust" else "bare(fit$b)"
        return numbers if part.cluster is None else f"unless_few({numbers}, d${r_name(part.cluster)})"
    same = part.option("variance") == "fine-gray" and part.cluster is None and not part.names("censoring_strata")
    return "numbers_of(fit$b, fit$V)" if same else "bare(fit$b)"


FINE_GRAY = Model(
    measures=("subdistribution hazard ratio",), response=lambda part: r_name(time_column(part.outcome.name)), natural="exp",
    fit=_fine_gray_fit, numbers=_fine_gray_numbers, packages=("cmprsk",),
    columns=lambda part: (cause_column(part.outcome.name), *part.names("censoring_strata")),
)  # fmt: skip

# -- ordinal, counts, quantiles, matched sets ------------------------------------------------------------------------


def _ordinal_numbers(part: Part) -> str:
    return PLAIN if part.cluster is None else "bare(coef(fit))"


ORDINAL = Model(
    measures=("odds ratio",), response=lambda part: f"factor({_y(part)})", natural="exp", numbers=_ordinal_numbers,
    fit=lambda part: "ordinal::clm({formula}, data = d, control = ordinal::clm.control(gradTol = 1e-10))",
    likelihood=_always, packages=("ordinal",),
)  # fmt: skip


def _exposure(part: Part) -> tuple[str, ...]:
    name = part.analysis.options.get("exposure")
    return () if name is None else (str(name),)


def _offset(part: Part) -> str:
    return "".join(f" + offset(log({r_name(name)}))" for name in _exposure(part))


def _poisson_numbers(part: Part) -> str:
    if part.cluster is not None:
        return _clustered(part)
    robust = part.outcome.kind == "binary" or part.option("variance") == "robust"
    return "numbers_of(coef(fit), sandwich::sandwich(fit))" if robust else PLAIN


POISSON = Model(
    measures=("rate ratio", "risk ratio"), response=lambda part: f"as.numeric({_y(part)})", natural="exp",
    fit=lambda part: f"glm({{formula}}, family = poisson, data = d, {CONTROL})", numbers=_poisson_numbers,
    right=_offset, columns=_exposure, likelihood=lambda part: part.outcome.kind != "binary",
)  # fmt: skip
NEGATIVE_BINOMIAL = Model(
    measures=("rate ratio",), response=_y, natural="exp", numbers=_logistic_numbers, right=_offset, columns=_exposure,
    fit=lambda part: f"MASS::glm.nb({{formula}}, data = d, {CONTROL})", likelihood=_always, packages=("MASS",),
)  # fmt: skip


def _ranked(row: EstimateRow, name: str, part: Part) -> str:
    if row.estimate.interval is not None and row.estimate.interval.kind == "rank":
        return f"ranked({r_text(row.id)}, fit, {r_text(name)}, level = {part.analysis.level!r})"
    return f"value_of({r_text(row.id)}, m, {r_text(name)})"


def quantile_model(measure: str, tau: float) -> Model:
    """The regression of one quantile."""

    def numbers(part: Part) -> str:
        interval = part.option("interval")
        if part.cluster is not None or interval == "bootstrap":
            return "bare(coef(fit))"
        return f'quantiles(fit, se = "{"iid" if interval == "iid" else "nid"}")'

    return Model(
        measures=(measure,), response=_y, natural="identity", numbers=numbers, value=_ranked, packages=("quantreg",),
        fit=lambda part: f"quantile_fit({{formula}}, {tau!r}, d)",
    )  # fmt: skip


def _set(part: Part) -> tuple[str, ...]:
    return (part.option("stratum"),)


MATCHED = Model(
    measures=("odds ratio",), response=lambda part: f"as.numeric({_y(part)})", natural="exp", numbers=lambda part: PLAIN,
    fit=lambda part: 'clogit({formula}, data = d, method = "exact", control = coxph.control(eps = 1e-11, iter.max = 100))',
    right=lambda part: f" + strata({r_name(_set(part)[0])})", columns=_set, without=_set, likelihood=_always,
    counted=lambda part: f"in_mixed_sets(d${_y(part)}, d${r_name(_set(part)[0])})",
)  # fmt: skip

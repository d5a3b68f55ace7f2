"""The contenders. Each task prepares its input, then returns the fit to be timed and how to read the treatment's number."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

Columns = Mapping[str, np.ndarray]
REPLICATES = 50
"""Of the bootstrap, for every contender; the c-statistic before the correction is what is compared, for draws differ."""
LADDER = (10, 20, 30, 40)
"""Covariates of the four models of a ladder."""

Prepared = tuple[Callable[[], Any], Callable[[Any], float]]


def covariates(columns: Columns) -> list[str]:
    return [name for name in columns if name.startswith("x")]


def our_frame(columns: Columns):
    import polars as pl

    frame = pl.DataFrame({name: values for name, values in columns.items() if name != "center"})
    center = pl.Series("center", columns["center"]).cast(pl.Int64)
    flags = [pl.col(name).cast(pl.Boolean) for name in ("outcome", "event")]
    return frame.with_columns(*flags, center, pl.col("x0").cast(pl.Int64).cast(pl.String).alias("group"))


def ours_logistic(columns: Columns) -> Prepared:
    import counterpulse as cp

    frame, terms, logistic = our_frame(columns), covariates(columns), cp.regression.logistic
    return lambda: logistic(frame, outcome="outcome", terms=terms), first_estimate


def ours_cox(columns: Columns, cluster: str | None = None) -> Prepared:
    import counterpulse as cp

    frame, terms, cox = our_frame(columns), covariates(columns), cp.survival.cox
    return lambda: cox(frame, time="time", event="event", terms=terms, cluster=cluster), first_estimate


def ours_cox_robust(columns: Columns) -> Prepared:
    return ours_cox(columns, cluster="center")


def ours_curves(columns: Columns) -> Prepared:
    import counterpulse as cp

    frame, kaplan_meier, log_rank = our_frame(columns), cp.survival.kaplan_meier, cp.survival.log_rank

    def fit():
        kaplan_meier(frame, time="time", event="event", by="group")
        return log_rank(frame, time="time", event="event", by="group")

    return fit, lambda test: test.statistic


def ours_optimism(columns: Columns) -> Prepared:
    import counterpulse as cp

    frame, terms, regression = our_frame(columns), covariates(columns), cp.regression

    def fit():
        model = regression.logistic(frame, outcome="outcome", terms=terms)
        X, outcome = model.scaled.scaling.matrix(frame), frame["outcome"].to_numpy()
        refit = regression.LogisticRefit(X, np.where(outcome, 1.0, -1.0), model.scaled.coefficients)
        return regression.bootstrap_optimism(
            outcome, X @ model.scaled.coefficients, refit, seed=1, analysis="bench", replicates=REPLICATES
        )

    return fit, lambda found: found.apparent[0]


def ours_stepwise(columns: Columns) -> Prepared:
    import counterpulse as cp

    frame, names, regression = our_frame(columns), covariates(columns), cp.regression

    def fit():
        likelihood = regression.binomial_columns(frame, outcome="outcome", terms=names)
        first, *rest = regression.term_columns(likelihood)
        candidates = [regression.Candidate(name, places) for name, places in zip(names[1:], rest, strict=True)]
        found = regression.stepwise(candidates, keep=first, likelihood=likelihood, by="aic")
        return found.fitted.at[first[0]] / likelihood.scale[first[0]]

    return fit, float


def ours_screen(columns: Columns) -> Prepared:
    import counterpulse as cp

    frame, names, logistic = our_frame(columns), covariates(columns), cp.regression.logistic

    def fit():
        for name in names:
            logistic(frame, outcome="outcome", terms=[name])
        return [logistic(frame, outcome="outcome", terms=names[:size]) for size in LADDER]

    return fit, lambda fits: first_estimate(fits[-1])


def ours_few_clusters(columns: Columns) -> Prepared:
    import counterpulse as cp

    frame, terms, linear = our_frame(columns), covariates(columns), cp.regression.linear
    fit = lambda: linear(frame, outcome="time", terms=terms, cluster="center", cluster_variance="CR2")  # noqa: E731
    return fit, lambda fitted: next(item.std_error for item in fitted.estimates() if item.variable == "x0")


def ours_random_intercept(columns: Columns) -> Prepared:
    import counterpulse as cp

    frame, terms, mixed = our_frame(columns), covariates(columns), cp.regression.mixed_logistic
    return lambda: mixed(frame, outcome="outcome", terms=terms, cluster="center", quadrature=1), first_estimate


def with_holes(columns: Columns):
    """42 columns; of the covariates but x0, 15% of values are missing, by a rule that R follows too."""
    import polars as pl

    names, row = covariates(columns), np.arange(len(columns["x0"]))
    frame = {name: columns[name] for name in (*names, "outcome", "time")}
    for j, name in enumerate(names[1:], 1):
        frame[name] = np.where((row * 7919 + j * 7907 + row // 13 * j) % 100 < 15, np.nan, columns[name])
    return pl.DataFrame(frame).fill_nan(None)


def ours_imputation(columns: Columns) -> Prepared:
    import counterpulse as cp

    frame, impute = with_holes(columns), cp.imputation.chained_equations
    holes = sum(frame.null_count().row(0))
    return lambda: impute(
        frame, m=20, iterations=5, seed=1
    ), lambda found: holes - sum(found.frames()[-1].null_count().row(0))


def ours_matching(columns: Columns) -> Prepared:
    import counterpulse as cp

    frame, terms, match = our_frame(columns), covariates(columns)[1:], cp.propensity.match

    def fit():
        found = match(frame, treatment="x0", covariates=terms, caliper=0.2)
        found.balance()
        return found

    return fit, lambda found: found.pairs.height


def first_estimate(fit: Any) -> float:
    return next(item.value for item in fit.estimates() if item.variable == "x0")


def statsmodels_logistic(columns: Columns) -> Prepared:
    import pandas as pd
    import statsmodels.api as sm

    frame = pd.DataFrame({name: columns[name] for name in covariates(columns)})
    return lambda: sm.Logit(columns["outcome"], sm.add_constant(frame)).fit(disp=False), lambda fit: fit.params.iloc[1]


def lifelines_frame(columns: Columns, *more: str):
    import pandas as pd

    return pd.DataFrame({name: columns[name] for name in (*covariates(columns), "time", "event", *more)})


def lifelines_cox(columns: Columns) -> Prepared:
    from lifelines import CoxPHFitter

    frame = lifelines_frame(columns)
    return lambda: CoxPHFitter().fit(frame, "time", "event"), lambda fit: fit.params_["x0"]


def lifelines_cox_robust(columns: Columns) -> Prepared:
    from lifelines import CoxPHFitter

    frame = lifelines_frame(columns, "center")
    return lambda: CoxPHFitter().fit(frame, "time", "event", cluster_col="center"), lambda fit: fit.params_["x0"]


def lifelines_curves(columns: Columns) -> Prepared:
    from lifelines import KaplanMeierFitter
    from lifelines.statistics import logrank_test

    time, event, treated = columns["time"], columns["event"], columns["x0"] == 1

    def fit():
        for group in (treated, ~treated):
            KaplanMeierFitter().fit(time[group], event[group])
        return logrank_test(time[treated], time[~treated], event[treated], event[~treated])

    return fit, lambda test: test.test_statistic


def greenwood_cox(columns: Columns, **options: Any) -> Prepared:
    from greenwood import CoxPH, Surv

    x = np.column_stack([columns[name] for name in covariates(columns)])
    surv = Surv(columns["time"], event=columns["event"])
    return lambda: CoxPH().fit(surv, x, **options), lambda fit: np.asarray(fit.coef_).ravel()[0]


def greenwood_cox_robust(columns: Columns) -> Prepared:
    return greenwood_cox(columns, cluster=columns["center"])


def greenwood_curves(columns: Columns) -> Prepared:
    from greenwood import KaplanMeier, Surv, logrank_test

    surv, group = Surv(columns["time"], event=columns["event"]), columns["x0"]

    def fit():
        KaplanMeier().fit(surv, by=group)
        return logrank_test(surv, group)

    return fit, lambda test: test.statistic


CONTENDERS: Mapping[str, Mapping[str, Callable[[Columns], Prepared]]] = {
    "counterpulse": {
        "logistic": ours_logistic, "cox": ours_cox, "cox-robust": ours_cox_robust, "curves": ours_curves,
        "optimism": ours_optimism, "stepwise": ours_stepwise, "screen": ours_screen, "few-clusters": ours_few_clusters,
        "random-intercept": ours_random_intercept, "matching": ours_matching, "imputation": ours_imputation,
    },
    "statsmodels": {"logistic": statsmodels_logistic},
    "lifelines": {"cox": lifelines_cox, "cox-robust": lifelines_cox_robust, "curves": lifelines_curves},
    "greenwood": {"cox": greenwood_cox, "cox-robust": greenwood_cox_robust, "curves": greenwood_curves},
}  # fmt: skip

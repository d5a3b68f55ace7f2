"""Quantile regression: differences of medians, or of another quantile, adjusted for each other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from math import nan
from typing import Literal

import numpy as np
import polars as pl
from numpy.typing import ArrayLike, NDArray

from counterpulse.data.terms import Term
from counterpulse.errors import InputError
from counterpulse.regression.fit import RegressionFit, ScaledFit, full_parameters, no_parameters
from counterpulse.regression.model_rows import (
    Rows,
    ScaledDesign,
    check_level,
    read_rows,
    scaled_design,
    single_level_terms,
    spec_of_no_rows,
)
from counterpulse.regression.outcome import number
from counterpulse.regression.quantile_solution import NoVertexError, Vertex, solve_quantile
from counterpulse.regression.quantile_variance import (
    QuantileCovariance,
    bootstrap_covariance,
    identical_covariance,
    sandwich_covariance,
)
from counterpulse.regression.rank_inversion import RankInterval, rank_interval
from counterpulse.results.coefficients import TOO_FEW
from counterpulse.results.estimate import Estimate, Interval, finite_or_none
from counterpulse.results.provenance import Choice, Origin, Provenance
from counterpulse.results.status import Status
from counterpulse.results.tidy import tidy

Floats = NDArray[np.float64]
QuantileInterval = Literal["rank", "nid", "iid", "bootstrap"]
INTERVALS = ("rank", "nid", "iid", "bootstrap")
SMALL = 1001
"""Below so many rows intervals come from the rank test by default, as in R's quantreg."""
REFERENCE = {"rank": "koenker-1994", "nid": "hendricks-koenker-1992", "iid": "koenker-bassett-1978", "bootstrap": None}
NOT_UNIQUE = "Other coefficients fit the quantile equally well; one of the best is given."
NO_DENSITY = "The density at the quantile is not estimable in some rows (tied values), so the standard error is rough."


@dataclass(frozen=True, slots=True, kw_only=True)
class QuantileFit(RegressionFit):
    """A fitted quantile regression; the coefficients are differences of a quantile, in the unit of the outcome.

    Attributes
    ----------
    quantile : such as 0.5 for the median
    interval : how intervals were made; `parameters` hold the covariance behind it, of the sandwich where it is "rank"
    objective : the minimum, sum of ``r (quantile - [r < 0])``
    unique : whether no other coefficients do as well
    ranks : rank intervals by coefficient, p of them, where used; None for the intercept
    """

    quantile: float
    interval: QuantileInterval
    objective: float = nan
    unique: bool = True
    ranks: tuple[RankInterval | None, ...] = ()

    @property
    def measure(self) -> str:
        """What a coefficient is called."""
        return "median difference" if self.quantile == 0.5 else f"difference at quantile {self.quantile:g}"

    def estimates(self) -> tuple[Estimate, ...]:
        """Differences of the quantile, the intercept (a quantile) first."""
        rows = self.estimates_of(self.measure, "identity", "median" if self.quantile == 0.5 else "quantile")
        ranks = (*self.ranks, *([None] * (len(rows) - len(self.ranks))))
        return tuple(
            row if rank is None else _with_rank(row, rank, self.level) for row, rank in zip(rows, ranks, strict=True)
        )

    def tidy(self) -> pl.DataFrame:
        """Differences with intervals and p-values, one row a coefficient."""
        return tidy(self.estimates())

    def glance(self) -> pl.DataFrame:
        """Describe the fit as a whole in one row."""
        return pl.DataFrame(
            {
                "n": self.n, "n_missing": self.n_missing, "clusters": self.clusters, "quantile": self.quantile,
                "interval": self.interval, "objective": finite_or_none(self.objective), "unique": self.unique,
                "status": self.status.code,
            },
            schema_overrides={"clusters": pl.Int64, "objective": pl.Float64},
        )  # fmt: skip

    def contrast(self, weights: Mapping[str, float], *, term: str = "", variable: str | None = None) -> Estimate:
        """Difference of a linear combination of coefficients, by name, with its Wald interval."""
        return self.parameters.contrast(weights, measure=self.measure, scale="identity", term=term, variable=variable)

    def predict(self, table: pl.DataFrame) -> Floats:
        """Predict the quantile of every row, nan where a covariate is missing; shape (n,)."""
        return np.full(table.height, np.nan) if self.scaled is None else self.scaled.linear_predictor(table)


def quantile(
    table: pl.DataFrame,
    *,
    outcome: str,
    terms: Sequence[Term],
    quantile: float = 0.5,
    weights: str | ArrayLike | None = None,
    cluster: str | ArrayLike | None = None,
    interval: QuantileInterval | None = None,
    level: float = 0.95,
    draws: int = 500,
    seed: int = 0,
) -> QuantileFit:
    """Differences of a quantile of a numeric outcome, adjusted for each other (Koenker and Bassett 1978).

    Parameters
    ----------
    table : one row an observation; rows with a missing value in a column used are left out and counted
    outcome : a numeric column
    terms : column names or `Numeric`, `Spline`, `Categorical`, `Interaction`
    quantile : which, above 0 and below 1; 0.5 is the median
    weights : column or array of shape (n,); they multiply the loss. Whole numbers count patients
    cluster : column or array of labels, shape (n,)
    interval : "rank" inverts the rank test (identically distributed errors), "nid" is the Hendricks-Koenker sandwich with
        Hall and Sheather's bandwidth, "iid" takes errors as identically distributed, "bootstrap" resamples rows. Default:
        "rank" below 1,001 rows without weights or clusters, else "nid". With clusters "nid" is the clustered sandwich of
        Parente and Santos Silva, and "bootstrap" resamples clusters
    draws, seed : of the bootstrap

    Raises
    ------
    InputError : a column is absent or cannot be used, or the options exclude each other

    Notes
    -----
    The solution is exact. Where several are equally good it is one of them (as in R's ``rq``, though perhaps another); but
    where covariates only make groups and there are no weights, it is the difference of the groups' usual quantiles
    (averaged where two values qualify), which ``rq`` does not average. Tests are Student's t on n - k degrees of freedom.
    Rank intervals and tests of tied data depend on which of several dual solutions is taken.

    References
    ----------
    Koenker and Bassett 1978, doi:10.2307/1913643; Koenker 1994, doi:10.1007/978-3-642-57984-4_29; Hendricks and Koenker
    1992, doi:10.1080/01621459.1992.10475175; Parente and Santos Silva 2016, doi:10.1515/jem-2014-0011.
    """
    check_level(level)
    if not 0 < quantile < 1:
        raise InputError(f"the quantile {quantile} is not between 0 and 1; 0.5 is the median")
    rows = read_rows(table, outcome=outcome, terms=terms, weights=weights, cluster=cluster)
    y = number(rows.column(table, outcome))
    kind = _interval_kind(interval, rows)
    blank = QuantileFit(
        parameters=no_parameters((), Status.NO_ROWS, level), outcome=outcome, rows=rows,
        robust=rows.cluster is not None, quantile=quantile, interval=kind,
        provenance=_provenance(rows, quantile, kind, interval is not None),
    )  # fmt: skip
    if rows.n == 0:
        return blank.unfitted(spec_of_no_rows(table, terms), Status.NO_ROWS)
    design = scaled_design(table, rows, terms)
    blank = replace(blank, single_level=single_level_terms(terms, design.scaling.spec), depends_on=design.depends_on)
    if design.status is not Status.OK:
        return blank.unfitted(design.scaling.spec, design.status)
    if len(design.scaling.active) >= rows.n:
        return blank.unfitted(design.scaling.spec, Status.TOO_FEW_ROWS)
    if y.min() == y.max():
        return blank.unfitted(design.scaling.spec, Status.ZERO_VARIANCE)
    try:
        return _fitted(blank, design, y, draws, seed)
    except (NoVertexError, np.linalg.LinAlgError):
        return blank.unfitted(design.scaling.spec, Status.NOT_CONVERGED)


def _interval_kind(interval: QuantileInterval | None, rows: Rows) -> QuantileInterval:
    plain = rows.weights is None and rows.cluster is None
    if interval is None:
        return "rank" if plain and rows.n < SMALL else "nid"
    if interval not in INTERVALS:
        raise InputError(f"the interval {interval!r} is not known; it is {', '.join(INTERVALS)}")
    if interval in ("rank", "iid") and not plain:
        raise InputError(f"the interval {interval!r} has no form with weights or clusters; use 'nid' or 'bootstrap'")
    return interval


def _fitted(blank: QuantileFit, design: ScaledDesign, y: Floats, draws: int, seed: int) -> QuantileFit:
    X, rows, tau = design.X, blank.rows, blank.quantile
    middle = float(np.median(y))
    centered = y - middle
    unit = np.ones(len(y)) if rows.weights is None else rows.weights
    vertex = solve_quantile(X * unit[:, None], centered * unit, tau)
    covariance, uncertainty = _covariance(blank, X, centered, vertex, draws, seed)
    coefficients, unique = vertex.coefficients.copy(), vertex.unique
    if not unique and rows.weights is None and (averaged := _of_groups(X, centered, tau)) is not None:
        coefficients, unique = averaged, True
    residuals = centered - X @ coefficients
    coefficients[0] += middle
    scaled = ScaledFit(
        design.scaling, coefficients, covariance.matrix, covariance.matrix, covariance.matrix, None, uncertainty
    )
    df = float(len(y) - X.shape[1])
    parameters, model_covariance = full_parameters(scaled, design.statuses, blank.level, df)
    notes = (*((NOT_UNIQUE,) if not unique else ()), *((NO_DENSITY,) if covariance.without_density else ()))
    return replace(
        blank,
        parameters=replace(parameters, notes=notes),
        model_covariance=model_covariance,
        spec=design.scaling.spec,
        scaled=scaled,
        objective=float(unit @ (residuals * (tau - (residuals < 0)))),
        unique=unique,
        ranks=_ranks(design, centered, vertex, blank) if blank.interval == "rank" else (),
    )


def _covariance(
    blank: QuantileFit, X: Floats, y: Floats, vertex: Vertex, draws: int, seed: int
) -> tuple[QuantileCovariance, Status]:
    """The covariance asked for, and why there is none; that of the sandwich where intervals come from ranks."""
    rows, k = blank.rows, X.shape[1]
    if rows.clusters is not None and rows.clusters < TOO_FEW:
        return QuantileCovariance(np.full((k, k), nan)), Status.FEW_CLUSTERS
    try:
        match blank.interval:
            case "iid":
                return identical_covariance(X, blank.quantile, vertex), Status.OK
            case "bootstrap":
                return bootstrap_covariance(X, y, blank.quantile, rows, draws=draws, seed=seed), Status.OK
            case _:
                return sandwich_covariance(X, y, blank.quantile, vertex, rows), Status.OK
    except (NoVertexError, np.linalg.LinAlgError):
        return QuantileCovariance(np.full((k, k), nan)), Status.OK


def _of_groups(X: Floats, y: Floats, tau: float) -> Floats | None:
    """Coefficients from the usual quantile of each group where the columns do no more than tell groups apart."""
    cells, member = np.unique(X, axis=0, return_inverse=True)
    if len(cells) != X.shape[1]:
        return None
    member = member.ravel()
    return np.asarray(np.linalg.solve(cells, [_usual(y[member == cell], tau) for cell in range(len(cells))]))


def _usual(values: Floats, tau: float) -> float:
    """The inverse of the empirical distribution, averaged where it is flat (type 2 of Hyndman and Fan 1996)."""
    ordered, place = np.sort(values), len(values) * tau
    whole = round(place)
    if abs(place - whole) < 1e-9 * len(values):
        return float(ordered[max(whole - 1, 0)] + ordered[min(whole, len(values) - 1)]) / 2
    return float(ordered[int(np.ceil(place)) - 1])


def _ranks(design: ScaledDesign, y: Floats, vertex: Vertex, blank: QuantileFit) -> tuple[RankInterval | None, ...]:
    found: list[RankInterval | None] = [None] * len(design.statuses)
    for k, j in enumerate(design.scaling.active):
        if k == 0:
            continue
        scaled = rank_interval(design.X, y, blank.quantile, vertex, k, blank.level)
        unit = design.scaling.scale[k]
        found[j] = replace(scaled, low=float(scaled.low / unit), high=float(scaled.high / unit))
    return tuple(found)


def _with_rank(row: Estimate, rank: RankInterval, level: float) -> Estimate:
    if row.status is not Status.OK and row.status is not Status.UNDEFINED:
        return row
    return replace(
        row, status=Status.OK, std_error=None, interval=Interval(rank.low, rank.high, level, "rank"),
        statistic=rank.statistic, statistic_name="rank score", p_value=finite_or_none(rank.p_value),
    )  # fmt: skip


def _provenance(rows: Rows, tau: float, kind: QuantileInterval, given: bool) -> Provenance:
    origin: Origin = "given" if given else "derived"
    words = {
        "rank": "inversion of the rank test, errors identically distributed",
        "nid": "Hendricks-Koenker sandwich, bandwidth of Hall and Sheather",
        "iid": "errors identically distributed",
        "bootstrap": "bootstrap of rows",
    }
    text, reference = words[kind], REFERENCE[kind]
    if rows.cluster is not None:
        text = "bootstrap of clusters" if kind == "bootstrap" else (
            "sandwich by cluster, Hendricks-Koenker density, factor G / (G - 1)"
        )  # fmt: skip
        reference = None if kind == "bootstrap" else "parente-santos-silva-2016"
    cited = ["koenker-bassett-1978", *((reference,) if reference else ())]
    if kind == "nid":
        cited.append("hall-sheather-1988")
    choices = (
        Choice("quantile", tau, "given" if tau != 0.5 else "default"),
        Choice("interval", text, origin, reference),
    )
    return Provenance("quantile regression", choices, tuple(dict.fromkeys(cited)))

"""Results with another shape than one number: curves, balance, forests. Each kind has a JSON Schema."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

Cell = str | float | int | bool | None

NUMBER = {"type": ["number", "null"]}
COUNT = {"type": ["integer", "null"]}
TEXT = {"type": ["string", "null"]}

KINDS: Mapping[str, Mapping[str, Mapping[str, object]]] = {
    "survival-curve": {
        "group": TEXT, "time": NUMBER, "estimate": NUMBER, "conf_low": NUMBER, "conf_high": NUMBER,
        "std_error": NUMBER, "at_risk": NUMBER, "events": NUMBER, "censored": NUMBER,
    },
    "numbers-at-risk": {
        "group": TEXT, "time": NUMBER, "at_risk": NUMBER, "cumulative_events": NUMBER, "cumulative_censored": NUMBER,
    },
    "forest": {
        "variable": TEXT, "level": TEXT, "group": TEXT, "n": COUNT, "events": COUNT,
        "estimate": NUMBER, "conf_low": NUMBER, "conf_high": NUMBER, "p_interaction": NUMBER,
    },
    "proportional-hazards": {"variable": TEXT, "chi_squared": NUMBER, "df": NUMBER, "p_value": NUMBER},
    "proportional-odds": {"variable": TEXT, "chi_squared": NUMBER, "df": NUMBER, "p_value": NUMBER},
    "cumulative-incidence": {
        "group": TEXT, "cause": TEXT, "time": NUMBER, "estimate": NUMBER, "conf_low": NUMBER, "conf_high": NUMBER,
        "std_error": NUMBER, "at_risk": NUMBER, "events": NUMBER,
    },
    "effect-curve": {
        "variable": TEXT, "measure": TEXT, "reference": NUMBER, "value": NUMBER,
        "estimate": NUMBER, "conf_low": NUMBER, "conf_high": NUMBER,
    },
    "selection-path": {
        "step": COUNT, "action": TEXT, "term": TEXT, "statistic": NUMBER, "df": NUMBER, "p_value": NUMBER, "criterion": NUMBER,
    },
    "selection-frequency": {"term": TEXT, "selected": TEXT, "frequency": NUMBER},
    "lasso-path": {"penalty": NUMBER, "nonzero": COUNT, "deviance": NUMBER, "std_error": NUMBER, "chosen": TEXT},
    "calibration-curve": {
        "model": TEXT, "kind": TEXT, "predicted": NUMBER, "observed": NUMBER, "conf_low": NUMBER, "conf_high": NUMBER,
        "n": COUNT,
    },
    "roc": {"model": TEXT, "threshold": NUMBER, "sensitivity": NUMBER, "specificity": NUMBER},
    "decision-curve": {"model": TEXT, "threshold": NUMBER, "net_benefit": NUMBER},
    "time-dependent-auc": {
        "model": TEXT, "time": NUMBER, "estimate": NUMBER, "conf_low": NUMBER, "conf_high": NUMBER,
    },
    "distribution": {
        "variable": TEXT, "group": TEXT, "low": NUMBER, "high": NUMBER, "n": COUNT, "percent": NUMBER,
    },
    "crosstab": {
        "row_variable": TEXT, "row": TEXT, "column_variable": TEXT, "column": TEXT, "n": COUNT, "row_percent": NUMBER,
        "column_percent": NUMBER,
    },
    "missing-pattern": {"pattern": COUNT, "variable": TEXT, "missing": TEXT, "n": COUNT, "percent": NUMBER},
    "missingness": {"variable": TEXT, "group": TEXT, "n": COUNT, "missing": COUNT, "percent": NUMBER},
    "rows-lost": {"analysis": TEXT, "outcome": TEXT, "variable": TEXT, "n": COUNT, "missing": COUNT, "percent": NUMBER},
    "correlation": {"row": TEXT, "column": TEXT, "value": NUMBER, "measure": TEXT, "n": COUNT, "smallest": COUNT},
    "variance-inflation": {"variable": TEXT, "df": COUNT, "gvif": NUMBER, "per_column": NUMBER},
    "center-funnel": {
        "center": TEXT, "n": COUNT, "events": COUNT, "risk": NUMBER, "overall": NUMBER,
        "low_95": NUMBER, "high_95": NUMBER, "low_998": NUMBER, "high_998": NUMBER,
    },
    "events-per-parameter": {
        "analysis": TEXT, "outcome": TEXT, "model": TEXT, "n": COUNT, "events": COUNT, "parameters": COUNT, "ratio": NUMBER,
    },
    "covariance": {"row": TEXT, "column": TEXT, "value": NUMBER},
    "group-test": {
        "group": TEXT, "n": COUNT, "observed": NUMBER, "expected": NUMBER,
    },
    # A standardized difference of each variable (level) in each sample; over imputed tables or between more than two groups the
    # largest is `smd_max`. Means of a level are proportions.
    "balance": {
        "variable": TEXT, "level": TEXT, "sample": TEXT, "smd": NUMBER, "smd_max": NUMBER, "denominator": TEXT,
        "mean_treated": NUMBER, "mean_control": NUMBER, "variance_ratio": NUMBER, "ks": NUMBER,
    },
    # Patients of each group in each sample, and how many unweighted patients they are worth.
    "effective-size": {"sample": TEXT, "group": TEXT, "n": NUMBER, "effective": NUMBER},
    # The propensity score in bins: the share of the (weighted) group that lies in each.
    "overlap": {"sample": TEXT, "group": TEXT, "low": NUMBER, "high": NUMBER, "share": NUMBER},
    # How the weights of a group (or of the clones of a strategy) are distributed; the quantiles are percentiles.
    "weights": {
        "group": TEXT, "n": COUNT, "effective": NUMBER, "mean": NUMBER, "low": NUMBER, "p1": NUMBER, "p25": NUMBER,
        "p50": NUMBER, "p75": NUMBER, "p99": NUMBER, "high": NUMBER,
    },
    # An imputed variable a row; scale reductions are of the mean and the standard deviation of the imputed values over chains.
    "imputation": {
        "variable": TEXT, "method": TEXT, "missing": COUNT, "percent": NUMBER, "scale_mean": NUMBER, "scale_sd": NUMBER,
        "status": TEXT,
    },
    "predictor-matrix": {"imputed": TEXT, "predictor": TEXT, "used": TEXT},
    "imputation-trace": {"variable": TEXT, "imputation": COUNT, "iteration": COUNT, "mean": NUMBER, "sd": NUMBER},
    # Imputation 0 are the observed values; a number has a density at each value, a category a share at each level.
    "imputation-density": {"variable": TEXT, "imputation": COUNT, "level": TEXT, "value": NUMBER, "density": NUMBER},
    # The same question under each plan for immortal time. `credited` is person-time before treatment that a plan gives to the
    # treated; times are in `unit`. `of` is the analysis, `variant` its landmark.
    "immortal-time": {
        "of": TEXT, "variant": TEXT, "plan": TEXT, "outcome": TEXT, "measure": TEXT, "estimate": NUMBER, "conf_low": NUMBER,
        "conf_high": NUMBER, "adjusted_for": TEXT, "n": COUNT, "events": COUNT, "patients_left_out": COUNT,
        "treated_left_out": COUNT, "person_time": NUMBER, "person_time_left_out": NUMBER, "credited": NUMBER, "unit": TEXT,
    },
    # How strong confounding would have to be, as risk ratios; `of` is the id of an estimate.
    "e-value": {
        "of": TEXT, "measure": TEXT, "estimate": NUMBER, "risk": NUMBER, "common": TEXT, "e_value": NUMBER, "e_value_limit": NUMBER,
        "status": TEXT,
    },
    # The effect when imputed values of a variable are shifted by delta, in its own units.
    "tipping-point": {
        "variable": TEXT, "delta": NUMBER, "measure": TEXT, "estimate": NUMBER, "conf_low": NUMBER, "conf_high": NUMBER,
        "p_value": NUMBER,
    },
    # The effect, each negative control, and the effect without the error they show: `role` is effect, control or corrected.
    "negative-control": {
        "of": TEXT, "outcome": TEXT, "role": TEXT, "measure": TEXT, "estimate": NUMBER, "conf_low": NUMBER, "conf_high": NUMBER,
        "p_value": NUMBER, "n": COUNT, "events": COUNT,
    },
    # The effect as a risk ratio, as observed and without an unmeasured confounder; `kind` is observed, simple, bound, "confounding
    # alone" or "confounding and chance". `of` is the id of an estimate; prevalences and effect are numbers or ranges as written.
    "bias-analysis": {
        "kind": TEXT, "of": TEXT, "measure": TEXT, "prevalence_treated": TEXT, "prevalence_reference": TEXT, "effect": TEXT,
        "bias_factor": NUMBER, "estimate": NUMBER, "conf_low": NUMBER, "conf_high": NUMBER,
    },
    # What a planned analysis gives over simulated studies whose truth is known; errors are of the simulation.
    "operating-characteristics": {
        "scenario": TEXT, "of": TEXT, "outcome": TEXT, "measure": TEXT, "truth": NUMBER, "replicates": COUNT, "failed": COUNT,
        "mean": NUMBER, "bias": NUMBER, "bias_error": NUMBER, "empirical_error": NUMBER, "mean_std_error": NUMBER,
        "coverage": NUMBER, "coverage_error": NUMBER, "power": NUMBER, "power_error": NUMBER,
    },
    # Estimates as a reader reads them; `role` is study, subtotal, total, prediction or difference (the test between subgroups);
    # weights are shares of the total, I-squared a fraction.
    # Subtotals and totals carry their heterogeneity.
    "study-forest": {
        "study": TEXT, "subgroup": TEXT, "role": TEXT, "measure": TEXT, "events_1": COUNT, "n_1": COUNT, "events_2": COUNT,
        "n_2": COUNT, "estimate": NUMBER, "conf_low": NUMBER, "conf_high": NUMBER, "weight": NUMBER, "tau_squared": NUMBER,
        "i_squared": NUMBER, "q": NUMBER, "df": NUMBER, "p_value": NUMBER,
    },
    # A row for each specification (1, 2, … in order of the estimates) and choice; `main` is yes of the planned one.
    "specification-curve": {
        "specification": COUNT, "choice": TEXT, "option": TEXT, "measure": TEXT, "estimate": NUMBER, "conf_low": NUMBER,
        "conf_high": NUMBER, "p_value": NUMBER, "n": COUNT, "events": COUNT, "main": TEXT,
    },
    # Estimates as a reader reads them, errors on the scale of estimation; `imputed` is yes of a study that was filled in.
    "funnel": {
        "study": TEXT, "measure": TEXT, "estimate": NUMBER, "std_error": NUMBER, "imputed": TEXT, "pooled": NUMBER,
    },
    # One row of a review's extraction table: the numbers as printed, the effect they give (a reader's scale; `yi` and `vi` are on
    # that of estimation), where they stand, and whether they were used. `outcome` is the review's.
    "effect-sizes": {
        "row": COUNT, "study": TEXT, "outcome": TEXT, "design": TEXT, "format": TEXT, "measure": TEXT, "arm_1": TEXT, "events_1": NUMBER,
        "n_1": NUMBER, "arm_2": TEXT, "events_2": NUMBER, "n_2": NUMBER, "estimate": NUMBER, "conf_low": NUMBER, "conf_high": NUMBER, "yi": NUMBER,
        "vi": NUMBER, "note": TEXT, "used": TEXT, "reason": TEXT, "source": TEXT, "quote": TEXT, "extractor": TEXT,
    },
    # The pooled effect without each study, or after each study is added; `study` is the one left out or added.
    "leave-one-out": {
        "study": TEXT, "measure": TEXT, "k": COUNT, "estimate": NUMBER, "conf_low": NUMBER, "conf_high": NUMBER, "p_value": NUMBER,
        "tau_squared": NUMBER, "i_squared": NUMBER, "q": NUMBER,
    },
    "cumulative": {
        "study": TEXT, "measure": TEXT, "k": COUNT, "estimate": NUMBER, "conf_low": NUMBER, "conf_high": NUMBER, "p_value": NUMBER,
        "tau_squared": NUMBER, "i_squared": NUMBER, "q": NUMBER,
    },
    # What each study does to the fit; `q_share` and `shift` are the axes of Baujat's plot, `influential` is yes or no.
    "influence": {
        "study": TEXT, "residual": NUMBER, "dffits": NUMBER, "cook_distance": NUMBER, "covariance_ratio": NUMBER,
        "tau_squared": NUMBER, "q": NUMBER, "hat": NUMBER, "weight": NUMBER, "dfbetas": NUMBER, "q_share": NUMBER, "shift": NUMBER,
        "influential": TEXT,
    },
    # The pooled effect of every subset of the studies (or of a sample of them); `without` is yes where the study named is not in it.
    "gosh": {"measure": TEXT, "k": COUNT, "estimate": NUMBER, "i_squared": NUMBER, "study": TEXT, "without": TEXT},
    # A test of small-study effects: its statistic, the estimate it is about (a slope, an intercept, tau, a count of filled-in studies).
    "small-study-test": {
        "test": TEXT, "k": COUNT, "what": TEXT, "estimate": NUMBER, "std_error": NUMBER, "statistic": NUMBER, "statistic_name": TEXT,
        "df": NUMBER, "p_value": NUMBER, "status": TEXT,
    },
    # Studies (`role` study) and the fitted line (`role` line) of a moderator; estimates as a reader reads them.
    "bubble": {
        "moderator": TEXT, "role": TEXT, "study": TEXT, "value": NUMBER, "measure": TEXT, "estimate": NUMBER, "conf_low": NUMBER,
        "conf_high": NUMBER, "weight": NUMBER,
    },
    # A Bayesian meta-analysis: `parameter` is effect, heterogeneity or prediction. Values of a density are on the scale of
    # estimation, medians and limits of a summary as a reader reads them, its mean and SD on the scale of estimation.
    "posterior": {"prior": TEXT, "parameter": TEXT, "measure": TEXT, "value": NUMBER, "density": NUMBER, "prior_density": NUMBER},
    "posterior-summary": {
        "prior": TEXT, "parameter": TEXT, "measure": TEXT, "median": NUMBER, "mean": NUMBER, "sd": NUMBER, "low": NUMBER, "high": NUMBER,
        "probability_below": NUMBER, "main": TEXT,
    },
    # Sequential meta-analysis: the z value after each study and the boundaries at that share of the required information.
    "sequential": {
        "study": TEXT, "information": NUMBER, "fraction": NUMBER, "z": NUMBER, "efficacy_low": NUMBER, "efficacy_high": NUMBER,
        "futility_low": NUMBER, "futility_high": NUMBER, "conventional": NUMBER,
    },
    # Comparisons of a network that studies made; treatments of it with their patients.
    "network": {"treatment_1": TEXT, "treatment_2": TEXT, "studies": COUNT, "patients": COUNT},
    "network-treatment": {"treatment": TEXT, "studies": COUNT, "patients": COUNT, "rank": NUMBER, "p_score": NUMBER},
    # `row` against `column`; `evidence` is network or direct.
    "league-table": {
        "row": TEXT, "column": TEXT, "measure": TEXT, "evidence": TEXT, "estimate": NUMBER, "conf_low": NUMBER, "conf_high": NUMBER,
        "prediction_low": NUMBER, "prediction_high": NUMBER, "p_value": NUMBER, "studies": COUNT,
    },
    "node-splitting": {
        "treatment_1": TEXT, "treatment_2": TEXT, "measure": TEXT, "studies": COUNT, "direct_share": NUMBER, "network": NUMBER, "direct": NUMBER,
        "indirect": NUMBER, "difference": NUMBER, "conf_low": NUMBER, "conf_high": NUMBER, "p_value": NUMBER,
    },
    # Cochran's Q of a network: in total, within designs, between them, and design by design.
    "design-decomposition": {"source": TEXT, "design": TEXT, "q": NUMBER, "df": NUMBER, "p_value": NUMBER},
    # Judgments of bias: `level` is low, some, high, critical, unclear or none; `domain` overall is the whole.
    "risk-of-bias": {
        "study": TEXT, "outcome": TEXT, "tool": TEXT, "domain": TEXT, "judgment": TEXT, "level": TEXT, "support": TEXT,
    },
    # Two extractors: how often they agree on a column, and where they did not.
    "agreement": {"column": TEXT, "pairs": COUNT, "agreed": COUNT, "percent": NUMBER, "kappa": NUMBER, "conf_low": NUMBER, "conf_high": NUMBER},
    "discrepancy": {"study": TEXT, "outcome": TEXT, "column": TEXT, "first": TEXT, "second": TEXT, "used": TEXT},
    # What an outcome's row of the summary of findings says; risks are per 1,000.
    "summary-of-findings": {
        "outcome": TEXT, "measure": TEXT, "studies": COUNT, "participants": COUNT, "risk_control": NUMBER, "risk_treated": NUMBER,
        "risk_low": NUMBER, "risk_high": NUMBER, "estimate": NUMBER, "conf_low": NUMBER, "conf_high": NUMBER, "certainty": TEXT,
    },
    # Each domain of GRADE: what was computed, what that suggests, what was judged and why.
    "certainty": {
        "outcome": TEXT, "domain": TEXT, "evidence": TEXT, "suggested": TEXT, "judged": TEXT, "reason": TEXT,
    },
}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """A rectangular result of a named kind; all columns have one length."""

    id: str
    analysis: str
    kind: str
    columns: Mapping[str, Sequence[Cell]]

    def __post_init__(self) -> None:
        expected = KINDS.get(self.kind)
        if expected is None:
            raise ValueError(f"unknown kind of block {self.kind!r}; known: {', '.join(sorted(KINDS))}")
        if list(self.columns) != list(expected):
            raise ValueError(f"a block {self.kind!r} has the columns {list(expected)}, not {list(self.columns)}")
        if len({len(column) for column in self.columns.values()}) > 1:
            raise ValueError(f"the columns of block {self.id!r} differ in length")

    def rows(self) -> list[dict[str, Cell]]:
        """The block row by row."""
        return [dict(zip(self.columns, values, strict=True)) for values in zip(*self.columns.values(), strict=True)]


def schema(kind: str) -> dict[str, object]:
    """The JSON Schema of one kind of block."""
    columns = {name: {"type": "array", "items": dict(cell)} for name, cell in KINDS[kind].items()}
    return {
        "type": "object",
        "properties": {
            "id": {"type": "string"},
            "analysis": {"type": "string"},
            "kind": {"const": kind},
            "columns": {
                "type": "object", "properties": columns, "required": list(columns), "additionalProperties": False,
            },
        },
        "required": ["id", "analysis", "kind", "columns"],
        "additionalProperties": False,
    }  # fmt: skip

"""Why an estimate is not repeated, and how near a repeated one must come."""

from __future__ import annotations

from collections.abc import Mapping

from counterpulse.protocol.plan import Plan, PlannedAnalysis
from counterpulse.regression.quantile_regression import NOT_UNIQUE
from counterpulse.results import EstimateRow
from counterpulse.study.catalog import METHODS
from counterpulse.study.export.part import resampled, selected_anew, step_of
from counterpulse.survival.gray_statistic import TIES_HELD

TOLERANCE = 1e-6
"""Iterative fits of two programs stop at different steps; both go on until less than this moves."""
LOOSE = 1e-4
BECAUSE = "the likelihood of a random intercept is an integral that two programs approximate and maximize differently"

DRAWS = "rests on random draws, which another program does not repeat"
SEVERAL = "other coefficients fit the quantile equally well, and two programs may take different ones"
REFITTED = "subgroups that were refitted one by one are not written out"
IMPUTED = "the imputation, and what is pooled over imputed tables, is not written out"
SELECTED = "covariates are selected in each imputed table, which the bundle does not hold one by one"
LADDER = "several models of balanced patients are not written out"
BALANCED = "how patients were matched or weighted is not written out"
OWN_KNOTS = "the folds of the lasso are random, and a spline has knots of its own in each group unless they are named"
IN_R: Mapping[str, str] = {
    "exact-logistic": "R has an exact odds ratio of one two-group comparison only, and none where it is infinite",
    "prediction-quality": "predictions of a time to an event, and risks without a regression, are not written out",
    "logistic-regression": "no function of base R for Firth's penalty",
    "aalen-johansen": "no median under Aalen's variance",
    "fine-gray": "no R function has Efron's ties where an event comes before a censoring at the same time",
    "by-type": "no method in R for this number",
    "augmented-weighting": OWN_KNOTS,
    "tmle": OWN_KNOTS,
    "clone-censor-weight": "clones, their weights and what is made of them are not written out",
    "sequential-trials": "the trials of a sequence and their weights are not written out",
    "meta-analysis": "metafor has no function for this number, or another definition of it",
    "bayesian-meta-analysis": "posteriors are not written out",
    "sequential-meta-analysis": "monitoring boundaries are not written out",
    "network-meta-analysis": "netmeta has another likelihood for the variance between studies, or no such number",
}
IN_SAS: dict[str, str] = {
    "worst-rank": "no SAS procedure ranks values with death worst",
    "exact-logistic": "the exact statement of PROC LOGISTIC takes other rules for P values",
    "prediction-quality": "no SAS procedure gives this number",
    "clone-censor-weight": "clones, their weights and what is made of them are not written out",
    "sequential-trials": "the trials of a sequence and their weights are not written out",
    "aalen-johansen": "of PROC LIFETEST the script asks the incidence only",
    "fine-gray": "the model of a subdistribution (eventcode of PROC PHREG) is not written out",
    "cox": "the hazard ratios of the competing event, and what stands beside a hazard ratio, are not written out",
}
IN_SAS |= dict.fromkeys(
    ("meta-analysis", "bayesian-meta-analysis", "sequential-meta-analysis", "network-meta-analysis"),
    "no SAS procedure pools the effects of studies",
)
USUAL = {"r": "no form in R for this number of the method", "sas": "no SAS procedure prints this number"}
BY_METHOD = {"r": IN_R, "sas": IN_SAS}


def why(row: EstimateRow, plan: Plan, to: str) -> str:
    """Why a row is not in the script."""
    if resampled(row):
        return DRAWS
    if NOT_UNIQUE in row.estimate.notes:
        return SEVERAL
    if TIES_HELD in row.estimate.notes:
        return TIES_HELD
    analysis = next((item for item in plan.analyses if item.id == row.analysis), None)
    if to == "sas" and row.imputations:
        return IMPUTED
    if analysis is not None and selected_anew(step_of(analysis, row.model), (row,)):
        return SELECTED
    if analysis is not None and analysis.balancing is not None:
        return _of_balanced(row, analysis, to)
    if row.subgroup is not None and plan.subgroups is not None and plan.subgroups.refit:
        return REFITTED
    if to == "sas" and (row.subgroup is not None or row.estimate.measure == "interaction"):
        return "subgroups are not written out in SAS"
    return BY_METHOD.get(to, {}).get(row.method, USUAL.get(to, "not part of the reporting event"))


def _of_balanced(row: EstimateRow, analysis: PlannedAnalysis, to: str) -> str:
    """Why a row of matched or weighted patients is not in the script."""
    if to == "sas":
        return BALANCED
    if len(analysis.models) > 1:
        return LADDER
    if row.estimate.measure == "test of curves":
        return "the test of curves of several weighted groups, or within strata, is not written out"
    if analysis.terms and METHODS[analysis.method].balances:
        return "means standardized by a weighted model are not written out"
    return f"{METHODS[row.method].label} of weighted patients is not written out"


def tolerance(row: EstimateRow, analysis: PlannedAnalysis | None) -> tuple[float, str]:
    """How near another program comes to a number, and why not nearer."""
    if analysis is None:
        return TOLERANCE, ""
    clusters = analysis.clusters
    one_by_patient = row.method == "repeated-measures" and analysis.options.get("model") == "random-intercept"
    counted = row.method == "meta-analysis" and analysis.options.get("model") == "generalized-linear"
    if counted or one_by_patient or (clusters is not None and clusters.treat_as == "random-intercept"):
        return LOOSE, BECAUSE
    return TOLERANCE, ""

"""The pages on methods name every public function and only proofs that exist; the numbers they show are ours."""

from __future__ import annotations

import inspect
import re
from math import exp

import numpy as np
import polars as pl
import pytest
from pages import ROOT

import counterpulse as cp
from counterpulse.two_groups import two_proportions

METHODS = (ROOT / "docs" / "reference" / "methods.md").read_text(encoding="utf-8")
DIFFERENCES = (ROOT / "docs" / "explanation" / "differences.md").read_text(encoding="utf-8")
FAMILIES = ("regression", "survival", "two_groups", "describe", "emulation", "imputation", "propensity", "robustness")
PROOFS = ("against_r", "published", "double_programmed", "property", "end_to_end", "simulation", "unit")


@pytest.mark.parametrize("family", FAMILIES)
def test_every_public_function_has_its_place(family):
    room = getattr(cp, family)
    functions = [name for name in room.__all__ if inspect.isfunction(getattr(room, name))]
    absent = [name for name in functions if not re.search(rf"`(?:\w+\.)?{name}\b", METHODS) and name != "quartiles_of"]
    assert not absent


def test_every_proof_that_is_named_exists():
    named = re.findall(rf"((?:{'|'.join(PROOFS)})/[\w/]+\.\w+)", METHODS + DIFFERENCES)
    assert len(named) > 20
    assert not [path for path in named if not (ROOT / "tests" / path).exists()]


def test_links_lead_to_pages():
    for page in (ROOT / "docs").rglob("*.md"):
        for target in re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", page.read_text(encoding="utf-8")):
            assert "://" in target or (page.parent / target).exists(), f"{page.name}: {target}"


def test_the_robust_errors_with_ties_are_ours(shared_data):
    lung = shared_data("lung.csv").drop_nulls(["inst", "ph.ecog"]).with_columns((pl.col("time") / 30).ceil())
    fit = cp.survival.cox(lung, time="time", event="status", terms=["age", "sex", "ph.ecog"], cluster="inst")
    shown = " | ".join(f"{error:.7f}" for error in np.sqrt(np.diag(fit.covariance)))
    assert f"| Counterpulse | {shown} |" in DIFFERENCES


def test_the_interval_of_a_small_curve_is_ours():
    eight = pl.DataFrame({"t": range(1, 9), "e": [1, 1, 1, 0, 1, 0, 1, 1]})
    for kind in ("log", "log-log"):
        (point,) = cp.survival.kaplan_meier(eight, time="t", event="e", interval=kind).at(5)
        assert f"{point.interval.low:.3f} to {point.interval.high:.3f}" in DIFFERENCES


def test_the_score_intervals_are_ours():
    difference = two_proportions(56, 70, 48, 80).estimate.interval
    ratio = two_proportions(43, 53, 36, 48, measure="risk ratio").estimate
    assert f"{difference.low:.4f} to {difference.high:.4f}" in DIFFERENCES
    shown = f"{exp(ratio.value):.3f} ({exp(ratio.interval.low):.3f} to {exp(ratio.interval.high):.3f})"
    assert f"Ours is {shown}" in DIFFERENCES


def test_the_hazard_ratios_of_two_tables_of_heart_transplants_are_theirs(shared_data):
    for name, shown in (("heart.csv", ("0.990", "1.016")), ("jasa1.csv", ("0.987", "1.014"))):
        table = shared_data(name)
        for value, terms in zip(shown, (["age", "surgery", "year"], ["age", "surgery"]), strict=True):
            fit = cp.survival.cox(table, start="start", time="stop", event="event", terms=["transplant", *terms])
            assert f"{exp(fit.coefficients[0]):.3f}" == value
            assert value in DIFFERENCES


def test_the_two_errors_of_clones_are_ours(shared_data):
    found = cp.emulation.clone_censor_weight(
        shared_data("maringe_toy.csv"), exposure_time="timetosurgery", time="fup_obs", event="death", exposed="surgery",
        grace=365.25 / 2, covariates=["age", "sex", "perf", "stage", "deprivation", "charlson", "emergency"], horizon=365, bootstrap=0,
    )  # fmt: skip
    table = found.intervals().with_columns(treated=(pl.col("strategy") == "within grace").cast(pl.Int8))
    columns = {"start": "start", "time": "stop", "event": "event", "terms": ["treated"], "weights": "weight"}
    by_row, by_patient = (cp.survival.cox(table, **columns, **more) for more in ({}, {"cluster": "row_of_origin"}))
    assert f"The hazard ratio, {exp(by_row.coefficients[0]):.3f}, is the same" in DIFFERENCES
    rows, patients = (float(np.sqrt(fit.covariance[0, 0])) for fit in (by_row, by_patient))
    assert f"the standard error is {rows:.3f}, where {table.height:,} intervals" in DIFFERENCES
    limits = [
        f"{exp(by_row.coefficients[0] - 1.96 * error):.2f} to {exp(by_row.coefficients[0] + 1.96 * error):.2f}"
        for error in (patients, rows)
    ]
    assert f"By patient it is {patients:.3f}: {' in place of '.join(limits)}" in DIFFERENCES


def test_the_pairs_of_two_versions_of_matchit_are_theirs(shared_data, shared_path):
    told = shared_path("reference/observational/matchit451_caliper_check.out").read_text(encoding="utf-8")
    pairs = re.findall(r"pairs (\d+)", told)
    far, wide = re.findall(r"dist (\S+)", told), re.findall(r"caliper (\S+)", told)
    for number, distance, width in zip(pairs, far, wide, strict=True):
        assert f"{number} pairs" in DIFFERENCES
        assert f"{float(distance):.4f} apart" in DIFFERENCES
        assert f"({float(width):.4f}" in DIFFERENCES
    covariates = ["age", "educ", "race", "married", "nodegree", "re74", "re75"]
    made = [
        len(cp.propensity.match(shared_data("lalonde.csv"), treatment="treat", covariates=covariates, caliper=0.2, on=on).pairs)
        for on in ("probability", "logit")
    ]  # fmt: skip
    assert f"make {made[0]} and {made[1]}" in DIFFERENCES

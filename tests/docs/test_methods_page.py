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
PROOFS = ("against_r", "published", "double_programmed", "property", "end_to_end")


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

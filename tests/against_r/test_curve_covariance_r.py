"""Risks at a time and restricted means with weights and clusters across groups, from the influence values of R's survfit()."""

import json
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from counterpulse import survival
from counterpulse.results import Status

CLOSED_FORM = 1e-10  # relative to the standard errors; curves are closed forms
NOTHING = 1e-5  # days; what is zero but for rounding, under a root
SAME = 1e-12  # relative; the same sums in another order
STORED = json.loads((Path(__file__).parent / "reference/curve_covariance.json").read_text())
LUNG = {"time": "time", "event": "status", "by": "sex"}
HEART = {"time": "stop", "event": "event", "start": "start", "by": "transplant", "weights": "w", "cluster": "id"}
CASES = {
    "lung_pairs": ("lung", {**LUNG, "weights": "w", "cluster": "pair"}, 365, 500),
    "lung_unweighted_pairs": ("lung", {**LUNG, "cluster": "pair"}, 365, 500),
    "lung_rows": ("lung", {**LUNG, "weights": "w"}, 365, 500),
    "heart_patients": ("heart", HEART, 180, 400),
}


def table(name):
    return pl.DataFrame(STORED[name], strict=False)


@pytest.mark.parametrize("case", CASES)
def test_restricted_means_like_survfit(case):
    name, options, _, tau = CASES[case]
    found, stored = survival.restricted_mean(table(name), tau=tau, **options), STORED[case]
    means, covariance = stored["mean"], np.array(stored["mean_covariance"])
    errors = np.sqrt(np.diag(covariance))
    np.testing.assert_allclose([one.value for one in found.groups], means, rtol=CLOSED_FORM)
    np.testing.assert_allclose([one.std_error for one in found.groups], errors, rtol=CLOSED_FORM)
    difference, ratio = found.differences[0], found.ratios[0]
    slope = np.array([-1, 1])
    assert difference.value == pytest.approx(means[1] - means[0], rel=CLOSED_FORM)
    assert difference.std_error == pytest.approx(np.sqrt(slope @ covariance @ slope), rel=CLOSED_FORM)
    slope = np.array([-1, 1]) / means
    assert ratio.std_error == pytest.approx(np.sqrt(slope @ covariance @ slope), rel=CLOSED_FORM)


@pytest.mark.parametrize("case", CASES)
def test_risks_like_survfit(case):
    name, options, at, _ = CASES[case]
    found, stored = survival.survival_difference(table(name), at=at, test="log-log", **options), STORED[case]
    values, covariance = np.array(stored["survival"]), np.array(stored["survival_covariance"])
    np.testing.assert_allclose([one.value for one in found.survival], values, rtol=CLOSED_FORM)
    np.testing.assert_allclose([one.std_error for one in found.risk], np.sqrt(np.diag(covariance)), rtol=CLOSED_FORM)
    slope = np.array([-1, 1])
    difference = found.differences[0]
    assert difference.std_error == pytest.approx(np.sqrt(slope @ covariance @ slope), rel=CLOSED_FORM)
    twice = slope / (values * np.log(values))
    statistic = np.diff(np.log(-np.log(values)))[0] / np.sqrt(twice @ covariance @ twice)
    assert difference.statistic == pytest.approx(statistic, rel=CLOSED_FORM)
    slope = np.array([-1, 1]) / (1 - values)
    assert found.ratios[0].std_error == pytest.approx(np.sqrt(slope @ covariance @ slope), rel=CLOSED_FORM)
    curves = survival.kaplan_meier(table(name), **options)
    assert [one.std_error for one in curves.at(at)] == [one.std_error for one in found.survival]


def test_weights_that_count_people_are_copies_of_rows():
    lung = table("lung")
    copies = lung.select(pl.all().repeat_by("k").explode())
    for method, horizon in ((survival.restricted_mean, {"tau": 500}), (survival.survival_difference, {"at": 365})):
        counted, copied = method(lung, **LUNG, **horizon, weights="k"), method(copies, **LUNG, **horizon)
        for one, other in zip(counted.estimates(), copied.estimates(), strict=True):
            assert (one.value, one.std_error) == pytest.approx((other.value, other.std_error), rel=SAME)
        clustered = method(copies, **LUNG, **horizon, cluster="pair")
        weighted = method(lung, **LUNG, **horizon, weights="k", cluster="pair")
        for one, other in zip(weighted.estimates(), clustered.estimates(), strict=True):
            assert (one.value, one.std_error) == pytest.approx((other.value, other.std_error), rel=SAME)


def test_few_clusters_leave_no_error():
    few = table("lung").with_columns(pair=pl.col("pair") % 5)
    for found in (
        survival.restricted_mean(few, tau=500, cluster="pair", **LUNG), survival.survival_difference(few, at=365, cluster="pair", **LUNG),
    ):  # fmt: skip
        assert {one.status for one in found.estimates()} == {Status.FEW_CLUSTERS}
        assert "robust" in [choice.value for choice in found.provenance.choices]


def test_a_matched_pair_that_dies_together_has_no_variance_of_its_difference():
    rows = table("lung").head(100)
    mirrored = pl.concat([rows.with_columns(sex=pl.lit(side), pair=pl.int_range(pl.len())) for side in (1, 2)])
    found = survival.restricted_mean(mirrored, tau=500, cluster="pair", **LUNG)
    assert found.differences[0].value == pytest.approx(0, abs=NOTHING)
    assert found.differences[0].std_error == pytest.approx(0, abs=NOTHING)

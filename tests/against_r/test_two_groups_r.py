"""Stored output of R 4.2.2 (reference/two_groups.R)."""

import json
from pathlib import Path

import numpy as np
import pytest

from counterpulse.describe import quartiles_of
from counterpulse.two_groups import (
    analysis_of_variance,
    cochran_armitage,
    fisher_exact,
    jonckheere_terpstra,
    kruskal_wallis,
    mann_whitney,
    mean_difference,
    pearson_chi_squared,
    single_proportion,
    t_test,
    two_proportions,
)

R = json.loads((Path(__file__).parent / "reference" / "two_groups.json").read_text())

CLOSED_FORM = 1e-10  # relative; both sides evaluate one formula
EXACT_SUM = 1e-9  # relative; sums of many small probabilities in another order, and R's own rounding of lgamma
ROOT = 1e-8  # absolute on the log scale; the R script stops uniroot at 1e-13 but its bracketed function is flat
R_UNIROOT = 1.25e-4  # absolute, of the odds ratio or its inverse; .Machine$double.eps^0.25, where fisher.test stops
STORED = 1e-11  # absolute; the stored file holds 12 decimals
NOTHING = 1e-15  # absolute; R's limit for no events is a rounding error away from 0

x = [61.2, 70.1, 55.9, 80.3, 66.6, 72.4, 59.0, 63.3, 75.8]
y = [58.4, 62.2, 49.7, 71.0, 60.5, 57.1, 66.9]
z = [74.2, 81.5, 69.9, 77.3, 68.8, 90.4]
xt = [1, 2, 2, 3, 5, 5, 5, 8, 9, 12]
yt = [2, 2, 4, 5, 6, 9, 9, 10, 14, 15, 15]
zt = [3, 5, 9, 9, 12, 16]
VECTORS = {"x": x, "y": y, "z": z, "xt": xt}
TABLES = {"m": [[43, 10], [36, 12]], "s": [[3, 1], [1, 3]], "w": [[12, 5], [2, 9]]}
LARGER = {
    "fisher_job": [[1, 2, 1, 0], [3, 3, 6, 1], [10, 10, 14, 9], [6, 7, 12, 11]],
    "fisher_r33": [[4, 2, 1], [3, 0, 6], [1, 5, 5]],
    "fisher_r25": [[3, 7, 0, 5, 2], [8, 1, 4, 6, 11]],
    "fisher_r34": [[9, 4, 2, 0], [3, 12, 8, 1], [0, 5, 5, 7]],
}


def check(result, name):
    expected = R[name]
    assert result.statistic == pytest.approx(expected["statistic"], rel=CLOSED_FORM)
    assert result.p_value == pytest.approx(expected["p"], rel=CLOSED_FORM)
    if expected["df"] is not None:
        assert result.df == pytest.approx(expected["df"], rel=CLOSED_FORM)
    if expected["df2"] is not None:
        assert result.df_denominator == pytest.approx(expected["df2"], rel=CLOSED_FORM)


@pytest.mark.parametrize(
    ("name", "result"),
    [
        ("welch", lambda: t_test(x, y)),
        ("pooled", lambda: t_test(x, y, variance="pooled")),
        ("wilcox_exact", lambda: mann_whitney(x, y, method="exact")),
        ("wilcox_exact", lambda: mann_whitney(x, y, method="exact below 50")),
        ("wilcox_normal", lambda: mann_whitney(x, y)),
        ("wilcox_plain", lambda: mann_whitney(x, y, continuity=False)),
        ("wilcox_ties", lambda: mann_whitney(xt, yt)),
        ("wilcox_ties", lambda: mann_whitney(xt, yt, method="exact below 50")),
        ("wilcox_ties_plain", lambda: mann_whitney(xt, yt, continuity=False)),
        ("kruskal", lambda: kruskal_wallis([x, y, z])),
        ("kruskal_ties", lambda: kruskal_wallis([xt, yt, zt])),
        ("anova", lambda: analysis_of_variance([x, y, z], variance="pooled")),
        ("welch_anova", lambda: analysis_of_variance([x, y, z])),
        ("trend", lambda: cochran_armitage([15, 10, 5, 9], [30, 28, 25, 40])),
        ("trend_scores", lambda: cochran_armitage([15, 10, 5, 9], [30, 28, 25, 40], scores=[0, 1, 4, 9])),
        ("pearson_r34", lambda: pearson_chi_squared(LARGER["fisher_r34"])),
        *((f"pearson_{k}", lambda t=t: pearson_chi_squared(t)) for k, t in TABLES.items()),
        *((f"yates_{k}", lambda t=t: pearson_chi_squared(t, correction="yates")) for k, t in TABLES.items()),
    ],
)
def test_tests(name, result):
    check(result(), name)


@pytest.mark.parametrize(
    ("name", "groups"), [("jonckheere", [x, y, z]), ("jonckheere_ties", [xt, yt, zt]), ("jonckheere_two", [xt, yt])]
)
def test_jonckheere_is_kendalls_test_of_values_against_groups(name, groups):
    assert jonckheere_terpstra(groups).p_value == pytest.approx(R[name]["p"], rel=CLOSED_FORM)


@pytest.mark.parametrize("variance", ["welch", "pooled"])
def test_mean_difference(variance):
    estimate = mean_difference(x, y, variance=variance).estimate
    assert estimate.value == pytest.approx(np.mean(x) - np.mean(y), rel=CLOSED_FORM)
    assert estimate.interval.low == pytest.approx(R[variance]["low"], rel=CLOSED_FORM)
    assert estimate.interval.high == pytest.approx(R[variance]["high"], rel=CLOSED_FORM)


@pytest.mark.parametrize("name", TABLES)
def test_fisher_two_by_two(name):
    (a, b), (c, d) = TABLES[name]
    assert fisher_exact(TABLES[name]).p_value == pytest.approx(R[f"fisher_{name}"]["p"], rel=EXACT_SUM)
    estimate = two_proportions(a, a + b, c, c + d, measure="odds ratio", interval="exact").estimate
    expected = R[f"conditional_{name}"]
    assert estimate.value == pytest.approx(expected["estimate"], abs=ROOT)
    assert estimate.interval.low == pytest.approx(expected["low"], abs=ROOT)
    assert estimate.interval.high == pytest.approx(expected["high"], abs=ROOT)
    natural = estimate.natural()
    for ours, theirs in [
        (natural.value, expected["r_estimate"]),
        (natural.interval.low, expected["r_low"]),
        (natural.interval.high, expected["r_high"]),
    ]:
        power = -1 if theirs > 1 else 1
        assert ours**power == pytest.approx(theirs**power, abs=R_UNIROOT)
    assert estimate.p_value == pytest.approx(R[f"fisher_{name}"]["p"], rel=EXACT_SUM)


@pytest.mark.parametrize("name", LARGER)
def test_fisher_of_larger_tables(name):
    assert fisher_exact(LARGER[name]).p_value == pytest.approx(R[name]["p"], rel=EXACT_SUM)
    transposed = np.array(LARGER[name]).T
    assert fisher_exact(transposed).p_value == pytest.approx(R[name]["p"], rel=EXACT_SUM)


@pytest.mark.parametrize(("events", "n"), [(0, 10), (4, 10), (10, 10), (17, 250)])
def test_single_proportion(events, n):
    expected = R[f"binom_{events}_{n}"]
    exact = single_proportion(events, n, interval="clopper-pearson").estimate.interval
    wilson = single_proportion(events, n, interval="wilson").estimate.interval
    assert (exact.low, exact.high) == pytest.approx((expected["low"], expected["high"]), rel=CLOSED_FORM)
    assert (wilson.low, wilson.high) == pytest.approx(
        (expected["wilson_low"], expected["wilson_high"]), rel=CLOSED_FORM, abs=NOTHING
    )


def test_wald_interval_of_the_difference():
    interval = two_proportions(43, 53, 36, 48, interval="wald").estimate.interval
    assert (interval.low, interval.high) == pytest.approx((R["prop_m"]["low"], R["prop_m"]["high"]), rel=CLOSED_FORM)


@pytest.mark.parametrize("vector", VECTORS)
@pytest.mark.parametrize(("type_", "definition"), [(2, "sas (type 2)"), (6, "spss (type 6)"), (7, "linear (type 7)")])
def test_quartiles(vector, type_, definition):
    expected = R[f"quantile_{vector}_{type_}"]
    found = quartiles_of(np.array(VECTORS[vector], dtype=float), definition=definition)
    assert found == pytest.approx((expected["q1"], expected["median"], expected["q3"]), rel=CLOSED_FORM)


def test_a_trial_in_cardiogenic_shock(shared_path):
    """43 of 53 against 36 of 48 survivors (R's fisher.test and prop.test, and epiR's Wald intervals)."""
    expected = json.loads(shared_path("reference/trial/altshock_2x2.json").read_text())
    assert fisher_exact([[43, 10], [36, 12]]).p_value == pytest.approx(expected["fisher"]["p.value"], abs=STORED)
    assert pearson_chi_squared([[43, 10], [36, 12]]).p_value == pytest.approx(expected["prop"]["p.value"], abs=STORED)
    for measure, key, factor in [
        ("risk ratio", "epi_RR_wald", 1),
        ("odds ratio", "epi_OR_wald", 1),
        ("risk difference", "epi_RD_wald", 100),
    ]:
        row = two_proportions(43, 53, 36, 48, measure=measure, interval="wald").estimate.row()
        wanted = expected[key][0]
        assert row["estimate"] * factor == pytest.approx(wanted["est"], rel=CLOSED_FORM)
        assert row["conf_low"] * factor == pytest.approx(wanted["lower"], rel=CLOSED_FORM)
        assert row["conf_high"] * factor == pytest.approx(wanted["upper"], rel=CLOSED_FORM)

import numpy as np
import polars as pl
import pytest

from counterpulse import survival
from counterpulse.results import REFERENCES, Status

CLOSED_FORM = 1e-10  # relative


@pytest.fixture
def table():
    random = np.random.default_rng(2)
    n = 90
    return pl.DataFrame(
        {
            "time": random.integers(1, 20, n).astype(float), "event": random.random(n) < 0.6, "arm": random.choice(["a", "b", "c"], n),
            "w": random.uniform(0.3, 2, n), "id": np.arange(n),
        }
    )  # fmt: skip


def test_every_row_its_own_cluster_is_the_plain_jackknife(table):
    rows = survival.kaplan_meier(table, time="time", event="event", weights="w")
    clusters = survival.kaplan_meier(table, time="time", event="event", weights="w", cluster="id")
    np.testing.assert_allclose(rows.curves[0].std_error, clusters.curves[0].std_error, rtol=CLOSED_FORM)


def test_copies_of_a_patient_in_one_cluster_change_nothing(table):
    once = survival.kaplan_meier(table, time="time", event="event", cluster="id")
    twice = survival.kaplan_meier(pl.concat([table, table]), time="time", event="event", cluster="id")
    np.testing.assert_allclose(once.curves[0].survival, twice.curves[0].survival, rtol=CLOSED_FORM)
    some = once.curves[0].survival > 0
    np.testing.assert_allclose(once.curves[0].std_error[some], twice.curves[0].std_error[some], rtol=CLOSED_FORM)


def test_few_clusters_have_no_standard_error(table):
    curves = survival.kaplan_meier(table.with_columns(id=pl.col("id") % 4), time="time", event="event", cluster="id")
    found = curves.at(5.0)[0]
    assert (found.status, found.std_error, found.interval) == (Status.FEW_CLUSTERS, None, None)
    assert 0 < found.value < 1
    assert curves.quantile()[0].status is Status.FEW_CLUSTERS


def test_missing_clusters_are_left_out(table):
    holes = table.with_columns(id=pl.when(pl.col("id") < 5).then(None).otherwise("id"))
    found = survival.kaplan_meier(holes, time="time", event="event", cluster="id")
    assert (found.curves[0].n, found.n_missing) == (85, 5)


def test_unit_weights_are_the_log_rank_test(table):
    plain = survival.log_rank(table, time="time", event="event", by="arm", rho=1)
    unit = survival.log_rank(table, time="time", event="event", by="arm", rho=1, weights=np.ones(table.height))
    assert unit.statistic == pytest.approx(plain.statistic, rel=CLOSED_FORM)
    np.testing.assert_allclose(unit.covariance, plain.covariance, rtol=CLOSED_FORM)


def test_the_adjusted_test_knows_no_scale_of_its_weights(table):
    one = survival.log_rank(table, time="time", event="event", by="arm", weights="w")
    ten = survival.log_rank(table.with_columns(10 * pl.col("w")), time="time", event="event", by="arm", weights="w")
    assert one.statistic == pytest.approx(ten.statistic, rel=CLOSED_FORM)
    assert one.provenance.method == "adjusted log-rank test"
    assert set(one.provenance.citations) <= set(REFERENCES)
    assert one.df == 2

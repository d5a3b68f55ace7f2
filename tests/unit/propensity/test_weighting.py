import numpy as np
import polars as pl
import pytest

from counterpulse.errors import InputError
from counterpulse.propensity import effective_size, weight
from counterpulse.results import Status

SAME = 1e-10  # relative; the same formula in another order
BALANCED = 1e-7  # standardized differences that the method makes zero


@pytest.fixture
def ward():
    random = np.random.default_rng(8)
    n = 600
    age, shock = random.normal(65, 10, n), random.random(n) < 0.3
    chance = 1 / (1 + np.exp(0.8 - 0.06 * (age - 65) - shock))
    kind = np.where(random.random(n) < chance, np.where(random.random(n) < 0.5, "pump", "balloon"), "none")
    return pl.DataFrame({"age": age, "shock": shock, "device": kind != "none", "kind": kind})


OPTIONS = {"treatment": "device", "covariates": ["age", "shock"]}


def test_overlap_weights_balance_means_exactly(ward):
    found = weight(ward, estimand="overlap", **OPTIONS)
    assert found.estimand == "ATO"
    table = found.balance().tidy().filter(pl.col("sample") == "weighted", pl.col("variable") != "propensity score")
    assert table["smd"].abs().max() < BALANCED


def test_overlap_weights_of_three_treatments_are_the_harmonic_mean(ward):
    found = weight(ward, treatment="kind", covariates=["age", "shock"], estimand="overlap")
    received = found.probabilities[np.arange(ward.height), found.groups.codes]
    np.testing.assert_allclose(found.weights, 1 / received / (1 / found.probabilities).sum(axis=1), rtol=SAME)
    np.testing.assert_allclose(found.probabilities.sum(axis=1), 1, rtol=SAME)
    assert found.balance(between=("pump", "none")).largest("weighted") < 0.2
    with pytest.raises(InputError, match="between"):
        found.balance()


def test_entropy_balancing_of_three_treatments_reaches_the_means(ward):
    found = weight(
        ward, treatment="kind", covariates=["age", "shock"], estimand="ATT", focal="pump", method="entropy-balancing"
    )
    for other in ("none", "balloon"):
        assert found.balance(between=("pump", other)).largest("weighted") < BALANCED


def test_trimming_names_its_estimand_and_counts(ward):
    found = weight(ward, estimand="ATE", trim=0.2, **OPTIONS)
    assert found.estimand == "ATE among the trimmed"
    assert found.n_trimmed == int(((found.probabilities < 0.2).any(axis=1)).sum()) > 0
    assert np.count_nonzero(found.weights) == ward.height - found.n_trimmed
    by_percentile = weight(ward, estimand="ATE", trim_percentile=5, **OPTIONS)
    assert 0 < by_percentile.n_trimmed < ward.height / 4


def test_stabilized_and_truncated_weights(ward):
    plain, stable, cut = (
        weight(ward, estimand="ATE", **OPTIONS, **more) for more in ({}, {"stabilize": True}, {"truncate": 90})
    )
    treated = ward["device"].to_numpy()
    np.testing.assert_allclose(stable.weights[treated], plain.weights[treated] * treated.mean(), rtol=SAME)
    assert cut.weights[treated].max() == pytest.approx(np.percentile(plain.weights[treated], 90), rel=SAME)


def test_effective_size():
    assert effective_size(np.ones(7)) == pytest.approx(7, rel=SAME)
    assert effective_size(np.array([1e200, 1e200])) == pytest.approx(2, rel=SAME)
    assert effective_size(np.zeros(3)) == 0


@pytest.mark.parametrize(
    ("device", "status"),
    [
        ([False] * 6, Status.NO_TREATED),
        ([True] * 6, Status.NO_CONTROLS),
        ([False] * 3 + [True] * 3, Status.TREATMENT_PREDICTED),
    ],
)
@pytest.mark.parametrize("method", ["logistic", "entropy-balancing"])
def test_what_cannot_be_weighted_has_a_status(device, status, method):
    table = pl.DataFrame({"device": device, "age": [1.0, 2, 3, 4, 5, 6]})
    found = weight(table, treatment="device", covariates=["age"], estimand="ATT", method=method)
    expected = Status.NOT_BALANCEABLE if method != "logistic" and status is Status.TREATMENT_PREDICTED else status
    assert found.status is expected
    assert not found.weights.any()
    assert found.balance().rows is not None


def test_a_weight_above_ten_thousand_has_a_status():
    random = np.random.default_rng(1)
    age = np.append(random.normal(0, 1, 4000), 8.0)
    treated = np.append(random.random(4000) < 1 / (1 + np.exp(-3 * age[:-1])), False)
    found = weight(pl.DataFrame({"age": age, "device": treated}), treatment="device", covariates=["age"])
    assert found.weights.max() > 1e4
    assert found.status is Status.EXTREME_WEIGHTS


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"estimand": "LATE"}, "estimand 'LATE'"),
        ({"method": "boosting"}, "method 'boosting'"),
        ({"method": "entropy-balancing", "estimand": "ATO"}, "no scores"),
        ({"trim": 0.6}, "trim"),
        ({"trim_percentile": 60}, "trim_percentile"),
        ({"truncate": 10}, "truncate"),
        ({"focal": "treated"}, "focal"),
        ({"treatment": "kind", "estimand": "ATT"}, "focal="),
        ({"treatment": "kind", "estimand": "ATT", "focal": "impella"}, "not a treatment"),
    ],
)
def test_misuse_is_refused(ward, options, words):
    with pytest.raises(InputError, match=words):
        weight(ward, **{**OPTIONS, **options})

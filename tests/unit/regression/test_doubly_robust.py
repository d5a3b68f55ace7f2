import numpy as np
import polars as pl
import pytest

from counterpulse.data.terms import Categorical
from counterpulse.errors import InputError
from counterpulse.numerics.distributions import expit
from counterpulse.numerics.random_streams import stream
from counterpulse.regression import aipw, lasso_learner, logistic, standardize, tmle
from counterpulse.results import Status

REORDERED = 1e-9  # relative; sums in another order, iterative fits
EXACT = 1e-12  # the same numbers but for rounding
SHIFTED = 1e-8  # relative; an outcome moved by 1e3 loses digits
SAME = 1e-3  # relative; what differs more is another variance
CURVATURE = 0.02  # the logit of other limits bends the fluctuation a little
OPTIONS = {"outcome": "y", "treatment": "a", "covariates": ["x", "z"]}
METHODS = pytest.mark.parametrize("method", [aipw, tmle])
ESTIMANDS = pytest.mark.parametrize("estimand", ["ATE", "ATT", "ATC"])


def cohort(n=400, seed=1):
    random = stream(seed, "cohort")
    x, z = random.normal(size=n), random.integers(0, 2, n)
    a = random.random(n) < expit(0.4 * x - 0.3 * z)
    y = random.random(n) < expit(-0.5 + 0.6 * x + 0.4 * a + 0.2 * z)
    return pl.DataFrame(
        {"x": x, "z": z, "a": a.astype(int), "y": y.astype(int), "u": 2 + x + a + random.normal(size=n),
         "w": random.integers(1, 4, n)}
    )  # fmt: skip


@METHODS
@ESTIMANDS
@pytest.mark.parametrize("outcome", ["y", "u"])
def test_weights_are_replication(method, estimand, outcome):
    table = cohort()
    options = {**OPTIONS, "outcome": outcome, "estimand": estimand}
    weighted = method(table, **options, weights="w").two
    repeated = method(table[np.repeat(np.arange(400), table["w"])], **options).two
    np.testing.assert_allclose(weighted.means, repeated.means, rtol=REORDERED)
    np.testing.assert_allclose(weighted.covariance, repeated.covariance, rtol=REORDERED)


@METHODS
@ESTIMANDS
def test_rows_clusters_and_scores(method, estimand):
    table, options = cohort(), {**OPTIONS, "estimand": estimand}
    found = method(table, **options).two
    scores = logistic(table, outcome="a", terms=["x", "z"]).predict(table)
    for again in (
        method(table.reverse(), **options),
        method(table, **options, scores=scores),
        method(table, **options, cluster=np.arange(400)),
        method(table.with_columns(a=pl.col("a") == 1), **options),
        method(
            table.with_columns(a=pl.when(pl.col("a") == 1).then(pl.lit("pump")).otherwise(pl.lit("none"))), **options
        ),
    ):
        np.testing.assert_allclose(again.two.means, found.means, rtol=REORDERED)
        np.testing.assert_allclose(again.two.covariance, found.covariance, rtol=REORDERED)
    pairs = method(table, **options, cluster=np.arange(400) // 2).two.covariance
    assert not np.allclose(pairs, found.covariance, rtol=SAME)
    few = method(table, **options, cluster=np.arange(400) % 5).estimates()
    assert {row.status.code for row in few} == {"few-clusters"}
    assert all(np.isfinite(row.value) for row in few)


@METHODS
@ESTIMANDS
def test_a_number_on_another_scale(method, estimand):
    table, options = cohort(), {**OPTIONS, "outcome": "u", "estimand": estimand}
    found = method(table, **options).two
    again = method(table.with_columns(u=1e3 - 5 * pl.col("u")), **options).two
    np.testing.assert_allclose(again.means, 1e3 - 5 * found.means, rtol=REORDERED)
    np.testing.assert_allclose(again.covariance, 25 * found.covariance, rtol=SHIFTED)


@ESTIMANDS
@pytest.mark.parametrize("outcome", ["y", "u"])
def test_targeting_solves_the_efficient_score(estimand, outcome):
    table = cohort()
    found = tmle(table, **{**OPTIONS, "outcome": outcome, "estimand": estimand})
    np.testing.assert_allclose(found.influence.mean(axis=0), 0, atol=EXACT)
    assert len(found.fluctuations) == 2
    estimates = found.estimates()
    assert estimates[0].measure == ("risk" if outcome == "y" else "mean")
    assert estimates[-1].measure == ("marginal odds ratio" if outcome == "y" else "mean difference")


def test_a_saturated_model_is_standardization():
    table = cohort()
    options = {**OPTIONS, "covariates": ["z"]}
    strata = table.group_by("z", "a").agg(pl.col("y").mean()).sort("z", "a")["y"].to_numpy().reshape(2, 2)
    share = table["z"].mean()
    direct = np.array([(1 - share) * strata[0, arm] + share * strata[1, arm] for arm in (1, 0)])
    for method in (aipw, tmle):
        np.testing.assert_allclose(method(table, **options).two.means, direct, rtol=REORDERED)


def test_the_odds_ratio_of_standardization():
    table = cohort()
    fit = logistic(table, outcome="y", terms=["a", "x", "z"], weights="w")
    found = standardize(fit, table, variable="a", treated=1, reference=0)
    odds = found.means / (1 - found.means)
    row = found.odds_ratio()
    assert row.value == pytest.approx(np.log(odds[0] / odds[1]), rel=EXACT)
    slope = np.array([1, -1]) / (found.means * (1 - found.means))
    assert row.std_error == pytest.approx(np.sqrt(slope @ found.covariance @ slope), rel=EXACT)
    repeated = table[np.repeat(np.arange(400), table["w"])]
    other = standardize(
        logistic(repeated, outcome="y", terms=["a", "x", "z"]), repeated, variable="a", treated=1, reference=0
    )
    assert other.odds_ratio().value == pytest.approx(row.value, rel=REORDERED)
    assert other.odds_ratio().std_error == pytest.approx(row.std_error, rel=REORDERED)


def nearest(frame, target, weights):
    """The mean of the 25 nearest in x."""
    at, values = frame["x"].to_numpy(), target
    return lambda rows: np.array([values[np.argsort(np.abs(at - x))[:25]].mean() for x in rows["x"].to_numpy()])


@METHODS
def test_learners_are_cross_fitted(method):
    table, seen = cohort(), []

    def learner(frame, target, weights):
        seen.append(frame["row"].to_numpy())
        return nearest(frame, target, weights)

    options = {**OPTIONS, "covariates": ["x"], "outcome_learner": learner, "seed": 4}
    table = table.with_row_index("row")
    found = method(table, **options)
    assert len(seen) == 10
    for first, second in zip(seen[::2], seen[1::2], strict=True):
        assert not set(first) & set(second)
        assert 300 < len(first) + len(second) < 340
    again = method(table, **options)
    assert np.array_equal(found.two.means, again.two.means)
    other = method(table, **{**options, "seed": 5})
    assert not np.array_equal(found.two.means, other.two.means)
    assert abs(found.two.means - method(table, **{**OPTIONS, "covariates": ["x"]}).two.means).max() < 0.03
    assert "cross-fitting" in {choice.name for choice in found.provenance.choices}


@METHODS
@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"a": pl.lit(0)}, "no-treated"),
        ({"a": pl.lit(1)}, "no-controls"),
        ({"x": pl.lit(None, dtype=pl.Float64)}, "no-rows"),
        ({"x": pl.col("a") * 1.0}, "treatment-predicted"),
        ({"y": pl.col("a")}, "one-arm-unfitted"),
        ({"x": pl.col("x") + 40 * pl.col("a")}, "treatment-predicted"),
    ],
)
def test_what_cannot_be_estimated_has_a_status(method, change, code):
    found = method(cohort().with_columns(**change), **OPTIONS)
    assert found.status.code == code
    assert {row.status.code for row in found.estimates()} == {code}
    assert all(np.isnan(row.value) for row in found.estimates())
    assert found.glance()["status"][0] == code


@METHODS
def test_a_level_of_one_arm_is_not_extrapolated(method):
    table = cohort().with_columns(
        z=pl.when((pl.col("a") == 1) & (pl.int_range(400) % 40 == 0)).then(pl.lit("rare")).otherwise(pl.lit("usual"))
    )
    scores = np.full(400, 0.5)
    found = method(table, **{**OPTIONS, "covariates": ["x", Categorical("z")]}, scores=scores)
    assert found.status.code == "one-arm-unfitted"
    twice = method(cohort().with_columns(z=pl.col("x") * 2), **OPTIONS)
    assert twice.status.code == "ok"


@METHODS
def test_extreme_scores(method):
    table, scores = cohort(), np.full(400, 0.5)
    scores[int(np.flatnonzero(table["a"].to_numpy() == 1)[0])] = 1e-6
    assert method(table, **OPTIONS, scores=scores).status.code == "extreme-scores"
    assert method(table, **OPTIONS, scores=scores, bounds=(0.01, 0.99)).status.code == "ok"


@METHODS
@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"estimand": "ATO"}, "not known"),
        ({"bounds": (0.9, 0.1)}, "'bounds'"),
        ({"folds": 1}, "folds"),
        ({"scores": np.full(400, 2.0)}, "between 0 and 1"),
        ({"scores": np.full(3, 0.5)}, "3 scores for 400 rows"),
        ({"treatment": "w"}, "other than 0 and 1"),
        ({"level": 95}, "level"),
        ({"outcome": "absent"}, "no column 'absent'"),
    ],
)
def test_bad_input(method, options, words):
    with pytest.raises(InputError, match=words):
        method(cohort(), **{**OPTIONS, **options})


def test_outcome_bounds():
    table, options = cohort(), {**OPTIONS, "outcome": "u"}
    with pytest.raises(InputError, match="'outcome_bounds'"):
        tmle(table, **options, outcome_bounds=(0.0, 1.0))
    near = tmle(table, **options).two.means
    np.testing.assert_allclose(tmle(table, **options, outcome_bounds=(-20.0, 20.0)).two.means, near, atol=CURVATURE)


@METHODS
@pytest.mark.parametrize("outcome", ["y", "u"])
def test_the_untreated_are_the_treated_of_the_other_coding(method, outcome):
    table, options = cohort(), {**OPTIONS, "outcome": outcome}
    found = method(table, **options, estimand="ATC").two
    other = method(table.with_columns(a=1 - pl.col("a")), **options, estimand="ATT").two
    np.testing.assert_allclose(found.means, other.means[::-1], rtol=REORDERED)
    np.testing.assert_allclose(found.covariance, other.covariance[::-1, ::-1], rtol=REORDERED)


def test_scores_that_do_not_overlap():
    table = cohort()
    scores = np.where(table["a"] == 1, 0.6, 0.4)
    assert aipw(table, **OPTIONS, scores=scores).status.code == "no-overlap"


def lassos(**more):
    return {
        "treatment_learner": lasso_learner(["x", "z", "v"], binary=True, separated=Status.TREATMENT_PREDICTED, **more),
        "outcome_learner": lasso_learner(["x", "z", "v"], binary=True, separated=Status.ONE_ARM_UNFITTED, **more),
    }


@METHODS
def test_a_lasso_is_cross_fitted(method):
    table = cohort().with_columns(v=pl.Series(stream(3, "noise").normal(size=400)))
    found = method(table, **OPTIONS, **lassos(), seed=2)
    plain = method(table, **OPTIONS)
    assert found.status.code == "ok"
    assert abs(found.two.means - plain.two.means).max() < plain.two.covariance.max() ** 0.5
    again = method(table, **OPTIONS, **lassos(), seed=2)
    assert np.array_equal(found.two.means, again.two.means)
    assert found.glance()["score_low"][0] >= 0


def test_what_a_lasso_learns():
    table = cohort(2000).with_columns(v=pl.Series(stream(3, "noise").normal(size=2000)))
    learn = lasso_learner(["x", "z", "v"], binary=False, separated=Status.ONE_ARM_UNFITTED)
    target = table["u"].to_numpy()
    predicted = learn(table, target, None)(table)
    assert np.corrcoef(predicted, table["x"].to_numpy())[0, 1] > 0.98
    assert abs(predicted.mean() - target.mean()) < CURVATURE
    constant = learn(table, np.full(2000, 3.0), None)(table)
    assert (constant == 3.0).all()
    doubled = learn(table, target, np.full(2000, 2.0))(table)
    np.testing.assert_allclose(doubled, predicted, rtol=SHIFTED)


def test_standardizing_over_a_part():
    table = cohort()
    fit = logistic(table, outcome="y", terms=["a", "x", "z"])
    options = {"variable": "a", "treated": 1, "reference": 0}
    everybody = standardize(fit, table, **options)
    same = standardize(fit, table, **options, among=np.ones(400, dtype=bool))
    assert np.array_equal(same.means, everybody.means)
    assert np.array_equal(same.covariance, everybody.covariance)
    part = table["z"].to_numpy() == 1
    among, others = (standardize(fit, table, **options, among=mask) for mask in (part, ~part))
    share = part.mean()
    np.testing.assert_allclose(share * among.means + (1 - share) * others.means, everybody.means, rtol=REORDERED)
    assert standardize(fit, table, **options, among=np.zeros(400, dtype=bool)).status.code == "empty-group"
    with pytest.raises(InputError, match="'among' has 3 values"):
        standardize(fit, table, **options, among=[True, False, True])

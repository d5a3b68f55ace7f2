import numpy as np
import polars as pl
import pytest

from counterpulse.errors import InputError
from counterpulse.propensity import Caliper, match, propensity_score
from counterpulse.results import Status

SAME = 1e-12  # relative; the same formula in another order


@pytest.fixture
def ward():
    random = np.random.default_rng(5)
    n = 400
    age, sex = random.normal(65, 10, n), random.choice(["f", "m"], n)
    treated = random.random(n) < 1 / (1 + np.exp(1.2 - 0.05 * (age - 65)))
    return pl.DataFrame({"age": age, "sex": sex, "center": random.integers(1, 5, n), "device": treated})


def test_matched_treated_weigh_one_and_controls_share(ward):
    found = match(ward, treatment="device", covariates=["age", "sex"], ratio=2, caliper=0.2)
    treated = ward["device"].to_numpy()
    assert set(found.weights[treated]) == {0.0, 1.0}
    control = found.weights[~treated]
    assert control[control > 0].mean() == pytest.approx(1, rel=SAME)
    assert found.estimand == "matched treated"
    assert found.status is Status.FEWER_CONTROLS or found.status is Status.OK
    members = pl.DataFrame({"set": found.sets, "device": treated}).filter(pl.col("set") >= 0)
    sizes = members.group_by("set").agg(pl.col("device").sum(), n=pl.len())
    assert sizes["device"].unique().to_list() == [1]
    assert sizes["n"].is_between(2, 3).all()


def test_exact_and_anti_exact(ward):
    same = match(ward, treatment="device", covariates=["age"], exact=["sex", "center"]).pairs
    for name in ("sex", "center"):
        assert (ward[name].gather(same["treated"]) == ward[name].gather(same["control"])).all()
    other = match(ward, treatment="device", covariates=["age"], anti_exact="center").pairs
    assert (ward["center"].gather(other["treated"]) != ward["center"].gather(other["control"])).all()


@pytest.mark.parametrize(("caliper", "widest"), [(1.5, 1.5), (Caliper(0.1, "sd"), None)])
def test_calipers_on_covariates(ward, caliper, widest):
    pairs = match(ward, treatment="device", covariates=["age", "sex"], caliper_on={"age": caliper}).pairs
    apart = (ward["age"].gather(pairs["treated"]) - ward["age"].gather(pairs["control"])).abs()
    assert len(apart)
    assert apart.max() <= (0.1 * ward["age"].std() if widest is None else widest)


def test_the_two_definitions_of_the_caliper(ward):
    options = {"treatment": "device", "covariates": ["age", "sex"], "caliper": 0.2}
    score = propensity_score(ward, treatment="device", covariates=["age", "sex"])
    groups = [score.logit[score.units.treated], score.logit[~score.units.treated]]
    within = np.sqrt((groups[0].var(ddof=1) + groups[1].var(ddof=1)) / 2)
    assert match(ward, **options).width == pytest.approx(0.2 * score.logit.std(ddof=1), rel=SAME)
    assert match(ward, **options, caliper_sd="within").width == pytest.approx(0.2 * within, rel=SAME)
    assert match(ward, **options).distances.max() <= match(ward, **options).width


def test_a_random_order_depends_on_its_seed_alone(ward):
    options = {"treatment": "device", "covariates": ["age", "sex"], "order": "random"}
    first, again, other = (match(ward, **options, seed=seed).pairs for seed in (1, 1, 2))
    assert first.equals(again)
    assert not first.equals(other)


def test_rows_with_missing_values_are_left_out_and_keep_their_number(ward):
    holes = ward.with_columns(age=pl.when(pl.int_range(pl.len()) % 7 == 0).then(None).otherwise("age"))
    found = match(holes, treatment="device", covariates=["age", "sex"])
    whole = holes.with_row_index("row").drop_nulls()
    direct = match(whole.drop("row"), treatment="device", covariates=["age", "sex"])
    rows = whole["row"].cast(pl.Int64)
    assert found.pairs["treated"].to_list() == rows.gather(direct.pairs["treated"]).to_list()
    assert found.pairs["control"].to_list() == rows.gather(direct.pairs["control"]).to_list()
    assert found.score.units.n_missing == holes["age"].null_count()
    assert not found.weights[holes["age"].is_null().to_numpy()].any()


def test_discarded_treated_change_the_estimand(ward):
    found = match(ward, treatment="device", covariates=["age"], discard="both", replace=True)
    assert found.discarded[0] + found.discarded[1] > 0
    assert (found.estimand == "matched treated") == (found.discarded[0] > 0)


@pytest.mark.parametrize(
    ("device", "age", "status"),
    [
        ([False] * 6, range(6), Status.NO_TREATED),
        ([True] * 6, range(6), Status.NO_CONTROLS),
        ([False] * 3 + [True] * 3, range(6), Status.TREATMENT_PREDICTED),
        ([None] * 6, range(6), Status.NO_ROWS),
        ([True, True, True, True, False, False], [1, 2, 3, 4, 1.5, 3.5], Status.FEWER_CONTROLS),
    ],
)
def test_what_cannot_be_matched_has_a_status(device, age, status):
    table = pl.DataFrame({"device": pl.Series(device, dtype=pl.Boolean), "age": pl.Series(age, dtype=pl.Float64)})
    found = match(table, treatment="device", covariates=["age"])
    assert found.status is status
    assert found.status.text
    if status is not Status.FEWER_CONTROLS:
        assert found.pairs.height == 0
        assert not found.weights.any()
    assert found.estimand == "matched treated" or found.score.units.n_treated == 0
    assert found.balance().tidy().height >= 0
    assert found.glance()["status"].item() == status.code


def test_scores_that_do_not_overlap_and_a_caliper_that_matches_none():
    table = pl.DataFrame({"device": [1, 1, 0, 0], "score": [0.8, 0.9, 0.1, 0.2]})
    assert match(table, treatment="device", score="score").status is Status.NO_OVERLAP
    crossed = table.with_columns(score=pl.Series([0.5, 0.15, 0.1, 0.6]))
    found = match(crossed, treatment="device", score="score", caliper=0.01, on="probability")
    assert found.status is Status.NOTHING_MATCHED
    assert found.estimand == "matched treated"


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"order": "nearest"}, "order 'nearest'"),
        ({"estimand": "ATE"}, "estimand 'ATE'"),
        ({"on": "score"}, "on='score'"),
        ({"caliper": np.inf}, "caliper"),
        ({"ratio": 0}, "ratio"),
        ({"caliper_sd": "all"}, "caliper_sd"),
        ({"discard": "all"}, "discard"),
        ({"ratio": 4, "max_controls": 3}, "min_controls <= ratio"),
        ({"ratio": 2, "max_controls": 3, "replace": True}, "without replacement"),
        ({"exact": "ward"}, "no column 'ward'"),
        ({"caliper_on": {"sex": 1}}, "needs numbers"),
        ({"covariates": None}, "covariates"),
        ({"covariates": ["device"]}, "among the covariates"),
        ({"score": [0.5]}, "one a row"),
        ({"treatment": "center"}, "0 and 1"),
    ],
)
def test_misuse_is_refused(ward, options, words):
    with pytest.raises(InputError, match=words):
        match(ward, **{"treatment": "device", "covariates": ["age"], **options})


@pytest.mark.parametrize(
    "options",
    [
        {}, {"caliper": 0.2}, {"order": "largest", "caliper": 0.1}, {"replace": True}, {"order": "closest"}, {"order": "farthest"},
        {"exact": "sex"}, {"ratio": 2, "min_controls": 1, "max_controls": 3}, {"discard": "control"}, {"method": "optimal", "caliper": 0.2},
    ],
)  # fmt: skip
def test_partners_for_the_controls_are_those_for_the_treated_with_names_exchanged(ward, options):
    some = ward.head(260).with_columns(device=~pl.col("device"))
    base = {"covariates": ["age", "sex"], **options}
    found = match(some, treatment="device", estimand="ATC", **base)
    mirrored = some.with_columns(device=~pl.col("device"))
    turned = {"largest": "smallest", None: "largest"}.get(options.get("order"), options.get("order"))
    discard = {"discard": "treated"} if "discard" in options else {}
    other = match(mirrored, treatment="device", **{**base, "order": turned, **discard})
    assert sorted(zip(found.pairs["control"], found.pairs["treated"], strict=True)) == sorted(other.pairs.rows())
    np.testing.assert_allclose(found.weights, other.weights, rtol=SAME)
    np.testing.assert_array_equal(found.sets, other.sets)
    assert found.estimand == {"ATT": "ATC", "matched treated": "matched controls"}[other.estimand]
    assert found.discarded == other.discarded[::-1]
    assert found.balance().denominator == "control"
    if found.status is not Status.OK:
        assert (found.status, other.status) == (Status.FEWER_TREATED, Status.FEWER_CONTROLS)


@pytest.mark.parametrize("method", ["nearest", "optimal"])
def test_calipers_below_zero_keep_pairs_apart(ward, method):
    options = {"treatment": "device", "covariates": ["age", "sex"], "method": method}
    pairs = match(ward, **options, caliper_on={"age": -5, "center": Caliper(-0.5, "sd")}, caliper=0.5).pairs
    for name, least in (("age", 5), ("center", 0.5 * ward["center"].std())):
        assert len(pairs)
        assert (ward[name].gather(pairs["treated"]) - ward[name].gather(pairs["control"])).abs().min() > least
    found = match(ward, **options, caliper=-0.3)
    assert found.distances.min() > 0.3 * found.score.logit.std(ddof=1)
    assert found.width == np.inf


def test_optimal_pairs_for_several_controls_and_within_strata(ward):
    found = match(
        ward, treatment="device", covariates=["age", "sex"], method="optimal", ratio=2, exact="sex", caliper=0.5
    )
    greedy = match(ward, treatment="device", covariates=["age", "sex"], ratio=2, exact="sex", caliper=0.5)
    assert (ward["sex"].gather(found.pairs["treated"]) == ward["sex"].gather(found.pairs["control"])).all()
    assert found.pairs["control"].is_unique().all()
    assert found.pairs.group_by("treated").len()["len"].max() == 2
    assert len(found.pairs) >= len(greedy.pairs)


def test_a_score_of_one_has_no_logit():
    table = pl.DataFrame({"device": [1, 0, 0], "score": [1.0, 0.1, 1.0]})
    with pytest.raises(InputError, match="no logit"):
        match(table, treatment="device", score="score")

import numpy as np
import polars as pl
import pytest

import counterpulse as cp
from counterpulse.errors import InputError
from counterpulse.imputation import chained_equations, imputations_needed, nelson_aalen_at
from counterpulse.results import Status

CLOSED = 1e-12
BETWEEN = 0.15  # of a share or a mean of drawn values


def with_holes(table, share=0.25, seed=9, keep=()):
    rng = np.random.default_rng(seed)
    return table.with_columns(
        [
            pl.when(pl.Series(rng.random(table.height) < share)).then(None).otherwise(pl.col(name)).alias(name)
            for name in table.columns
            if name not in keep
        ]
    )


def numbers(n=200, seed=1):
    rng = np.random.default_rng(seed)
    weight, height = rng.normal(80, 12, n), rng.normal(1.75, 0.1, n)
    return pl.DataFrame(
        {"weight": weight, "height": height, "bmi": weight / height**2, "y": rng.normal(size=n) + weight}
    )


BMI = {"bmi": pl.col("weight") / pl.col("height") ** 2}


def test_the_front_door():
    found = cp.imputation.chained_equations(with_holes(numbers()), m=3, iterations=2, seed=1)
    assert (found.m, found.tables.kind, found.iterations) == (3, "imputed", 2)
    assert [sample.stage for sample in found.tables.samples] == [
        ("imputation 1",),
        ("imputation 2",),
        ("imputation 3",),
    ]
    assert (found.tables.samples[1].row_of_origin == np.arange(200)).all()
    assert found.trace.columns == ["variable", "imputation", "iteration", "mean", "sd"]
    assert found.trace.height == 4 * 3 * 2
    assert "van-buuren-2011" in found.provenance.citations


def test_methods_follow_the_kind_of_column():
    rng = np.random.default_rng(0)
    table = with_holes(
        pl.DataFrame(
            {
                "number": rng.normal(size=90), "flag": rng.random(90) < 0.5, "coded": rng.integers(0, 2, 90),
                "two": rng.choice(["a", "b"], 90), "three": rng.choice(["a", "b", "c"], 90),
                "grade": rng.choice(["1", "2", "3"], 90),
            }
        )
    )  # fmt: skip
    found = chained_equations(table, m=2, iterations=1, seed=1, ordered=["grade"])
    assert found.methods == {
        "number": "pmm", "flag": "logistic", "coded": "logistic", "two": "logistic", "three": "polytomous",
        "grade": "ordered",
    }  # fmt: skip
    for name, levels in (("three", ["a", "b", "c"]), ("flag", ["no", "yes"])):
        shares = found.density(name).filter(pl.col("imputation") == 1)
        assert shares["level"].to_list() == levels
        assert shares["share"].sum() == pytest.approx(1, rel=CLOSED)
    curve = found.density("number").filter(pl.col("imputation") == 0)
    step = curve["value"][1] - curve["value"][0]
    assert curve["density"].sum() * step == pytest.approx(1, abs=BETWEEN)


def test_the_predictor_matrix_is_printed_and_obeyed():
    table = with_holes(numbers().drop("bmi"), keep=["height"])
    found = chained_equations(table, m=2, iterations=1, seed=1, predictors={"y": ["weight"]})
    assert found.predictor_matrix.filter(pl.col("imputed") == "y").row(0) == ("y", 1, 0, 0)
    assert found.predictor_matrix.filter(pl.col("imputed") == "weight").row(0) == ("weight", 0, 1, 1)


def test_the_order_of_visits():
    table = with_holes(numbers().drop("bmi"))
    assert chained_equations(table, m=2, iterations=1, seed=1, visit=["y", "height", "weight"]).visit == (
        "y", "height", "weight",
    )  # fmt: skip
    missing = table.null_count().row(0, named=True)
    assert list(chained_equations(table, m=2, iterations=1, seed=1).visit) == sorted(missing, key=missing.get)


@pytest.mark.parametrize("held", [True, False], ids=["in the table", "not in the table"])
def test_passive_columns_are_computed(held):
    table = with_holes(numbers(), keep=["bmi"])
    table = table.with_columns(bmi=pl.col("weight") / pl.col("height") ** 2)
    found = chained_equations(table if held else table.drop("bmi"), m=2, iterations=3, seed=1, passive=BMI)
    for frame in found.frames():
        np.testing.assert_allclose(frame["bmi"], frame["weight"] / frame["height"] ** 2, rtol=CLOSED)
    matrix = {row["imputed"]: row for row in found.predictor_matrix.to_dicts()}
    assert (matrix["weight"]["bmi"], matrix["height"]["bmi"], matrix["y"]["bmi"]) == (0, 0, 1)


def test_columns_that_cannot_help_are_left_as_they_are_and_named():
    table = with_holes(numbers()).with_columns(
        empty=pl.lit(None, dtype=pl.Float64), same=pl.when(pl.col("y").is_null()).then(None).otherwise(1.5)
    )
    found = chained_equations(table, m=2, iterations=1, seed=1)
    assert found.left_out == {"empty": Status.ALL_MISSING, "same": Status.CONSTANT}
    assert found.frames()[0].select("empty", "same").equals(table.select("empty", "same"))


def test_dependent_predictors_stay_and_are_named():
    table = numbers(400).drop("bmi")
    table = with_holes(table, 0.1).with_columns(pounds=pl.col("weight") * 2.2)
    found = chained_equations(table, m=2, iterations=2, seed=1)
    assert found.dependent == ("pounds",)
    assert found.frames()[0].null_count().sum_horizontal().item() == 0


def test_perfect_prediction_does_no_harm():
    rng = np.random.default_rng(1)
    x = rng.normal(size=300)
    table = pl.DataFrame({"x": x, "died": x > 0, "cause": np.where(x > 0.5, "a", np.where(x > -0.5, "b", "c"))})
    found = chained_equations(with_holes(table, keep=["x"]), m=5, iterations=3, seed=1)
    assert found.unfinished == ()
    wrong = [(frame["died"] != table["died"]).sum() / 75 for frame in found.frames()]
    assert max(wrong) < BETWEEN


def test_more_columns_than_rows():
    rng = np.random.default_rng(1)
    table = with_holes(pl.DataFrame(rng.normal(size=(12, 20)), schema=[f"x{k}" for k in range(20)]))
    assert chained_equations(table, m=2, iterations=2, seed=1).frames()[0].null_count().sum_horizontal().item() == 0


def test_one_observed_donor_of_two_values():
    table = pl.DataFrame({"a": [1.0, 2.0, None, None], "b": [0.5, None, 0.1, 0.2]})
    found = chained_equations(table, m=3, iterations=2, seed=1)
    assert all(set(frame["a"]) <= {1.0, 2.0} for frame in found.frames())


def test_a_random_intercept_brings_back_the_differences_between_centers():
    rng = np.random.default_rng(3)
    center = np.repeat(np.arange(40), 25)
    shift = rng.normal(0, 2, 40)
    x = rng.normal(size=1000)
    y = 5 + x + shift[center] + rng.normal(size=1000)
    table = pl.DataFrame({"center": [f"c{k}" for k in center], "x": x, "y": y})
    table = with_holes(table, 0.4, keep=["center", "x"])
    found = chained_equations(
        table, columns=["x", "y"], cluster="center", methods={"y": "random-intercept"}, m=10, iterations=5, seed=2
    )
    blank = table["y"].is_null().to_numpy()
    mean = np.mean([frame["y"].to_numpy() for frame in found.frames()], axis=0)[blank]
    own = np.corrcoef(mean, (5 + x + shift[center])[blank])[0, 1]
    assert own > 1 - BETWEEN
    noise = np.mean([(frame["y"].to_numpy() - 5 - x - shift[center])[blank].std() for frame in found.frames()])
    assert noise == pytest.approx(1.05, abs=BETWEEN)


def test_chains_that_have_not_mixed_are_told():
    rng = np.random.default_rng(5)
    a = rng.normal(size=400)
    table = pl.DataFrame({"a": a, "b": a + rng.normal(0, 0.02, 400)})
    blank = pl.Series(np.arange(400) >= 20)  # both missing together nearly always: each holds the other where it began
    table = table.with_columns([pl.when(blank).then(None).otherwise(pl.col(name)).alias(name) for name in "ab"])
    found = chained_equations(table, m=10, iterations=6, seed=1)
    assert found.status is Status.IMPUTATION_NOT_MIXED
    assert found.glance()["status"].item() == "imputation-not-mixed"
    assert "imputation-not-mixed" in found.convergence()["status"]
    assert chained_equations(table, m=10, iterations=1, seed=1).status is Status.OK  # nothing can be told of one


def test_how_many_tables():
    table = pl.DataFrame({"a": [1.0, None, 3.0, float("nan")], "b": ["x", "y", None, "z"]})
    assert imputations_needed(table) == 75
    assert imputations_needed(table, columns=["b"]) == 25
    assert imputations_needed(table.head(1)) == 20


NAN = float("nan")


def test_nan_counts_as_missing():
    table = pl.DataFrame({"a": [1.0, 2.0, NAN, 4.0, 5.0], "b": [1.0, 2.0, 3.0, 4.0, 5.5]})
    assert chained_equations(table, m=2, iterations=1, seed=1).frames()[0]["a"].is_nan().sum() == 0


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"columns": ["weight", "absent"]}, "no column 'absent'"),
        ({"m": 0}, "`m` must be 1 or more"),
        ({"methods": {"weight": "logistic"}}, "imputed by pmm or normal"),
        ({"methods": {"weight": "forest"}}, "not known"),
        ({"methods": {"day": "pmm"}}, "`methods` names 'day', which is not imputed"),
        ({"methods": {"weight": "random-intercept"}}, "needs `cluster`"),
        ({"predictors": {"weight": ["weight"]}}, "cannot be imputed from 'weight'"),
        ({"visit": ["weight"]}, "name each imputed column once"),
        ({"passive": {"z": pl.col("nowhere") * 2}}, "computed from 'nowhere'"),
        ({"passive": {"bmi": pl.col("weight") / (pl.col("height") * 0)}}, "no finite value in"),
        ({"cluster": "weight"}, "without missing values"),
        ({"columns": ["weight", "day"]}, "is of type Date"),
        ({"columns": ["weight", "endless"]}, "infinite values"),
    ],
)
def test_what_is_refused(options, message):
    table = with_holes(numbers()).with_columns(
        day=pl.date(2026, 1, 1), endless=pl.when(pl.col("y").is_null()).then(float("inf")).otherwise(1.0)
    )
    with pytest.raises(InputError, match=message):
        chained_equations(
            table, **{"columns": ["weight", "height", "bmi", "y"], "m": 2, "iterations": 1, "seed": 1, **options}
        )


def test_no_rows_and_too_many_levels():
    with pytest.raises(InputError, match="no rows"):
        chained_equations(numbers().head(0), seed=1)
    many = pl.DataFrame({"a": [f"l{k % 30}" for k in range(120)] + [None], "b": np.arange(121.0)})
    with pytest.raises(InputError, match="has 30 levels and missing values"):
        chained_equations(many, seed=1)
    with pytest.raises(InputError, match="an identifier or free text"):
        chained_equations(many.head(60), seed=1)


@pytest.mark.parametrize("ordered", [(), ("grade",)], ids=["polytomous", "ordered"])
def test_categories_keep_what_they_go_with(ordered):
    rng = np.random.default_rng(2)
    x = rng.normal(size=3000)
    grade = np.digitize(x + rng.logistic(size=3000) / 2, [-0.5, 0.5, 1.5])
    full = pl.DataFrame({"x": x, "grade": pl.Series(grade).cast(pl.String).cast(pl.Enum(list("0123")))})
    blank = pl.Series(rng.random(3000) < 1 / (1 + np.exp(-x)))  # high x, high grades, and half of them missing
    table = full.with_columns(pl.when(blank).then(None).otherwise(pl.col("grade")).alias("grade"))
    found = chained_equations(table, m=5, iterations=1, seed=1, ordered=ordered)
    truth = full.group_by("grade").agg(pl.col("x").mean(), share=pl.len() / 3000).sort("grade")
    for frame in found.frames():
        ours = frame.group_by("grade").agg(pl.col("x").mean(), share=pl.len() / 3000).sort("grade")
        np.testing.assert_allclose(ours["x"], truth["x"], atol=BETWEEN)
        np.testing.assert_allclose(ours["share"], truth["share"], atol=BETWEEN / 4)


@pytest.mark.parametrize("dtype", [pl.Categorical, pl.String, pl.Enum(["b", "a", "c"])], ids=str)
def test_types_stay(dtype):
    rng = np.random.default_rng(2)
    table = pl.DataFrame(
        {
            "a": pl.Series(rng.choice(["a", "b", "c"], 60)).cast(dtype), "k": pl.Series(rng.integers(0, 9, 60), dtype=pl.Int16),
            "f": pl.Series(rng.normal(size=60), dtype=pl.Float32), "u": rng.random(60) < 0.5,
        }
    )  # fmt: skip
    found = chained_equations(with_holes(table), m=2, iterations=2, seed=1)
    assert found.frames()[0].schema == table.schema
    drawn = chained_equations(with_holes(table), m=2, iterations=2, seed=1, methods={"k": "normal"}).frames()[0]
    assert drawn.schema["k"] == pl.Float64  # no longer whole


def test_the_hazard_refuses_what_is_no_event():
    with pytest.raises(InputError, match="0 or 1"):
        nelson_aalen_at([1.0, 2.0], [0, 2])
    with pytest.raises(InputError, match="one value a patient"):
        nelson_aalen_at([1.0, 2.0], [0])

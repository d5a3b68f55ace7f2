import numpy as np
import polars as pl
import pytest

from counterpulse.data import Interaction, Numeric, Spline, build_design
from counterpulse.data.spline_basis import harrell_knots
from counterpulse.errors import InputError

AGES = pl.DataFrame({"age": np.linspace(20, 90, 150), "sex": ["F", "M"] * 75, "beds": [1, 2, 3] * 50})


def names(design):
    return [column.name for column in design.columns]


def test_columns_of_a_spline_are_named_by_primes():
    design = build_design(AGES, [Spline("age", 4), "sex"], intercept=True)
    assert names(design) == ["(intercept)", "age", "age'", "age''", "sex=M"]
    assert design.spec.columns_of("age") == ("age", "age'", "age''")
    assert design.spec.columns_of("age", nonlinear=True) == ("age'", "age''")


def test_an_interaction_has_every_product():
    terms = [
        Spline("age", 3),
        "sex",
        Interaction(Spline("age", 3), "sex"),
        Interaction(Numeric("beds"), Spline("age", 3)),
    ]
    design = build_design(AGES, terms, intercept=False)
    assert names(design)[3:] == ["age:sex=M", "age':sex=M", "beds:age", "beds:age'"]
    assert design.spec.columns_of("age", nonlinear=True) == ("age'", "age':sex=M", "beds:age'")
    assert design.spec.columns_of("beds", nonlinear=True) == ()
    np.testing.assert_allclose(design.X[:, 4], design.X[:, 1] * design.X[:, 2])


def test_knots_are_learned_from_the_rows_used():
    rows = np.arange(100, 150)
    some = build_design(AGES, [Spline("age", 3)], intercept=False, rows=rows).spec.splines[0]
    assert some.knots[0] > AGES["age"][100]
    assert some.reference == pytest.approx(AGES["age"][rows].median())
    assert build_design(AGES, [Spline("age", (30, 50, 70), reference=55)], intercept=False).spec.splines[0].knots == (
        30,
        50,
        70,
    )


@pytest.mark.parametrize("variable", ["beds", "heap", "few"])
def test_a_spline_never_has_fewer_knots_in_silence(variable):
    table = AGES.with_columns(
        heap=pl.Series([0.0] * 120 + list(range(30))), few=pl.Series([None] * 146 + [1.0, 2, 3, 4])
    )
    spec = build_design(table, [Spline(variable, 4)], intercept=False).spec
    assert spec.without_knots == (variable,)
    assert len(spec.columns) == 3


def test_outer_knots_of_a_small_sample_are_the_fifth_values():
    values = np.arange(1.0, 31)
    assert harrell_knots(values, 3) == (5, 15.5, 26)
    assert harrell_knots(values[:5], 3) == ()


@pytest.mark.parametrize("knots", [2, (1.0, 2.0), (3.0, 2.0, 5.0), (1.0, float("nan"), 5.0)])
def test_knots_that_make_no_spline_are_refused(knots):
    with pytest.raises(InputError, match="knots"):
        build_design(AGES, [Spline("age", knots)], intercept=False)


def test_a_spline_of_a_category_is_refused():
    with pytest.raises(InputError, match="number"):
        build_design(AGES, [Spline("sex", 3)], intercept=False)


def test_a_logarithm_says_what_to_do():
    with pytest.raises(InputError, match="without log"):
        build_design(pl.DataFrame({"x": [0.0, 1.0]}), [Numeric("x", log=True)], intercept=False)

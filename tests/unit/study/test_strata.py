import polars as pl

from counterpulse.protocol.plan import PlannedSubgroup
from counterpulse.study.patients.strata import cut_labels, stratum_column


def strata(values, dtype=None, **keys):
    column = stratum_column(
        pl.DataFrame({"x": pl.Series(values, dtype=dtype)}), PlannedSubgroup(variable="x", label="X", **keys)
    )
    return column.to_list(), column.dtype.categories.to_list()


def test_a_cut_belongs_to_the_stratum_above_it():
    assert strata([64.999, 65.0, 70.0, None, float("nan")], cuts=(65.0,)) == (
        ["<65", ">=65", ">=65", None, None],
        ["<65", ">=65"],
    )


def test_several_cuts():
    assert cut_labels((4.0, 7.5)) == ["<4", "4 to <7.5", ">=7.5"]
    assert strata([3, 4, 7, 8], cuts=(4.0, 7.5))[0] == ["<4", "4 to <7.5", "4 to <7.5", ">=7.5"]


def test_levels_are_grouped_and_others_belong_nowhere():
    levels = pl.Enum(["a", "b", "c"])
    assert strata(["a", "b", "c", None], levels, levels=(("b", "a"),)) == (["b, a", "b, a", None, None], ["b, a"])


def test_levels_as_they_are_keep_their_order():
    levels = pl.Enum(["late", "early"])
    assert strata(["early", "late", None], levels) == (["early", "late", None], ["late", "early"])


def test_yes_and_no():
    assert strata([True, False, None])[0] == ["yes", "no", None]


def test_a_frame_without_patients():
    assert strata([], pl.Float64, cuts=(65.0,)) == ([], ["<65", ">=65"])

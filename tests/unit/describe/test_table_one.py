from datetime import date
from math import inf, nan

import numpy as np
import polars as pl
import pytest

from counterpulse import describe
from counterpulse.describe import (
    RULES,
    Criterion,
    VariableChoice,
    cohort_flow,
    missingness,
    quartiles_of,
    rows_lost,
    smd_levels,
    smd_numeric,
    table_one,
)
from counterpulse.describe.rules import LEVEL_TESTS, NUMERIC_TESTS
from counterpulse.errors import InputError
from counterpulse.results import REFERENCES, Status

NEAR = 1e-12  # relative; the same closed form


def frame(**columns):
    return pl.DataFrame(columns)


def contrast(table, variable):
    return next(row for row in table.rows if row.variable == variable and row.contrast)


def test_every_public_name_is_there():
    for name in describe.__all__:
        assert getattr(describe, name) is not None
    with pytest.raises(AttributeError):
        describe.nothing  # noqa: B018


def test_rows_of_each_kind_of_column():
    table = frame(
        g=pl.Series(["b", "a", "b", "a"], dtype=pl.Enum(["b", "a"])),
        whole=[1, 2, 3, 4],
        flag=[True, None, False, True],
        level=pl.Series(["II", "I", "I", None], dtype=pl.Enum(["I", "II", "III"])),
        text=["y", "x", "y", "x"],
        category=pl.Series(["y", "x", "y", "x"], dtype=pl.Categorical),
    )
    result = table_one(table, by="g", variables=["whole", "flag", "level", "text", "category"])
    assert result.groups == ("b", "a")
    by_key = {(r.variable, r.level, r.group): r for r in result.rows if not r.contrast}
    assert by_key["whole", None, "b"].mean == 2
    assert by_key["whole", None, None].n == 4
    assert [k[1] for k in by_key if k[0] == "flag"] == ["yes"] * 3
    assert by_key["flag", "yes", "a"].missing == 1
    assert by_key["flag", "yes", "a"].percent == 100
    assert [k[1] for k in by_key if k[0] == "level" and k[2] == "b"] == ["I", "II", "III"]
    assert by_key["level", "III", "b"].count == 0
    assert [k[1] for k in by_key if k[0] == "text" and k[2] == "b"] == ["x", "y"]
    assert [k[1] for k in by_key if k[0] == "category" and k[2] == "b"] == ["x", "y"]
    assert contrast(result, "whole").contrast == ("a", "b")  # the second group against the first, the reference
    assert contrast(result, "whole").smd == pytest.approx(1 / 2**0.5, rel=NEAR)
    assert contrast(result, "text").smd is None
    assert {r.status for r in result.remarks} == {Status.DISJOINT_SUPPORT}


def test_everybody_alone():
    result = table_one(frame(v=[1.0, 2.0, nan, None]), variables=["v"], p_values=True)
    (row,) = result.rows
    assert (row.group, row.contrast, row.n, row.missing, row.median) == (None, None, 4, 2, 1.5)


def test_overall_can_be_left_out():
    table = frame(g=["a", "b"], v=[1, 2])
    assert {r.group for r in table_one(table, by="g", variables=["v"], overall=False, smd=False).rows} == {"a", "b"}


def test_rows_without_a_group_are_counted_and_left_out():
    result = table_one(frame(g=["a", "b", None, "b"], v=[1, 2, 900, 4]), by="g", variables=["v"])
    assert result.ungrouped == 1
    assert next(r for r in result.rows if r.group is None and not r.contrast).maximum == 4


def test_edges_of_the_data():
    table = pl.DataFrame(
        {
            "g": pl.Series(["a", "a", "a", "b"], dtype=pl.Enum(["a", "b", "empty"])),
            "constant": [5.0, 5.0, 5.0, 5.0],
            "blank": [nan, None, nan, None],
            "untyped": [None, None, None, None],
            "no_text": pl.Series([None] * 4, dtype=pl.String),
            "one_level": ["x"] * 4,
        }
    )
    names = ["constant", "blank", "untyped", "no_text", "one_level"]
    for rule in RULES:
        result = table_one(table, by="g", variables=names, p_values=True, rule=rule)
        assert all(contrast(result, name).p_value is None for name in names)
        assert {r.status for r in result.remarks if r.of == "smd"} <= {Status.EMPTY_GROUP, Status.TOO_FEW_ROWS}
        rows = {(r.variable, r.level, r.group): r for r in result.rows if not r.contrast}
        assert rows["constant", None, "a"].sd == 0
        assert rows["constant", None, "b"].sd is None
        assert rows["constant", None, "empty"].mean is None
        assert rows["blank", None, "a"].missing == 3
        assert rows["no_text", None, "a"].missing == 3
        assert rows["one_level", "x", "empty"].percent is None
    assert result.tidy().height == len(result.rows)


def test_a_constant_has_no_difference_and_two_constants_an_infinite_one():
    table = frame(g=["a", "a", "b", "b"], same=[0.1] * 4, apart=[1.0, 1.0, 2.0, 2.0])
    result = table_one(table, by="g", variables=["same", "apart"])
    assert contrast(result, "same").smd == 0
    assert contrast(result, "apart").smd is None
    assert [(r.variable, r.status) for r in result.remarks] == [("apart", Status.ZERO_VARIANCE)]


def test_twelve_groups():
    groups = [chr(97 + i % 12) for i in range(120)]
    values = [float(i * 7 % 31) for i in range(120)]
    table = frame(g=groups, v=values, f=[v > 15 for v in values])
    for of, denominator in [("largest", "pooled, largest of pairs"), ("mean", "pooled, mean of pairs")]:
        result = table_one(table, by="g", variables=["v", "f"], p_values=True, smd_of_pairs=of)
        row = contrast(result, "v")
        assert len(row.contrast) == 12
        assert row.smd_denominator == denominator
        assert row.test == "welch anova"
        pairs = [
            abs(
                smd_numeric(
                    np.array(values), np.array(groups) == a, weights=np.isin(groups, [a, b]).astype(float)
                ).value
            )
            for a in "abc"
            for b in "abc"
            if a != b
        ]
        assert row.smd > 0
        assert len(pairs) == 6
    largest = contrast(table_one(table, by="g", variables=["v"]), "v").smd
    mean = contrast(table_one(table, by="g", variables=["v"], smd_of_pairs="mean"), "v").smd
    assert largest > mean


def test_three_groups_give_the_largest_and_the_mean_of_pairs():
    table = frame(g=["a", "a", "b", "b", "c", "c"], v=[1.0, 3.0, 2.0, 4.0, 5.0, 7.0])
    unit = 2**0.5  # each group has variance 2
    assert contrast(table_one(table, by="g", variables=["v"]), "v").smd == pytest.approx(4 / unit, rel=NEAR)
    mean = contrast(table_one(table, by="g", variables=["v"], smd_of_pairs="mean"), "v").smd
    assert mean == pytest.approx((1 + 4 + 3) / 3 / unit, rel=NEAR)


def test_rules_name_the_test_that_was_used():
    sparse = frame(g=["a"] * 6 + ["b"] * 6, f=[True] * 2 + [False] * 10, v=list(range(12)))
    names = {
        rule: contrast(table_one(sparse, by="g", variables=["f"], p_values=True, rule=rule), "f").test for rule in RULES
    }
    assert names == {
        "means": "fisher exact",
        "medians": "fisher exact",
        "gtsummary": "fisher exact",
        "tableone": "yates chi-squared",
        "campbell": "n-1 chi-squared",
    }
    numeric = {
        rule: contrast(table_one(sparse, by="g", variables=["v"], p_values=True, rule=rule), "v").test for rule in RULES
    }
    assert numeric == {
        "means": "welch t",
        "medians": "mann-whitney",
        "gtsummary": "mann-whitney exact",
        "tableone": "pooled t",
        "campbell": "welch t",
    }


def test_no_rule_tests_normality_and_every_rule_names_known_tests():
    for rule in RULES.values():
        assert {rule.two, rule.more} <= set(NUMERIC_TESTS)
        assert {rule.levels, rule.sparse_levels} - {None} <= set(LEVEL_TESTS)
        assert "normal" not in rule.words()


def test_a_table_too_large_for_exact_says_monte_carlo():
    random = np.random.default_rng(3)
    n = 4000
    table = frame(
        g=random.choice(["a", "b"], n), v=random.choice(list("ABCDEF"), n, p=[0.2, 0.2, 0.2, 0.2, 0.1995, 0.0005])
    )
    assert contrast(table_one(table, by="g", variables=["v"], p_values=True), "v").test == "fisher exact (monte carlo)"


def test_trends_over_ordered_groups():
    table = frame(
        g=["1", "1", "2", "2", "3", "3"] * 3, v=list(range(18)), f=[False, False, True, False, True, True] * 3
    )
    result = table_one(table, by="g", variables=["v", "f"], p_values=True, trend=["v", "f"])
    assert contrast(result, "v").test == "jonckheere-terpstra"
    assert contrast(result, "f").test == "cochran-armitage"
    assert contrast(result, "f").p_value < 0.05


def test_one_variable_can_differ():
    table = frame(g=["a", "a", "b", "b"], v=[1, 2, 3, 9], w=[1, 2, 3, 9])
    choices = {"v": VariableChoice(summary="median", test="mann-whitney without continuity correction")}
    result = table_one(table, by="g", variables=["v", "w"], p_values=True, choices=choices)
    row = result.rows[0]
    assert (row.mean, row.sd, row.median) == (None, None, 1.5)
    assert contrast(result, "v").test == "mann-whitney without continuity correction"
    assert contrast(result, "w").test == "welch t"
    only_mean = table_one(table, variables=["v"], choices={"v": VariableChoice(summary="mean")}).rows[0]
    assert (only_mean.median, only_mean.mean) == (None, 3.75)


def test_labels_and_tidy():
    result = table_one(frame(g=["a", "b"], v=[1, 2]), by="g", variables=["v"], labels={"v": "Lactate, mmol/L"})
    tidy = result.tidy()
    assert tidy["label"].unique().to_list() == ["Lactate, mmol/L"]
    assert tidy["contrast"].drop_nulls().to_list() == ["b vs a"]


def test_provenance_names_choices_and_known_works():
    result = table_one(frame(g=["a", "b"], v=[1, 2]), by="g", variables=["v"], p_values=True)
    assert [c.name for c in result.provenance.choices] == ["quartiles", "smd denominator", "tests"]
    assert set(result.provenance.citations) <= set(REFERENCES)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ({"variables": ["day"]}, "column 'day' is of type Date"),
        ({"variables": ["many"]}, "column 'many' is of type List"),
        ({"variables": ["nobody"]}, "no column 'nobody'"),
        ({"variables": ["huge"]}, "'huge' has infinite values"),
        ({"variables": ["v"], "by": "one"}, r"'one' has 1 group\(s\)"),
        ({"variables": ["v"], "rule": "normality"}, "rule 'normality' is unknown"),
        ({"variables": ["v"], "quartiles": "nearest"}, "quartiles 'nearest'"),
        ({"variables": ["v"], "smd_denominator": "sd"}, "smd_denominator 'sd'"),
        ({"variables": ["v"], "smd_of_pairs": "first"}, "smd_of_pairs 'first'"),
        ({"variables": ["v"], "choices": {"v": VariableChoice(summary="mode")}}, "summary of 'v' 'mode'"),
        ({"variables": ["v"], "choices": {"v": VariableChoice(test="anova test")}}, "'anova test' is no test"),
        ({"variables": ["v"], "by": "three", "choices": {"v": VariableChoice(test="welch t")}}, "compares two groups"),
        ({"variables": ["t"], "choices": {"t": VariableChoice(test="welch t")}}, "no test of a categorical"),
        ({"variables": ["three"], "trend": ["three"]}, "needs a variable of two levels"),
    ],
)
def test_misuse_names_the_column_and_never_a_value(words, said):
    table = frame(
        g=["a", "b", "b"], v=[777001, 2, 3], day=[date(2020, 1, 1)] * 3, many=[[1], [2], [3]], huge=[1.0, inf, 2.0],
        one=["x"] * 3, three=["p", "q", "r"], t=["secret", "q", "q"],
    )  # fmt: skip
    with pytest.raises(InputError, match=said) as caught:
        table_one(table, **{"by": "g", "p_values": True, **words})
    assert "secret" not in str(caught.value)
    assert "777001" not in str(caught.value)


def test_unknown_words_of_the_array_functions():
    with pytest.raises(InputError, match="denominator"):
        smd_numeric(np.arange(4.0), np.array([True, False, True, False]), denominator="sd")
    with pytest.raises(InputError, match="denominator"):
        smd_levels(np.arange(4), np.array([True, False, True, False]), levels=4, denominator="sd")
    with pytest.raises(InputError, match="quartiles"):
        quartiles_of(np.arange(4.0), definition="type 5")
    assert quartiles_of(np.empty(0)) is None


def test_disjoint_groups_are_infinitely_apart_for_every_denominator():
    codes, treated = np.array([0, 0, 1, 2, 3, 3]), np.array([True, True, True, False, False, False])
    for denominator in ("pooled", "treated", "reference"):
        result = smd_levels(codes, treated, levels=4, denominator=denominator)
        assert (result.value, result.status) == (None, Status.DISJOINT_SUPPORT)


def test_smd_after_matching_keeps_the_first_unit():
    values, treated = np.array([1.0, 3.0, 2.0, 9.0]), np.array([True, True, False, False])
    matched = smd_numeric(values, treated, weights=np.array([1.0, 1.0, 1.0, 0.0]))
    assert matched.value == 0
    assert smd_numeric(values, treated, weights=np.array([1.0, 1.0, 0.0, 0.0])).status is Status.EMPTY_GROUP
    assert smd_levels(np.array([0, 1, 1, 0]), treated, levels=2, weights=np.array([1.0, 1.0, 1.0, 1.0])).value == 0


def test_a_flow_by_hand():
    flow = cohort_flow(
        [
            Criterion(
                id="adult", label="Aged 18 or older", kind="include", result=np.array([1, 1, 0, -1, 1], dtype=np.int8)
            ),
            Criterion(
                id="pregnant",
                label="Pregnant",
                kind="exclude",
                result=pl.Series([None, True, True, None, False]),
                if_unknown="remove-patient",
            ),
        ],
        not_in_table=24,
        groups=pl.Series(["a", "b", "b", "a", "b"]),
    )
    assert [(s.id, s.kind, s.n, s.n_alone, s.unknown) for s in flow.steps] == [
        ("absent", "absent", 24, None, None),
        ("read", "read", 5, None, None),
        ("include.adult", "removed", 1, 1, 1),
        ("exclude.pregnant", "removed", 3, 4, 2),
        ("eligible", "eligible", 1, None, None),
    ]
    assert flow.undecided == ("adult",)
    assert flow.steps[-1].by_group == {"a": 0, "b": 1}
    assert flow.eligible.tolist() == [False, False, False, False, True]


def test_unknowns_of_patients_already_removed_ask_for_no_decision():
    first = Criterion(id="a", label="a", kind="include", result=[True, False])
    second = Criterion(id="b", label="b", kind="exclude", result=pl.Series([False, None]), if_unknown="stop")
    flow = cohort_flow([first, second])
    assert flow.undecided == ()
    assert (flow.counts[1].unknown, flow.counts[1].unknown_anywhere) == (0, 1)


def test_a_flow_without_criteria():
    assert cohort_flow([], records=3).eligible.sum() == 3
    with pytest.raises(InputError, match="records"):
        cohort_flow([])


@pytest.mark.parametrize(
    ("criteria", "said"),
    [
        ([{"id": "a", "result": [1]}, {"id": "a", "result": [1]}], "given twice"),
        ([{"id": "a", "result": [1]}, {"id": "b", "result": [1, 0]}], "judges 2 records"),
        ([{"id": "a", "result": [2]}], "other values than"),
        ([{"id": "a", "result": pl.Series(["x"])}], "gives String"),
        ([{"id": "a", "result": [1], "kind": "drop"}], "of kind 'drop'"),
        ([{"id": "a", "result": [1], "if_unknown": "guess"}], "if_unknown 'guess'"),
    ],
)
def test_misuse_of_a_flow(criteria, said):
    with pytest.raises(InputError, match=said):
        cohort_flow([Criterion(**{"label": "x", "kind": "include", **c}) for c in criteria])


def test_groups_of_a_flow_must_fit():
    with pytest.raises(InputError, match="groups are given for 1"):
        cohort_flow([Criterion(id="a", label="a", kind="include", result=[1, 1])], groups=pl.Series(["x"]))


def test_missingness():
    table = frame(
        g=["a", "a", "b", None], v=[1.0, nan, None, 2.0], w=["x", None, "y", "z"], day=[None, date(2020, 1, 1)] * 2
    )
    result = missingness(table, variables=["v", "w", "day"], by="g")
    rows = {(r.variable, r.group): (r.n, r.missing, r.percent) for r in result.rows}
    assert rows["v", "a"] == (2, 1, 50)
    assert rows["v", None] == (4, 2, 50)
    assert rows["day", "b"] == (1, 1, 100)
    assert (result.n, result.complete) == (4, 1)
    assert result.tidy().height == 9
    lost = rows_lost(table, {"M1": ["v", "w"], "M2": []})
    assert [(m.model, m.complete, m.lost) for m in lost] == [("M1", 2, 2), ("M2", 4, 0)]
    assert lost[0].by_variable == {"v": 2, "w": 1}
    with pytest.raises(InputError, match="no column"):
        missingness(table, variables=["zz"])

from dataclasses import replace

import pytest

from counterpulse.results import (
    AnalysisRecord,
    Block,
    Choice,
    Estimate,
    EstimateRow,
    FlowStep,
    GroupCount,
    Interval,
    Notice,
    Status,
    StudyIdentity,
    StudyResult,
    TableOneRow,
)
from counterpulse.results.privacy import suppress
from counterpulse.results.small_cells import Sum, hidden_cells
from counterpulse.results.small_curves import coarse_curve, coarse_numbers_at_risk

IDENTITY = StudyIdentity(
    id="s", title="S", design="cohort", protocol_digest="sha256:a", dictionary_digest="sha256:b", data_digest=None, seed=None
)  # fmt: skip
EMPTY = StudyResult(identity=IDENTITY, data_kind="real")


def test_a_lonely_small_cell_takes_the_smallest_other_part_with_it():
    counts = {"all": 100, "a": 3, "b": 37, "c": 60}
    assert hidden_cells(counts, [Sum("all", ("a", "b", "c"))], smallest=5) == {"a", "b"}


def test_two_small_cells_that_are_small_together_take_another_with_them():
    counts = {"all": 100, "a": 1, "b": 2, "c": 97}
    assert hidden_cells(counts, [Sum("all", ("a", "b", "c"))], smallest=5) == {"a", "b", "c"}
    counts = {"all": 100, "a": 3, "b": 4, "c": 93}
    assert hidden_cells(counts, [Sum("all", ("a", "b", "c"))], smallest=5) == {"a", "b"}


def test_zeros_and_large_counts_are_shown():
    counts = {"all": 100, "a": 0, "b": 5, "c": 95}
    assert hidden_cells(counts, [Sum("all", ("a", "b", "c"))], smallest=5) == set()


def test_a_part_that_is_not_printed_is_protected_too():
    assert hidden_cells({"n": 50, "events": 48}, [Sum("n", ("events",))], smallest=5) == {"events"}
    assert hidden_cells({"n": 50, "events": 3}, [Sum("n", ("events",))], smallest=5) == {"events"}
    assert hidden_cells({"n": 50, "events": 20}, [Sum("n", ("events",))], smallest=5) == set()


def test_the_size_of_a_group_is_kept_as_long_as_anything_else_can_be_hidden():
    sums = [Sum("n", ("a", "b"))]
    counts = {"n": 30, "a": 2, "b": 28}
    assert hidden_cells(counts, sums, smallest=5, keep={"b"}) == {"a", "n"}
    assert hidden_cells(counts, sums, smallest=5, keep={"n"}) == {"a", "b"}


def test_margins_of_a_table_give_nothing_away():
    counts = {("f", 1): 2, ("f", 2): 50, ("m", 1): 40, ("m", 2): 60, "f": 52, "m": 100, 1: 42, 2: 110}
    sums = [Sum(sex, ((sex, 1), (sex, 2))) for sex in "fm"] + [
        Sum(group, (("f", group), ("m", group))) for group in (1, 2)
    ]
    assert hidden_cells(counts, sums, smallest=5) == {("f", 1), ("f", 2), ("m", 1), ("m", 2)}


def flow():
    return (
        FlowStep(id="read", label="Read", kind="read", n=104),
        FlowStep(id="include.a", label="A", kind="removed", n=4, n_alone=7, unknown=2),
        FlowStep(id="eligible", label="Eligible", kind="eligible", n=100, by_group={"t": 60, "c": 40}),
    )


def test_a_removal_is_not_the_difference_of_two_boxes():
    shown = suppress(replace(EMPTY, flow=flow()), 5).flow
    assert [step.n for step in shown] == [None, None, 100]  # the records read are what is missed least
    assert (shown[1].n_alone, shown[1].unknown) == (None, None)
    assert shown[2].by_group == {"t": 60, "c": 40}


def table_one():
    rows = []
    for group, counts, missing in (("t", (3, 20, 35), 2), ("c", (10, 10, 20), 0), (None, (13, 30, 55), 2)):
        n = sum(counts) + missing
        rows += [
            TableOneRow(
                variable="stage",
                level=level,
                group=group,
                n=n,
                missing=missing,
                count=count,
                percent=100 * count / (n - missing),
            )
            for level, count in zip("123", counts, strict=True)
        ]
        rows.append(
            TableOneRow(
                variable="age", group=group, n=n, missing=missing, mean=60.0, sd=9.0, minimum=18.0, maximum=99.0
            )
        )
    return (*rows, TableOneRow(variable="stage", contrast=("t", "c"), smd=0.2), TableOneRow(variable="age", contrast=("t", "c"), smd=0.1))  # fmt: skip


def test_table_one_hides_counts_percents_extremes_and_what_gives_them_away():
    shown = suppress(replace(EMPTY, table_one=table_one()), 5).table_one
    cells = {(row.variable, row.group, row.level): row for row in shown if row.contrast is None}
    assert cells["stage", "t", "1"].count is None
    assert cells["stage", "t", "1"].missing is None
    assert {cells["stage", "t", level].percent for level in "123"} == {None}  # their denominator tells the missing
    assert cells["stage", "c", "3"].percent == 50
    assert (cells["age", "t", None].mean, cells["age", "t", None].minimum, cells["age", "t", None].maximum) == (
        60,
        None,
        None,
    )
    assert {row.variable: row.smd for row in shown if row.contrast} == {"stage": None, "age": 0.1}


def test_summaries_of_a_small_group_are_hidden():
    row = TableOneRow(variable="age", group="t", n=40, missing=37, mean=60.0, sd=9.0, median=61.0, q1=50.0, q3=70.0)
    (shown,) = suppress(replace(EMPTY, table_one=(row,)), 5).table_one
    assert (shown.mean, shown.sd, shown.median, shown.q1, shown.q3) == (None,) * 5


def effect(events, n, *, reference="c", analysis="A1"):
    groups = tuple(
        GroupCount(group, size, count, None, count / size) for group, size, count in zip("tc", n, events, strict=True)
    )
    estimate = Estimate(
        term="t", variable="arm", reference=reference, measure="odds ratio", value=0.3, std_error=0.1, scale="log",
        interval=Interval(0.1, 0.5, 0.95, "wald"), statistic=3.0, statistic_name="z", p_value=0.01,
    )  # fmt: skip
    return EstimateRow(
        id=f"{analysis}.or", analysis=analysis, role="primary", outcome="death", population="eligible", method="m",
        estimate=estimate, n=sum(n), events=sum(events), groups=groups, p_adjusted=0.02,
    )  # fmt: skip


def records(adjusted):
    choice = Choice("adjusted for", adjusted, "given")
    return (AnalysisRecord(id="A1", role="primary", label="A", method="m", choices=(choice,), n_missing=3),)


@pytest.mark.parametrize(("adjusted", "kept"), [("age", True), ("nothing", False)])
def test_an_unadjusted_effect_of_few_events_gives_them_away(adjusted, kept):
    result = replace(EMPTY, estimates=(effect((3, 20), (50, 60)),), analyses=records(adjusted))
    (row,) = suppress(result, 5).estimates
    assert [group.events for group in row.groups] == [None, None]
    assert [group.risk for group in row.groups] == [None, None]
    assert [group.n for group in row.groups] == [50, 60]
    assert (row.estimate.status is Status.OK) == kept
    assert (row.p_adjusted == 0.02) == kept
    if not kept:
        assert (row.estimate.interval, row.estimate.p_value, row.estimate.std_error) == (None, None, None)
        assert row.estimate.status is Status.SMALL_CELL


def test_an_effect_in_a_group_of_few_patients_is_hidden_even_if_adjusted():
    result = replace(EMPTY, estimates=(effect((2, 20), (4, 60)),), analyses=records("age"))
    (row,) = suppress(result, 5).estimates
    assert row.estimate.status is Status.SMALL_CELL


def test_details_and_sentences_hide_small_numbers_of_patients():
    result = replace(
        EMPTY,
        analyses=records("age"),
        details={"A1": {"removed": 3, "kept": 30, "hours": 2.5, "done": True}},
        warnings=(
            Notice("W620", "A1", "Death: 3 patients (1 of them treated) were not followed to the landmark at 2 days; 4 who "
                   "were treated later count as untreated; for 2 the follow-up or the start of treatment is unknown."),
            Notice("W530", "groups", "Not analyzed: 12 patients of the eligible."),
        ),
    )  # fmt: skip
    shown = suppress(result, 5)
    assert shown.details["A1"] == {"removed": None, "kept": 30, "hours": 2.5, "done": True}
    assert shown.analyses[0].n_missing is None
    few = "fewer than 5"
    assert shown.warnings[0].text == (
        f"Death: {few} patients ({few} of them treated) were not followed to the landmark at 2 days; {few} who "
        f"were treated later count as untreated; for {few} the follow-up or the start of treatment is unknown."
    )
    assert shown.warnings[1].text == "Not analyzed: 12 patients of the eligible."
    assert shown.warnings[-1].code == "W801"


CURVE = {
    "group": ["a"] * 5, "time": [0.0, 1.0, 2.0, 3.0, 4.0], "estimate": [1.0, 0.9, 0.8, 0.7, 0.6], "conf_low": [None] * 5,
    "conf_high": [None] * 5, "std_error": [None] * 5, "at_risk": [50, 50, 45, 40, 4], "events": [0, 2, 3, 4, 3],
    "censored": [0, 0, 1, 0, 1],
}  # fmt: skip


def test_steps_of_a_curve_are_joined_until_they_hold_enough_events():
    shown = coarse_curve(CURVE, 5)
    assert (shown["time"], shown["estimate"], shown["events"]) == ([0.0, 2.0], [1.0, 0.8], [0, 5])
    assert set(shown["at_risk"]) == set(shown["censored"]) == {None}


def test_numbers_at_risk_are_shown_where_they_differ_by_enough():
    columns = {
        "group": ["a"] * 4, "time": [0.0, 1.0, 2.0, 3.0], "at_risk": [50, 48, 40, 3], "cumulative_events": [0, 1, 6, 20],
        "cumulative_censored": [0, 1, 6, 27],
    }  # fmt: skip
    shown = coarse_numbers_at_risk(columns, 5)
    assert shown["at_risk"] == [50, None, 40, None]
    assert shown["cumulative_events"] == [0, None, 6, None]
    assert shown["cumulative_censored"] == [0, None, 6, None]


def test_a_forest_hides_what_its_rows_hide():
    block = Block(
        id="A1.death.forest", analysis="A1", kind="forest",
        columns={"variable": [None, None], "level": [None, None], "group": ["t", "c"], "n": [4, 60], "events": [2, 20],
                 "estimate": [1.3, 1.3], "conf_low": [1.1, 1.1], "conf_high": [1.6, 1.6], "p_interaction": [None, None]},
    )  # fmt: skip
    result = replace(EMPTY, estimates=(effect((2, 20), (4, 60)),), analyses=records("age"), blocks=(block,))
    shown = suppress(result, 5)
    counts = {group.group: (group.n, group.events) for group in shown.estimates[0].groups}
    for line in shown.blocks[0].rows():
        assert (line["n"], line["events"]) == counts[line["group"]]
        assert (line["estimate"], line["conf_low"], line["conf_high"]) == (None, None, None)


@pytest.mark.parametrize("smallest", [0, 1])
def test_without_privacy_nothing_changes(smallest):
    result = replace(EMPTY, flow=flow(), table_one=table_one())
    assert suppress(result, smallest) is result

"""The diagrams as chapters make them: which boxes, which words, what is left out."""

from __future__ import annotations

from dataclasses import replace

import pytest

from counterpulse.protocol.plan import PlannedCriterion, PlannedFlowBox
from counterpulse.report.chapters.context import Context
from counterpulse.report.chapters.participants.participant_flow import (
    consort_chart,
    draw_participants,
    flow_caption,
    flow_chart,
)
from counterpulse.report.chapters.participants.prisma import prisma_chart
from counterpulse.report.figures.boxes import FlowLine, abreast, columns
from counterpulse.report.figures.prisma import describe_prisma, draw_prisma
from counterpulse.report.number_styles import STYLES
from counterpulse.results import FlowStep

GROUPS = ("iabp", "ecmo_only")
UNKNOWN = "\N{NO-BREAK SPACE}unknown"


def context(plan, result, *flow, **changes):
    return Context(replace(plan, **changes), replace(result, flow=flow) if flow else result, STYLES["plain"])


def randomized(plan):
    study = plan.protocol.study.model_copy(update={"design": "randomized-trial"})
    return replace(plan, protocol=plan.protocol.model_copy(update={"study": study}))


def box(name, stage, **more):
    return PlannedFlowBox(name=name, label=name.capitalize(), stage=stage, rule="x = yes", english="x is yes", **more)


def step(id_, kind, n, by_group=None, **more):
    return FlowStep(id=id_, label=id_, kind=kind, n=n, by_group=by_group, **more)


def labels(lines):
    return [(line.count, line.label, line.indent) for line in lines]


def test_criteria_that_removed_nobody_are_left_to_the_table(plan, result):
    flow = (
        step("read", "read", 50), step("include.a", "removed", 0, unknown=0), step("exclude.b", "removed", 4, unknown=2),
        step("include.c", "removed", 6, unknown=5), step("exclude.d", "removed", 0, unknown=3), step("eligible", "eligible", 40),
    )  # fmt: skip
    criteria = [
        PlannedCriterion(id=id_, kind=kind, text=id_, rule="x", english="x", if_unknown=policy)
        for id_, kind, policy in (("b", "exclude", "keep-patient"), ("c", "include", "remove-patient"), ("d", "exclude", None))
    ]  # fmt: skip
    made = context(plan, result, *flow, criteria=tuple(criteria))
    assert labels(flow_chart(made).stages[0].removed) == [
        ("10", "Excluded", 0),
        ("4", f"exclude.b (2{UNKNOWN}, kept)", 1),
        ("6", "Not met: include.c (5\N{NO-BREAK SPACE}of\N{NO-BREAK SPACE}them unknown)", 1),
        ("0", f"exclude.d (3{UNKNOWN}, kept)", 1),
    ]
    assert "Criteria that removed nobody are not shown." in flow_caption(made)
    assert "Unknown:" in flow_caption(made)


def test_a_study_without_a_flow_has_no_diagram(plan, result):
    assert draw_participants(Context(plan, replace(result, flow=()), STYLES["plain"])) is None


def test_a_cohort_with_boxes_of_its_own_is_followed_group_by_group(plan, result):
    found = consort_chart(
        context(
            plan, result, step("read", "read", 30), step("eligible", "eligible", 30, {"iabp": 10, "ecmo_only": 18}),
            step("flow.lost", "flow", 5, {"iabp": 2, "ecmo_only": 3}), step("flow.lost.unknown", "flow-unknown", 1, {"iabp": 0, "ecmo_only": 1}),
            step("flow.lost.reason.m", "flow-reason", 3, {"iabp": 0, "ecmo_only": 3}), flow=(box("lost", "follow-up"),),
        )
    )  # fmt: skip
    assert found.enrolled == "Cohort"
    assert labels(found.enrollment[-1].removed) == [("2", "In none of the compared groups", 0)]
    assert [stage.name for stage in found.stages] == ["Groups", "Follow-up", "Analysis"]
    iabp, ecmo = found.stages[1].boxes
    assert labels(iabp) == [("2", "Lost", 0)]
    assert labels(ecmo) == [("3", f"Lost (1{UNKNOWN})", 0), ("3", "flow.lost.reason.m", 1)]


def test_without_groups_everybody_is_one_arm(plan, result):
    flow = (step("eligible", "eligible", 30), step("flow.lost", "flow", 5), step("analyzed", "analyzed", 25))
    found = consort_chart(context(plan, result, *flow, flow=(box("lost", "follow-up"),), groups=()))
    assert found.arms == ["All patients"]
    assert [labels(stage.boxes[0]) for stage in found.stages] == [
        [("30", "All patients", 0)], [("5", "Lost", 0)], [("25", "In the primary analysis", 0), ("5", "Not analyzed", 1)],
    ]  # fmt: skip


def test_a_trial_shows_dashes_for_hidden_counts_and_works_nothing_out_of_them(plan, result):
    flow = (
        step("absent.1", "absent", None), step("absent.2", "absent", 40), step("read", "read", 30),
        step("eligible", "eligible", 30, {"iabp": 10, "ecmo_only": 20}),
        step("flow.excluded_from_analysis", "flow", None, {"iabp": None, "ecmo_only": None}),
        step("analyzed", "analyzed", 26, {"iabp": 8, "ecmo_only": 18}),
    )  # fmt: skip
    made = context(randomized(plan), result, *flow, flow=(box("excluded_from_analysis", "analysis"),))
    found = consort_chart(made)
    assert labels(found.enrollment[0].box) == [("—", "Patients known", 0)]
    assert [line.count for line in found.enrollment[0].removed] == ["—", "—", "40"]
    assert labels(found.stages[-1].boxes[0]) == [
        ("8", "In the primary analysis", 0), ("—", "Excluded_from_analysis", 1),
    ]  # fmt: skip
    assert "All who were randomized" in flow_caption(made)


@pytest.mark.parametrize("count", range(20))
def test_columns_stand_in_even_rows_of_no_more_than_six(count):
    rows = abreast(count)
    assert [k for row in rows for k in row] == list(range(count))
    assert all(len(row) <= 6 for row in rows)
    assert len({len(row) for row in rows[:-1]}) <= 1


def test_columns_are_centered_where_they_need_not_all_the_room():
    lefts, width = columns(2, left=0.0, right=500.0, gap=10.0, widest=100.0)
    assert (lefts, width) == ([145.0, 255.0], 100.0)


SCREENING = {
    "identified": {"databases": 860, "registers": 48}, "removed": {"duplicates": 200, "automation": 10, "my own": 4},
    "screened": 694, "excluded": 616, "sought": 78, "not_retrieved": 4, "full_text": 74,
    "full_text_excluded": {"Wrong population": 45, "No comparator": 20}, "included": {"studies": 9, "reports": 11},
    "other_methods": {"identified": {"websites": 12, "citations": 40}, "sought": 44, "full_text": 41},
    "previous": {"studies": 5, "reports": 6},
}  # fmt: skip


def test_the_counts_of_a_screening_become_a_diagram():
    chart = prisma_chart(SCREENING, STYLES["plain"])
    assert chart.removed == (
        FlowLine("214", "Records removed before screening"), FlowLine("200", "Duplicate records", 1),
        FlowLine("10", "Marked as ineligible by automation tools", 1), FlowLine("4", "my own", 1),
    )  # fmt: skip
    assert chart.total == (FlowLine("14", "Studies included in all"), FlowLine("17", "Reports of these studies"))
    words = describe_prisma(chart)
    for count in ("908", "694", "616", "74", "65", "52", "44", "41", "14", "17"):
        assert f": {count}" in words
    assert draw_prisma(chart).width <= 493.01


def test_a_short_screening_has_few_boxes():
    chart = prisma_chart({"identified": {"databases": 860}, "full_text": 78, "included": 9}, STYLES["plain"])
    assert (chart.other, chart.total, chart.screened, chart.excluded) == (None, (), (), ())
    assert describe_prisma(chart) == (
        "Identification of new studies via databases and registers. Records identified: 860, Databases: 860. "
        "Reports assessed for eligibility: 78. Included. Studies included in the review: 9."
    )

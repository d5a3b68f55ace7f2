"""A trial of three arms from its CSV to the CONSORT figure: every count of the diagram equals one counted by hand here."""

from __future__ import annotations

import csv
import json
import re

import numpy as np
import pytest
from ward import call

from counterpulse.errors import DONE, PROTOCOL_INVALID
from counterpulse.protocol.plan_on_disk import plan_from_json
from counterpulse.report.chapters.context import Context
from counterpulse.report.chapters.participants.participant_flow import consort_chart, draw_participants
from counterpulse.report.figures.boxes import FlowLine
from counterpulse.report.number_styles import STYLES
from counterpulse.results.on_disk import from_json

N = 240
SCREENED = 787
ARMS = {"iabp": "Balloon pump", "impella": "Micro-axial pump", "none": "Standard care"}
REASONS = {"moved": "Moved away", "refused": "Refused further visits"}
DICTIONARY = """\
name,source,label,type,unit,levels
pid,,Participant,id,,
arm,,Allocated treatment,category,,iabp=Balloon pump|impella=Micro-axial pump|none=Standard care
got,,Treatment received,category,,iabp=Balloon pump|impella=Micro-axial pump|none=Standard care
age,,Age,number,years,
lost,,Lost to follow-up,yesno,,
why,,Reason,category,,moved=Moved away|refused=Refused further visits
stopped,,Stopped treatment,yesno,,
violated,,Major violation,yesno,,
died,,Died within 30 days,yesno,,
"""
PROTOCOL = """\
protocol: 1
study: {id: three-arms, title: Three arms, design: randomized-trial, registration: none, data_seen_before_plan: no}
data: {table: trial.csv, dictionary: dictionary.csv, one_row_per: participant, id: pid}
time_zero: {text: randomization, counted: yes}
eligibility:
  screened: {count: 787, from: log.csv}
  not_in_table: {Did not meet the criteria: 412, Declined: 90, Other reasons: 45}
  include:
    - {id: age, text: Aged 18 to 75 years, rule: age between 18 and 75, if_unknown: keep-patient}
groups: {variable: arm, treated: {iabp: Balloon pump, impella: Micro-axial pump}, reference: {none: Standard care}, assigned_by: randomization}
flow:
  received: got = arm
  not_received: {rule: not got = arm, label: Received another treatment}
  lost: {rule: lost = yes, reasons: why}
  discontinued: stopped = yes
  excluded_from_analysis: lost = yes
outcomes:
  death: {label: Death within 30 days, type: binary, event: died = yes, primary: yes, better: lower, if_unknown: remove-patient}
analyses:
  - {id: P1, role: primary, outcome: death, method: two-proportions}
"""


def participants():
    """Rows as text; the lost have no outcome, some values are blank."""
    random = np.random.default_rng(20261121)
    rows = []
    for number in range(N):
        arm = list(ARMS)[number % 3]
        got = str(random.choice([arm] * 12 + list(ARMS) + [""]))
        lost = random.random() < 0.12
        rows.append({
            "pid": f"T{number:03d}", "arm": arm, "got": got, "age": str(random.integers(15, 80)), "lost": "yes" if lost else "no",
            "why": str(random.choice(["moved", "refused", ""])) if lost else "", "stopped": str(random.choice(["yes", "no", "no", "no", ""])),
            "violated": "no", "died": "" if lost else str(random.choice(["yes", "no"])),
        })  # fmt: skip
    return rows


class Trial:
    def __init__(self, directory, protocol=PROTOCOL):
        self.rows = participants()
        self.path, self.bundle = directory / "trial.protocol.yaml", directory / "bundle"
        self.path.write_text(protocol, encoding="utf-8")
        (directory / "dictionary.csv").write_text(DICTIONARY, encoding="utf-8")
        with (directory / "trial.csv").open("w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, self.rows[0], lineterminator="\n")
            writer.writeheader()
            writer.writerows(self.rows)

    def run(self):
        said = call("run", self.path, "--out", self.bundle, "--jobs", 1)
        assert said.code == DONE, said.text
        return said

    def context(self):
        result, plan = (
            json.loads((self.bundle / name).read_text(encoding="utf-8")) for name in ("results.json", "plan.json")
        )
        return Context(plan_from_json(plan), from_json(result), STYLES["plain"])

    def steps(self):
        results = json.loads((self.bundle / "results.json").read_text(encoding="utf-8"))
        return {step["id"]: step for step in results["flow"]}

    def count(self, arm, true):
        return sum(1 for row in self.rows if row["arm"] == arm and true(row))


@pytest.fixture(scope="module")
def trial(tmp_path_factory):
    trial = Trial(tmp_path_factory.mktemp("three_arms"))
    said = trial.run()
    assert "W602" not in said.text
    return trial


def by_hand(trial, arm):
    """The boxes of an arm, counted slowly: not received is judged only where what was received is known."""

    def n(true):
        return trial.count(arm, true)

    blank = n(lambda row: row["got"] == "")
    unknown = f" ({blank}\N{NO-BREAK SPACE}unknown)" if blank else ""
    stopped_blank = n(lambda row: row["stopped"] == "")
    stopped_unknown = f" ({stopped_blank}\N{NO-BREAK SPACE}unknown)" if stopped_blank else ""
    lost = n(lambda row: row["lost"] == "yes")
    why = {
        text: n(lambda row, code=code: row["lost"] == "yes" and row["why"] == code) for code, text in REASONS.items()
    }
    why["Reason not recorded"] = n(lambda row: row["lost"] == "yes" and row["why"] == "")
    reasons = [(str(count), text, 1) for text, count in why.items() if count]
    return [
        [
            (str(n(lambda row: True)), ARMS[arm], 0),
            (str(n(lambda row: row["got"] == arm)), "Received the allocated treatment" + unknown, 1),
            (str(n(lambda row: row["got"] not in (arm, ""))), "Received another treatment" + unknown, 1),
        ],
        [
            (str(lost), "Lost to follow-up", 0),
            *reasons,
            (str(n(lambda row: row["stopped"] == "yes")), "Discontinued the treatment" + stopped_unknown, 0),
        ],
        [
            (str(n(lambda row: row["died"] != "")), "In the primary analysis", 0),
            (str(lost), "Excluded from the analysis", 1),
        ],
    ]  # fmt: skip


def test_every_box_of_every_arm_is_what_a_slow_count_finds(trial):
    chart = consort_chart(trial.context())
    assert chart.arms == list(ARMS.values())
    assert [stage.name for stage in chart.stages] == ["Allocation", "Follow-up", "Analysis"]
    for number, arm in enumerate(ARMS):
        found = [[(line.count, line.label, line.indent) for line in stage.boxes[number]] for stage in chart.stages]
        assert found == by_hand(trial, arm)


def test_enrollment_goes_from_the_screened_to_the_randomized_by_reason(trial):
    assessed, randomized = consort_chart(trial.context()).enrollment
    assert assessed.box == (FlowLine("787", "Assessed for eligibility"),)
    assert assessed.removed == (
        FlowLine(str(SCREENED - N), "Not randomized"), FlowLine("412", "Did not meet the criteria", 1),
        FlowLine("90", "Declined", 1), FlowLine("45", "Other reasons", 1),
    )  # fmt: skip
    assert randomized.box == (FlowLine(str(N), "Randomized"),)
    assert not randomized.removed


def test_without_a_rule_of_exclusion_those_not_analyzed_are_named_by_their_missing_value(tmp_path):
    trial = Trial(tmp_path, PROTOCOL.replace("  excluded_from_analysis: lost = yes\n", ""))
    trial.run()
    analysis = consort_chart(trial.context()).stages[-1]
    for arm, box in zip(ARMS, analysis.boxes, strict=True):
        blank = str(trial.count(arm, lambda row: row["died"] == ""))
        assert box[1] == FlowLine(blank, "Not analyzed: a value is missing", 1)


def test_nobody_is_removed_and_deviations_are_counted(trial):
    steps = trial.steps()
    outside = sum(1 for row in trial.rows if not 18 <= int(row["age"]) <= 75)
    assert steps["include.age"]["n"] == outside > 0
    assert steps["eligible"]["n"] == N
    assert steps["analyzed"]["n"] == sum(1 for row in trial.rows if row["died"])


def test_the_figure_stands_in_the_report_with_its_words(trial):
    scene = draw_participants(trial.context())
    assert scene.description.startswith("Enrollment. Assessed for eligibility: 787. Not randomized: 547, ")
    assert "Analysis. Balloon pump: In the primary analysis: " in scene.description
    html = (trial.bundle / "report.html").read_text(encoding="utf-8")
    assert "All who were randomized are shown" in html
    svg = (trial.bundle / "figures" / "flow.svg").read_text(encoding="utf-8")
    assert ">Allocation</text>" in svg


def test_a_box_is_explained_by_its_rule(trial):
    said = call("explain", trial.bundle, "flow.lost.reason.moved")
    assert said.code == DONE
    assert 'lost = "yes"' in said.out or "lost = yes" in said.out
    assert "iabp:" in said.out


def test_the_plan_names_the_boxes(trial):
    said = call("plan", trial.path)
    assert said.code == DONE
    assert re.search(r"follow-up +Lost to follow-up: ", said.out)
    assert "[reasons: Reason]" in said.out


def test_small_boxes_are_hidden_with_what_gives_them_away(tmp_path):
    trial = Trial(tmp_path, PROTOCOL + "privacy: {small_cells: 6}\n")
    trial.run()
    shown = trial.steps()
    whole = {arm: trial.count(arm, lambda row: True) for arm in ARMS}
    for id_, step in shown.items():
        if not id_.startswith("flow."):
            continue
        assert not any(0 < n < 6 for n in (step["n"], *step["by_group"].values()) if n is not None)
        hidden = [arm for arm, n in step["by_group"].items() if n is None]
        assert len(hidden) != 1 or step["n"] is None  # a lone hidden arm would be the total less the others
    for arm in ARMS:  # and neither follows from those whom the rule cannot judge
        received, unknown = shown["flow.received"]["by_group"][arm], shown["flow.received.unknown"]["by_group"][arm]
        if received is not None and unknown is not None:
            assert not 0 < whole[arm] - received - unknown < 6


def test_a_count_of_screened_that_does_not_fit_is_said_and_left_out(tmp_path):
    trial = Trial(tmp_path, PROTOCOL.replace("count: 787", "count: 100"))
    trial.run()
    assert "screened" not in trial.steps()
    warnings = json.loads((trial.bundle / "results.json").read_text(encoding="utf-8"))["warnings"]
    assert "W534" in {warning["code"] for warning in warnings}


@pytest.mark.parametrize(
    ("old", "new", "code"),
    [
        ("lost: {rule: lost = yes, reasons: why}", "lost: {rule: lots = yes, reasons: why}", "E4"),
        ("lost: {rule: lost = yes, reasons: why}", "lost: {rule: lost =, reasons: why}", "E4"),
        ("reasons: why", "reasons: whim", "E232"),
        ("reasons: why", "reasons: age", "E238"),
        ("discontinued: stopped = yes", "discontinued: {stage: follow-up}", "E222"),
        ("discontinued: stopped = yes", "discontinued: {rule: stopped = yes, stage: later}", "E223"),
        ("discontinued: stopped = yes", "discontinued: age", "E4"),
        ("not_in_table: {Did", "not_in_table: {Too few: -1, Did", "E224"),
    ],
)  # fmt: skip
def test_what_is_wrong_in_a_box_is_found(tmp_path, old, new, code):
    assert old in PROTOCOL
    trial = Trial(tmp_path, PROTOCOL.replace(old, new))
    said = call("check", trial.path)
    assert said.code == PROTOCOL_INVALID, said.text
    assert re.search(rf"\b{code}", said.text), said.text

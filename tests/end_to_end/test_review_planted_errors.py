"""Errors planted in an extraction table: each becomes a finding or a note with its row, never a crash or a silent number."""

import csv
from math import exp, inf, log, sqrt

import pytest

from counterpulse import study
from counterpulse.errors import DATA_INVALID, DONE, PROTOCOL_INVALID, DataError
from counterpulse.study.run import run

CLOSED_FORM = 1e-12  # the same few products
T_OF_ONE = 12.706204736174698  # quantile of 0.975, 1 degree of freedom
ROOT = 1e-10  # REML of two studies, found to a relative 1e-13, against its closed form
NUMBERS = (
    "events_treated", "n_treated", "events_control", "n_control", "estimate", "conf_low", "conf_high", "std_error", "p_value", "yi", "vi",
    "percent_treated", "percent_control",
)  # fmt: skip
COLUMNS = (
    "study",
    "outcome",
    "registry",
    "treated",
    "control",
    *NUMBERS,
    "measure",
    "format",
    "complement",
    "reversed",
)
DICTIONARY = "name,source,label,type,unit,levels,minimum,maximum,missing_codes,applies_if,integer,section\n" + "".join(
    f"{name},{name},{name.capitalize()},{'number' if name in NUMBERS else 'yesno' if name in ('complement', 'reversed') else 'text'},,,,,,,,\n"
    for name in COLUMNS
)
PROTOCOL = """\
protocol: 1
study: {id: pumps, title: Pumps, design: review, registration: none, data_seen_before_plan: yes}
data: {table: pumps.csv, dictionary: dictionary.csv, one_row_per: effect}
question:
  population: adults in shock
  exposure: pump
  comparator: no pump
  outcomes: {death: {label: Death, better: lower}, bleeding: {label: Bleeding, better: lower}}
effects: {measure: odds ratio}
analyses:
  - {id: M1, role: primary, outcome: death}
"""
TRIALS = (
    ("Ames 2001", 10, 40, 14, 41),
    ("Bern 2005", 21, 60, 26, 58),
    ("Cork 2010", 8, 35, 9, 36),
    ("Dover 2016", 30, 90, 33, 91),
)


def row(name, *counts, **cells):
    counted = dict(zip(COLUMNS[5:9], counts, strict=False))
    return {"study": name, "outcome": "death", **counted, **cells}


class Review:
    """A small review to break."""

    def __init__(self, folder):
        self.folder, self.protocol = folder, PROTOCOL
        self.rows = [row(*trial) for trial in TRIALS]

    def add(self, *rows):
        self.rows += rows
        return self

    def edit(self, old, new):
        assert old in self.protocol
        self.protocol = self.protocol.replace(old, new)
        return self

    @property
    def path(self):
        (self.folder / "dictionary.csv").write_text(DICTIONARY, encoding="utf-8")
        with (self.folder / "pumps.csv").open("w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, COLUMNS, restval="")
            writer.writeheader()
            writer.writerows(self.rows)
        path = self.folder / "pumps.protocol.yaml"
        path.write_text(self.protocol, encoding="utf-8")
        return path

    def result(self):
        plan, table = study.read_study(self.path)
        return run(plan, table)

    def refused(self):
        """The findings of a run that stops."""
        with pytest.raises(DataError) as stopped:
            self.result()
        return stopped.value.findings


@pytest.fixture
def review(tmp_path):
    return Review(tmp_path)


def said(result):
    return {notice.code: notice.text for notice in result.warnings}


def extracted(result):
    block = next(block for block in result.blocks if block.kind == "effect-sizes")
    return {line["row"]: line for line in block.rows()}


def primary(result):
    return next(found for found in result.estimates if found.analysis == "M1" and found.role != "covariate")


LAST = len(TRIALS) + 2  # the row of the file that a planted row gets: after the header and the trials
PLANTED = [
    ("E860", row("Ems 2020", 41, 40, 14, 41)),  # more events than patients
    ("E860", row("Ems 2020", -1, 40, 14, 41)),
    ("E860", row("Ems 2020", 10, 0, 14, 41)),
    ("E860", row("Ems 2020", 41, 40, 14, 41, complement="yes")),
    ("E860", row("Ems 2020", 10.5, 40, 14, 41)),
    ("E860", row("Ems 2020", estimate=1.9, conf_low=0.5, conf_high=1.2)),  # an interval without its estimate
    ("E860", row("Ems 2020", estimate=0.8, conf_low=1.2, conf_high=0.5)),
    ("E860", row("Ems 2020", estimate=0.8, conf_low=0.8, conf_high=0.8)),
    ("E860", row("Ems 2020", estimate=-0.8, conf_low=0.5, conf_high=1.2)),
    ("E860", row("Ems 2020", estimate=0.8, conf_low=0, conf_high=1.2)),
    ("E860", row("Ems 2020", estimate=0.8, std_error=0)),
    ("E860", row("Ems 2020", estimate=0.8, std_error=-0.2)),
    ("E860", row("Ems 2020", estimate=0.8, p_value=1.2)),
    ("E860", row("Ems 2020", yi=0.3, vi=0)),
    ("E860", row("Ems 2020", yi=0.3, vi=-0.1)),
    ("E853", row("Ems 2020", 10, 40, 14, 41, outcome="deth")),
    ("E853", row("Ems 2020", 10, 40, 14, 41, outcome="")),
    ("E854", row("", 10, 40, 14, 41)),
    ("E855", row("Ems 2020", 10, 40, 14, 41, format="cuonts")),
    ("E857", row("Ems 2020", estimate=0.8, conf_low=0.5, conf_high=1.28, measure="odd ratio of something")),
    ("E858", row("Ems 2020", estimate=0.8, conf_low=0.5, conf_high=1.28, measure="HR")),
    ("E856", row("Ems 2020", 10, 40, 14, 41, format="means")),
]


@pytest.mark.parametrize(("code", "planted"), PLANTED)
def test_a_wrong_row_is_found_with_its_place(review, code, planted):
    findings = review.add(planted).refused()
    assert [finding.code for finding in findings] == [code]
    assert findings[0].where.line == LAST
    assert findings[0].where.file == "pumps.csv"
    assert findings[0].remedy


def test_all_wrong_rows_are_told_at_once_by_check_too(review):
    planted = [line for _, line in PLANTED]
    findings, code = study.check(review.add(*planted).path)
    assert code == DATA_INVALID
    told = [(item.code, item.where.line) for item in findings if item.severity == "error"]
    assert told == [(wanted, LAST + index) for index, (wanted, _) in enumerate(PLANTED)]


def test_text_in_a_number_is_found_with_its_row(review):
    findings, code = study.check(review.add(row("Ems 2020", "ten", 40, 14, 41)).path)
    assert code == DATA_INVALID
    (told,) = [item for item in findings if item.severity == "error"]
    assert str(LAST) in told.seen
    assert "events_treated" in told.seen
    assert "ten" not in told.seen


@pytest.mark.parametrize("text", ["1,22", "0.94 (0.5)", "<0.001", "NA?"])
def test_numbers_with_something_around_them_are_no_numbers(review, text):
    findings, code = study.check(review.add(row("Ems 2020", estimate=text, conf_low=0.5, conf_high=1.2)).path)
    assert code == DATA_INVALID
    assert any(str(LAST) in item.seen and "estimate" in item.seen for item in findings)


def test_a_lopsided_interval_is_used_and_told(review):
    result = review.add(row("Ems 2020", estimate=1.01, conf_low=0.69, conf_high=1.76)).result()
    told = extracted(result)[LAST]
    assert told["used"] == "yes"
    assert "symmetric" in told["note"]
    assert f"row {LAST}" in {notice.where for notice in result.warnings if notice.code == "W859"}


def test_the_same_lopsided_numbers_are_no_finding_where_differences_are_pooled(review):
    review.edit("measure: odds ratio", "measure: mean difference")
    review.rows = [
        row("Ames 2001", estimate=1.2, conf_low=0.2, conf_high=2.2),
        row("Bern 2005", estimate=-1, conf_low=-2, conf_high=0),
    ]
    assert not {"W859", "W860"} & set(said(review.result()))


@pytest.mark.parametrize("name", ["Bern 2005", "bern 2005", " Bern 2005 "])
def test_a_study_that_stands_twice(review, name):
    (finding,) = review.add(row(name, 21, 60, 26, 58)).refused()
    assert finding.code == "E852"
    assert f"rows 3, {LAST}" in finding.seen
    assert finding.where.line == 3


def test_a_study_that_stands_twice_under_two_names(review):
    result = review.add(row("Berne 2006", 21, 60, 26, 58)).result()
    assert "Bern 2005 (row 3) and Berne 2006 (row 6) hold the same effect" in said(result)["W856"]


def test_a_row_in_two_registries_overlaps_with_both(review):
    review.edit("effects:", "overlap: {registry: registry, keep: largest}\neffects:")
    for line, registry in zip(review.rows, ["North", "South", "North; South", ""], strict=True):
        line["registry"] = registry
    result = review.result()
    told = said(result)
    assert "Cork 2010 (row 4) names several registries" in told["W855"]
    assert "Bern 2005 (row 3) counts (largest); not counted: Ames 2001 (row 2), Cork 2010 (row 4)" in told["W853"]
    assert primary(result).n == 60 + 58 + 90 + 91


def test_a_shared_registry_without_a_rule_is_told(review):
    for line in review.rows[:2]:
        line["registry"] = "North"
    assert "patients may count twice" in said(review.result())["W854"]


def test_a_measure_that_is_left_out_is_listed(review):
    review.edit("{measure: odds ratio}", "{measure: odds ratio, other_measures: leave-out}")
    told = extracted(review.add(row("Ems 2020", estimate=0.8, conf_low=0.5, conf_high=1.28, measure="HR")).result())[
        LAST
    ]
    assert (told["used"], told["reason"]) == ("no", "a hazard ratio, and odds ratios are pooled")
    assert told["yi"] is None


def test_a_row_with_too_few_numbers_is_listed_and_not_filled_in(review):
    result = review.add(row("Ems 2020", 10, None, 14, 41), row("Faro 2021")).result()
    told = said(result)
    assert f"for Faro 2021 (row {LAST + 1})" in told["W860"]
    assert "Ems 2020" in told["W859"]
    assert "n_treated" in extracted(result)[LAST]["reason"]
    assert extracted(result)[LAST + 1]["reason"] == "no effect is printed"
    assert {extracted(result)[line]["yi"] for line in (LAST, LAST + 1)} == {None}
    assert primary(result).n == sum(n for trial in TRIALS for n in (trial[2], trial[4]))


def test_nobody_and_everybody(review):
    result = review.add(row("None", 0, 40, 0, 41), row("All", 40, 40, 41, 41), row("Zero", 0, 40, 4, 41)).result()
    told = extracted(result)
    assert [told[line]["used"] for line in range(LAST, LAST + 3)] == ["no", "no", "yes"]
    assert told[LAST + 2]["note"]
    assert told[LAST + 2]["yi"] == pytest.approx(log(0.5 / 40.5 / (4.5 / 37.5)), rel=CLOSED_FORM)
    assert told[2]["yi"] == pytest.approx(log(10 / 30 / (14 / 27)), rel=CLOSED_FORM)


def test_nobody_counts_for_a_risk_difference(review):
    told = extracted(review.edit("odds ratio", "risk difference").add(row("None", 0, 40, 0, 41)).result())[LAST]
    assert told["used"] == "yes"
    assert told["yi"] == pytest.approx(0.5 / 41 - 0.5 / 42, rel=CLOSED_FORM)


@pytest.mark.parametrize(
    ("measure", "model"), [("odds ratio", "random"), ("risk ratio", "random"), ("risk ratio", "mantel-haenszel")]
)
def test_those_without_the_event_are_not_those_with_it(review, tmp_path, measure, model):
    """The printed survivors give what the dead would have given, whatever the measure and the model."""
    review.edit("measure: odds ratio", f"measure: {measure}").edit(
        "outcome: death}", f"outcome: death, model: {model}}}"
    )
    plain = review.result()
    for line in review.rows:
        line["complement"] = "yes"
        for arm in ("treated", "control"):
            line[f"events_{arm}"] = line[f"n_{arm}"] - line[f"events_{arm}"]
    turned = review.result()
    assert primary(turned).estimate == primary(plain).estimate
    assert primary(turned).events == primary(plain).events
    assert "without the event" in said(turned)["W859"]


def test_percentages_of_those_without_the_event(review):
    review.rows = [
        row("Ames 2001", n_treated=40, n_control=50, percent_treated=75, percent_control=80, complement="yes")
    ]
    told = extracted(review.result())[2]
    assert (told["events_1"], told["events_2"]) == (10, 10)
    assert told["yi"] == pytest.approx(log(10 / 30 / (10 / 40)), rel=CLOSED_FORM)


def test_arms_the_other_way_round(review):
    """Counts that stand under the wrong arm are turned as a whole, events and patients too."""
    review.edit("outcome: death}", "outcome: death, model: mantel-haenszel}")
    plain = primary(review.result())
    for line in review.rows:
        line["reversed"] = "yes"
        for what in ("events", "n"):
            line[f"{what}_treated"], line[f"{what}_control"] = line[f"{what}_control"], line[f"{what}_treated"]
    turned = primary(review.result())
    assert turned.estimate == plain.estimate
    assert [(arm.group, arm.n, arm.events) for arm in turned.groups] == [
        (arm.group, arm.n, arm.events) for arm in plain.groups
    ]


def test_findings_count_the_patients_that_were_pooled(review):
    """Two effects of one registry: the summary of findings counts its patients once, as the analysis does."""
    review.edit("effects:", "overlap: {registry: registry, keep: largest}\neffects:")
    for line in review.rows[:2]:
        line["registry"] = "North"
    result = review.result()
    block = next(block for block in result.blocks if block.kind == "summary-of-findings")
    (line,) = block.rows()
    assert (line["studies"], line["participants"]) == (3, primary(result).n)


def test_a_printed_odds_ratio_of_survival_is_turned_and_a_risk_ratio_is_refused(review):
    line = row("Ems 2020", estimate=1.98, conf_low=1.39, conf_high=2.83, complement="yes")
    assert extracted(review.add(line).result())[LAST]["yi"] == pytest.approx(-log(1.98), rel=CLOSED_FORM)
    (finding,) = review.edit("odds ratio", "risk ratio").refused()
    assert (finding.code, finding.where.line) == ("E859", LAST)


def test_a_risk_ratio_of_survival_is_not_turned_by_a_conversion(review):
    """The odds ratio that a conversion makes of it rests on the risk of the event, so turning it would be wrong."""
    review.edit("measure: odds ratio", "measure: odds ratio, convert: {from: risk ratio, control_risk: 0.4}")
    line = row("Ems 2020", estimate=1.2, conf_low=1, conf_high=1.44, measure="RR", complement="yes")
    (finding,) = review.add(line).refused()
    assert (finding.code, finding.where.line) == ("E859", LAST)


@pytest.mark.parametrize("measure", ["proportion", "rate"])
def test_a_share_without_its_events(review, measure):
    review.edit("measure: odds ratio", f"measure: {measure}")
    review.rows = [row("Ames 2001", estimate=0.2, conf_low=0.1, conf_high=0.3)]
    (finding,) = review.refused()
    assert (finding.code, finding.where.line) == ("E860", 2)
    assert "events" in finding.remedy


@pytest.mark.parametrize("name", ["complement", "reversed"])
def test_what_turns_a_row_is_answered_by_yes_or_no(review, name):
    path = review.path
    dictionary = path.parent / "dictionary.csv"
    text = dictionary.read_text(encoding="utf-8")
    dictionary.write_text(text.replace(f"{name.capitalize()},yesno", f"{name.capitalize()},text"), encoding="utf-8")
    findings, code = study.check(path)
    assert code == PROTOCOL_INVALID
    assert "E804" in {item.code for item in findings}


def test_no_study(review):
    review.rows = [row("Ames 2001"), row("Bern 2005")]
    result = review.result()
    assert primary(result).estimate.status.code == "no-studies"
    assert study.could_not_estimate(result)
    assert "Ames 2001 (row 2), Bern 2005 (row 3)" in said(result)["W860"]


def test_one_study_shows_its_own_effect(review):
    review.rows = review.rows[:1]
    result = review.result()
    effect = primary(result).estimate
    error = sqrt(1 / 10 + 1 / 30 + 1 / 14 + 1 / 27)
    assert effect.value == pytest.approx(log(10 / 30 / (14 / 27)), rel=CLOSED_FORM)
    assert effect.std_error == pytest.approx(error, rel=CLOSED_FORM)
    assert effect.status.code == "one-study"
    assert "W861" in said(result)
    assert not study.could_not_estimate(result)
    assert {found.estimate.measure for found in result.estimates} == {
        "odds ratio"
    }  # no variance between studies of one


def test_two_studies_have_the_wide_interval_of_hartung_and_knapp(review):
    review.rows = review.rows[:2]
    result = review.result()
    effect = primary(result).estimate.natural()
    assert "W862" in said(result)
    assert 0 < effect.interval.low < effect.value < effect.interval.high < inf
    lines = [line for line in extracted(result).values() if line["used"] == "yes"]
    (y, v), (z, w) = ((line["yi"], line["vi"]) for line in lines)
    between = max(0, ((y - z) ** 2 - v - w) / 2)
    a, b = 1 / (v + between), 1 / (w + between)
    mean = (a * y + b * z) / (a + b)
    assert effect.value == pytest.approx(exp(mean), rel=ROOT)  # REML of two studies in closed form
    error = sqrt((a * (y - mean) ** 2 + b * (z - mean) ** 2) / (a + b))
    assert log(effect.interval.high) - log(effect.value) == pytest.approx(T_OF_ONE * error, rel=ROOT)


@pytest.mark.parametrize("rows", [0, 1, 2])
@pytest.mark.parametrize(
    "line",
    [
        "model: common", "model: mantel-haenszel", "model: peto", "model: generalized-linear", "model: three-level", "dependence: robust",
        "convention: revman-5.4", "interval: kenward-roger", "permutation: yes",
        "leave_one_out: yes, influence: yes, gosh: yes, cumulative: events_treated",
        "small_study_effects: [egger, begg, harbord, peters, trim-and-fill, selection-step, limit, pet-peese]",
        "moderators: [events_treated]", "method: bayesian-meta-analysis",
        "method: sequential-meta-analysis, order: n_treated, relative_risk_reduction: 0.2", "method: network-meta-analysis",
    ],
)  # fmt: skip
def test_few_studies_never_crash(review, rows, line):
    review.rows = [*review.rows[:rows], row("Blank")]
    for entry in review.rows:
        entry |= {"treated": "pump", "control": "no pump"}
    result = review.edit("outcome: death}", f"outcome: death, {line}}}").result()
    found = primary(result)
    assert (found.estimate.status.code == "ok") == (found.estimate.value == found.estimate.value) or rows == 1


def test_a_network_that_falls_apart_names_its_parts(review):
    review.edit("outcome: death}", "outcome: death, method: network-meta-analysis}")
    for line, (treated, control) in zip(review.rows, [("A", "B"), ("B", "C"), ("D", "E"), ("E", "D")], strict=True):
        line |= {"treated": treated, "control": control}
    result = review.result()
    assert not study.could_not_estimate(result) or "W8" in "".join(said(result))
    assert any("A, B, C" in text and "D, E" in text for text in said(result).values())


@pytest.mark.parametrize(
    ("old", "new", "code"),
    [
        ("outcome: death}", "outcome: deth}", "E233"),
        ("measure: odds ratio", "measure: oddsratio", None),
        ("outcome: death}", "outcome: death, model: fixed}", None),
        ("outcome: death}", "outcome: death, tau2: DerSimonian}", None),
        ("outcome: death}", "outcome: death, quality_weights: yes}", "E807"),
        ("outcome: death}", "outcome: death, method: cox}", "E806"),
        ("effects:", "overlap: {registry: nowhere}\neffects:", None),
        ("effects:", "risk_of_bias: {tool: rob-2}\neffects:", None),
    ],
)
def test_a_wrong_protocol_of_a_review(review, old, new, code):
    findings, exit_code = study.check(review.edit(old, new).path)
    assert exit_code == PROTOCOL_INVALID
    assert all(item.where.line for item in findings if item.severity == "error")
    assert code in {None, *(item.code for item in findings)}


def test_boxes_that_do_not_add_up(review):
    review.edit(
        "effects:",
        "screening: {identified: 100, removed: 20, screened: 70, full_text: 12, full_text_excluded: 3, included: 5}\neffects:",
    )
    told = [notice.text for notice in review.result().warnings if notice.code in ("W851", "W852")]
    assert any("100 - 20 is not 70" in text for text in told)
    assert any("12 - 3 is not 5" in text for text in told)
    assert any("5 studies are included by the screening, and 4 stand in the table" in text for text in told)


def test_the_sound_table_has_no_finding(review):
    findings, code = study.check(review.path)
    assert code == DONE
    assert {item.code for item in findings} == {"W524"}  # columns that this table has no use for

"""The dummy patients of the example vsr-iabp repeat Tables 1 and 2 of the cohort they stand for.

Luo XL, Xu HB, Guo C, et al. Intra-aortic balloon pump support in patients with acute myocardial infarction with ventricular
septal rupture: 59 patients with a balloon pump, 33 without. Mean ± SD and counts as printed; "HR 0.18 (0.10, 0.32)" in 3.3.
"""

import importlib.util
from pathlib import Path

import pytest

from counterpulse.errors import HAS_FINDINGS

ROOT = Path(__file__).parents[2]
PRINTED_TO = 0.05  # one decimal is printed
FIT = 1e-9  # relative; Newton goes on to rounding, and the ratio of the counts is exact
TABLE_1 = {
    "age": (65.9, 7.8, 71.2, 8.0), "bmi": (25.2, 3.2, 22.8, 3.1), "days_from_infarction": (3.8, 4.1, 3.0, 3.1),
    "creatinine": (137.1, 66.7, 130.7, 39.4), "map": (70.4, 9.4, 78.9, 11.1), "heart_rate": (103.7, 16.1, 100.6, 18.3),
    "la_diameter": (37.1, 4.9, 36.6, 5.6), "lv_diameter": (52.2, 5.8, 50.5, 5.7), "lvef": (46.0, 9.9, 48.4, 10.1),
    "perforation": (14.8, 6.5, 11.8, 4.7),
}  # fmt: skip
COUNTS = {
    "male": (33, 10), "emergency_intervention": (8, 4), "smoker": (33, 11), "hypertension": (33, 23), "diabetes": (12, 12),
    "stroke": (14, 7), "renal": (15, 7), "killip4": (55, 31), "aneurysm": (29, 11),
}  # fmt: skip


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    from counterpulse import examples, plan, read_dictionary, read_protocol, read_table, run

    folder = tmp_path_factory.mktemp("vsr")
    protocol = read_protocol(examples.copy("vsr-iabp", folder))
    dictionary = read_dictionary(folder / "dictionary.csv")
    table = read_table(folder / "vsr-iabp.csv", dictionary, id="patient", data_kind="mock")
    return run(plan(protocol, dictionary), table, only=["M1", "H1", "R1"])


def row(results, variable, group, level=None):
    return next(
        item
        for item in results.table_one
        if (item.variable, item.group, item.level, item.contrast) == (variable, group, level, None)
    )


@pytest.mark.parametrize("variable", TABLE_1)
def test_means_and_standard_deviations(variable, results):
    for group, (mean, sd) in zip(("iabp", "none"), (TABLE_1[variable][:2], TABLE_1[variable][2:]), strict=True):
        found = row(results, variable, group)
        assert (found.mean, found.sd) == (pytest.approx(mean, abs=PRINTED_TO), pytest.approx(sd, abs=PRINTED_TO))


@pytest.mark.parametrize("variable", COUNTS)
def test_counts(variable, results):
    for group, count in zip(("iabp", "none"), COUNTS[variable], strict=True):
        assert row(results, variable, group, "yes").count == count


def test_flow_and_outcomes(results):
    flow = {step.id: step.n for step in results.flow}
    assert (flow["exclude.free_wall"], flow["exclude.stable"], flow["eligible"]) == (1, 24, 92)
    crude = next(item for item in results.estimates if item.id == "M1.Unadjusted.death_30d.iabp.odds-ratio")
    assert {count.group: (count.n, count.events) for count in crude.groups} == {"iabp": (59, 21), "none": (33, 31)}
    repair = next(item for item in results.estimates if item.analysis == "R1")
    assert {count.group: count.events for count in repair.groups} == {"iabp": 29, "none": 1}


def test_the_printed_odds_ratio_is_a_hazard_ratio(results):
    """21 of 59 against 31 of 33 is an odds ratio of 0.036; the 0.18 (0.10, 0.32) printed as one is the hazard ratio."""
    odds, hazard = (
        next(item for item in results.estimates if item.id == name).estimate.natural()
        for name in ("M1.Unadjusted.death_30d.iabp.odds-ratio", "H1.Unadjusted.death.iabp.hazard-ratio")
    )
    assert odds.value == pytest.approx((21 / 38) / (31 / 2), rel=FIT)
    assert [round(number, 2) for number in (hazard.value, hazard.interval.low, hazard.interval.high)] == [
        0.18,
        0.10,
        0.32,
    ]


def test_the_table_is_what_the_script_draws():
    spec = importlib.util.spec_from_file_location("draw_vsr_iabp", ROOT / "docs" / "draw_vsr_iabp.py")
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)
    assert script.as_csv(script.patients()) == script.TABLE.read_text(encoding="utf-8")


def test_the_whole_study_runs(tmp_path):
    from counterpulse.cli.main import invoke

    assert invoke(["example", "vsr-iabp", str(tmp_path)]) == 0
    protocol = tmp_path / "vsr-iabp.protocol.yaml"
    assert invoke(["run", str(protocol), "--out", str(tmp_path / "report")]) in (0, HAS_FINDINGS)

from __future__ import annotations

import json
from dataclasses import replace
from math import inf, isnan, nan

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from counterpulse.results import (
    AnalysisRecord,
    At,
    Block,
    Choice,
    Estimand,
    Estimate,
    EstimateRow,
    FlowStep,
    GroupCount,
    Interval,
    Notice,
    Status,
    StudyIdentity,
    StudyResult,
    Subgroup,
    TableOneRow,
)
from counterpulse.results.bundle import to_bytes
from counterpulse.results.estimate import to_natural
from counterpulse.results.on_disk import _from_natural, from_json, results_schema, to_json

KEYS = [
    "id", "analysis", "model", "role", "outcome", "population", "subgroup", "variable", "term", "reference", "measure",
    "estimand", "better", "at", "unit", "estimate", "conf_low", "conf_high", "conf_level", "interval_method", "std_error",
    "scale", "statistic", "statistic_name", "df", "p_value", "p_adjusted", "n", "events", "n_missing", "groups",
    "imputations", "fmi", "clusters", "effective_n", "method", "planned", "status", "notes",
]  # fmt: skip


def row_of(estimate, **more):
    return EstimateRow(
        id=f"A1.{estimate.term}", analysis="A1", role="primary", outcome="death", population="eligible",
        method="logistic-regression", estimate=estimate, **more,
    )  # fmt: skip


ODDS = Estimate(
    term="iabp", variable="iabp_after", reference="ecmo_only", measure="odds ratio", scale="log", value=-0.1947,
    std_error=0.0928, interval=Interval(-0.377, -0.013, 0.95, "wald"), statistic=-2.1, statistic_name="z", p_value=0.035,
    at=At(60, "days"), notes=("robust variance",),
)  # fmt: skip
FAILED = Estimate(term="b", measure="odds ratio", scale="log", value=nan, status=Status.SEPARATION)
RESULT = StudyResult(
    identity=StudyIdentity(
        id="ecls", title="Balloon pump", design="cohort", protocol_digest="sha256:1", dictionary_digest="sha256:2",
        data_digest="sha256:3", seed=1, software={"counterpulse": "0.1.0"},
    ),
    data_kind="real",
    flow=(
        FlowStep(id="read", label="Records read", kind="read", n=12),
        FlowStep(id="exclude.x", label="X", kind="removed", n=2, n_alone=3, unknown=0),
        FlowStep(id="analyzed", label="Analyzed", kind="analyzed", n=10, by_group={"iabp": 4, "ecmo_only": 6}),
    ),
    table_one=(
        TableOneRow(variable="age", group="iabp", n=4, missing=0, mean=60.5, sd=9.25),
        TableOneRow(variable="sex", level="M", n=10, count=5, percent=50.0),
        TableOneRow(variable="age", contrast=("iabp", "ecmo_only"), smd=0.04, smd_denominator="pooled", p_value=0.41, test="welch t"),
    ),
    analyses=(
        AnalysisRecord(
            id="A1", role="primary", label="Primary", method="logistic-regression", n_missing=1, citations=("cox-1972",),
            choices=(Choice("ties", "efron", "default", "efron-1977"), Choice("clusters", None, "given")),
        ),
        AnalysisRecord(id="S1", role="sensitivity", label="", method="cox", of="A1"),
    ),
    estimates=(
        row_of(
            ODDS, better="lower", n=10, events=5, n_missing=0, estimand=Estimand("conditional", "all"),
            subgroup=Subgroup("age", "<65"), groups=(GroupCount("iabp", 4, 2, None, 0.5), GroupCount("ecmo_only", 6)),
        ),
        row_of(FAILED),
    ),
    blocks=(Block(id="A1.ph", analysis="A1", kind="proportional-hazards", columns={
        "variable": ["age", "all"], "chi_squared": [1.5, nan], "df": [1.0, 2.0], "p_value": [0.2, inf],
    }),),
    details={"A1": {"pairs": 4, "note": "none", "caliper": 0.2, "kept": True}},
    warnings=(Notice("W262", "S1", "An edit changes the estimand."),),
)  # fmt: skip


def test_an_estimate_has_all_keys_in_order():
    assert list(to_json(RESULT)["estimates"][0]) == KEYS


def test_keys_that_do_not_apply_are_absent():
    tree = to_json(RESULT)
    assert list(tree["flow"][0]) == ["id", "label", "kind", "n"]
    assert tree["table_one"][0] == {
        "variable": "age", "level": None, "group": "iabp", "n": 4, "missing": 0, "mean": 60.5, "sd": 9.25,
    }  # fmt: skip
    assert list(tree["table_one"][2]) == [
        "variable", "level", "group", "contrast", "smd", "smd_denominator", "p_value", "test",
    ]  # fmt: skip
    assert "of" not in tree["analyses"][0]
    assert "table_one" not in to_json(replace(RESULT, table_one=()))


@pytest.mark.parametrize("scale", ["identity", "log", "logit", "log-log", "arcsine"])
def test_what_has_no_value_has_none_on_any_scale(scale):
    assert isnan(to_natural(nan, scale))


def test_numbers_stand_on_the_natural_scale_and_errors_on_their_own():
    row = to_json(RESULT)["estimates"][0]
    assert (row["estimate"], row["conf_low"]) == (ODDS.natural().value, ODDS.natural().interval.low)
    assert (row["std_error"], row["scale"]) == (0.0928, "log")


def test_a_failure_is_null_with_its_cause():
    row = to_json(RESULT)["estimates"][1]
    assert (row["estimate"], row["conf_low"], row["conf_level"], row["status"]) == (None, None, None, "separation")
    assert row["notes"] == [Status.SEPARATION.text]


def test_results_fit_their_schema():
    jsonschema = pytest.importorskip("jsonschema")
    jsonschema.Draft202012Validator.check_schema(results_schema())
    jsonschema.Draft202012Validator(results_schema()).validate(json.loads(to_bytes(to_json(RESULT))))


def test_other_keys_do_not_fit_the_schema():
    jsonschema = pytest.importorskip("jsonschema")
    validator = jsonschema.Draft202012Validator(results_schema())
    tree = to_json(RESULT)
    assert not validator.is_valid({**tree, "path": "registry.csv"})
    assert not validator.is_valid({**tree, "blocks": [{**tree["blocks"][0], "kind": "survival-curve"}]})
    assert not validator.is_valid({**tree, "details": {"A1": {"list": [1]}}})


def test_written_read_and_written_again_is_the_same():
    written = to_bytes(to_json(RESULT))
    back = from_json(json.loads(written))
    assert to_bytes(to_json(back)) == written
    assert back.estimates[0].estimate.natural() == ODDS.natural()
    assert back.estimates[0].subgroup == Subgroup("age", "<65")
    assert (back.flow, back.table_one, back.analyses, back.details) == (
        RESULT.flow, RESULT.table_one, RESULT.analyses, RESULT.details,
    )  # fmt: skip


def test_the_text_of_a_status_is_no_note_when_read():
    assert from_json(to_json(RESULT)).estimates[1].estimate.notes == ()


def test_an_open_end_of_an_interval_stays_open():
    estimate = replace(ODDS, interval=Interval(-0.5, inf, 0.95, "profile"))
    back = from_json(json.loads(to_bytes(to_json(replace(RESULT, estimates=(row_of(estimate),))))))
    assert back.estimates[0].estimate.interval.high == inf


def test_an_undefined_number_of_table_one_is_null():
    row = TableOneRow(variable="age", group="iabp", n=0, missing=4, mean=nan)
    tree = to_json(replace(RESULT, table_one=(row,)))
    assert tree["table_one"][0]["mean"] is None
    assert isnan(from_json(tree).table_one[0].mean)


def test_numbers_of_libraries_are_plain():
    row = TableOneRow(variable="age", group="iabp", n=np.int64(4), mean=np.float64(3.5))
    tree = to_json(replace(RESULT, table_one=(row,), details={"A1": {"pairs": np.int64(3)}}))
    assert json.loads(to_bytes(tree))["details"] == {"A1": {"pairs": 3}}


def test_another_format_is_refused():
    with pytest.raises(ValueError, match="counterpulse/results/1"):
        from_json({**to_json(RESULT), "format": "counterpulse/results/0"})


SCALES = {"identity": 30.0, "log": 30.0, "logit": 30.0, "log-log": 3.0, "arcsine": 1.5}


@given(st.sampled_from(sorted(SCALES)), st.floats(-1, 1), st.floats(-1, 1))
def test_an_estimate_read_back_is_equal_on_the_natural_scale(scale, value, end):
    value, end = (max(0.0, x) if scale == "arcsine" else x for x in (value, end))
    ends = sorted((SCALES[scale] * value, SCALES[scale] * end))
    estimate = replace(ODDS, scale=scale, value=SCALES[scale] * value, interval=Interval(*ends, 0.95, "wald"))
    back = from_json(json.loads(to_bytes(to_json(replace(RESULT, estimates=(row_of(estimate),))))))
    assert back.estimates[0].estimate.natural() == estimate.natural()


@settings(max_examples=500)
@given(value=st.floats(-8, 8), scale=st.sampled_from(["log", "logit", "log-log"]))
def test_a_value_read_back_is_the_one_that_was_written(value, scale):
    natural = to_natural(value, scale)
    assert to_natural(_from_natural(natural, scale), scale) == natural

"""Cumulative incidences against R: survival's multi-state curves (delta variance) and cmprsk (Aalen's variance)."""

import json
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from counterpulse import survival

CLOSED_FORM = 1e-10  # relative; the curves are closed forms
ROUNDING = 1e-12  # absolute, where a value is zero but for rounding


@pytest.fixture(scope="module")
def reference():
    return json.loads((Path(__file__).parent / "reference" / "cumulative_incidence.json").read_text())


@pytest.fixture(scope="module")
def table(reference):
    return pl.DataFrame(reference["data"])


def stacked(curves, name):
    return np.concatenate([getattr(curve, name) for curve in curves])


def floats(values):
    return np.array(values, dtype=float)


def assert_like_survfit(found, expected):
    np.testing.assert_allclose(stacked(found, "time"), expected["time"], rtol=CLOSED_FORM)
    np.testing.assert_allclose(stacked(found, "at_risk"), expected["n.risk"], rtol=CLOSED_FORM)
    for ours, theirs in (("incidence", "incidence"), ("std_error", "std_error")):
        np.testing.assert_allclose(stacked(found, ours), floats(expected[theirs]), rtol=CLOSED_FORM, atol=ROUNDING)
    some = stacked(found, "incidence") > 0
    for name in ("low", "high"):
        np.testing.assert_allclose(
            stacked(found, name)[some], floats(expected[name])[some], rtol=CLOSED_FORM, atol=ROUNDING
        )


@pytest.mark.parametrize("interval", ["plain", "log", "log-log"])
def test_curves_like_survfit(reference, table, interval):
    found = survival.cumulative_incidence(table, time="time", event="cause", by="arm", interval=interval)
    assert_like_survfit(found, reference["exact"][interval])


def test_tied_times_like_survfit(reference, table):
    found = survival.cumulative_incidence(table, time="tied", event="cause", by="arm", interval="plain")
    assert_like_survfit(found, reference["tied"]["plain"])


def test_late_entry_like_survfit(reference, table):
    found = survival.cumulative_incidence(table, time="time", event="cause", start="begin", interval="plain")
    (curve,) = found
    expected = reference["late"]["plain"]
    at = np.searchsorted(expected["time"], curve.time)
    np.testing.assert_allclose(curve.incidence, floats(expected["incidence"])[at], rtol=CLOSED_FORM, atol=ROUNDING)


@pytest.mark.parametrize("time", ["time", "tied"])
def test_aalens_variance_like_cmprsk(reference, table, time):
    expected = reference["cuminc_exact" if time == "time" else "cuminc_tied"]
    found = survival.cumulative_incidence(table, time=time, event="cause", by="arm", variance="aalen")
    for name, incidence, variance in zip(expected["names"], expected["incidence"], expected["variance"], strict=True):
        group, cause = name.split()
        curve = found.curve(group)
        at = np.searchsorted(curve.time, expected["times"], side="right") - 1
        known = (at >= 0) & np.array([value is not None for value in incidence])
        column, k = int(cause) - 1, at[known]
        np.testing.assert_allclose(curve.incidence[k, column], floats(incidence)[known], rtol=CLOSED_FORM)
        np.testing.assert_allclose(
            curve.std_error[k, column] ** 2, floats(variance)[known], rtol=CLOSED_FORM, atol=ROUNDING
        )

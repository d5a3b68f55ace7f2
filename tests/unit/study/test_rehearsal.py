import shutil

import pytest

from counterpulse.errors import UsageError
from counterpulse.examples import __path__ as examples
from counterpulse.study import rehearse


@pytest.fixture
def protocol(tmp_path):
    """The shipped registry without its data."""
    source = f"{next(iter(examples))}/ecls_registry"
    shutil.copytree(source, tmp_path / "study")
    for name in ("registry.csv", "registry.gas.csv"):
        (tmp_path / "study" / name).unlink(missing_ok=True)
    return tmp_path / "study" / "ecls-registry.protocol.yaml"


def test_every_analysis_runs_without_data_and_nothing_is_hidden(protocol):
    result = rehearse(protocol)
    assert result.data_kind == "mock"
    assert len(result.analyses) == 23
    assert result.plan["protocol"]["privacy"] == {"small_cells": 0}
    assert all(step.n is not None for step in result.flow)


@pytest.mark.slow
def test_it_is_the_same_twice(protocol):
    assert repr(rehearse(protocol)) == repr(rehearse(protocol))  # undefined values differ from themselves


def test_rules_that_no_dummy_patient_fulfills_are_told(protocol):
    text = protocol.read_text(encoding="utf-8")
    protocol.write_text(text.replace("rule: age >= 18,", "rule: age >= 18 and age < 18,"), encoding="utf-8")
    with pytest.raises(UsageError, match="cannot be rehearsed") as error:
        rehearse(protocol)
    assert "/patients.csv" not in str(error.value)

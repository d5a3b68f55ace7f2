"""The made-up study as fixtures."""

from __future__ import annotations

from dataclasses import replace

import pytest
from made_up_study import make_plan, make_result

from counterpulse.protocol.plan import Plan
from counterpulse.results import StudyResult


@pytest.fixture(scope="session")
def plan() -> Plan:
    return make_plan()


@pytest.fixture(scope="session")
def result() -> StudyResult:
    return make_result()


@pytest.fixture(scope="session")
def real_result(result) -> StudyResult:
    return replace(result, data_kind="real")

"""The reports of the shipped studies, read as a copy editor does, in the style of every journal."""

import json

import pytest
from ward import call

from counterpulse.protocol.plan_on_disk import plan_from_json
from counterpulse.report import compose
from counterpulse.report.number_styles import STYLES
from counterpulse.report.proofreading import proofread
from counterpulse.results.on_disk import from_json

STUDIES = ("ecls-registry", "stanford-heart", "vsr-iabp", "ecpr-iabp", "iabp-shock")


@pytest.fixture(scope="module", params=STUDIES)
def study(request, tmp_path_factory):
    folder = tmp_path_factory.mktemp(request.param)
    call("example", request.param, folder)
    call("run", folder / f"{request.param}.protocol.yaml", "--out", folder / "report")
    read = (
        json.loads((folder / "report" / name).read_text(encoding="utf-8")) for name in ("results.json", "plan.json")
    )
    return from_json(next(read)), plan_from_json(next(read))


@pytest.mark.parametrize("style", STYLES)
def test_nothing_is_left_to_correct(study, style):
    assert proofread(compose(*study, style=style)) == ()

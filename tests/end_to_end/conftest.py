import json
from collections.abc import Callable
from pathlib import Path

import pytest

from counterpulse.cli.main import invoke

HERE = Path(__file__).parent


class Bundle:
    """What `counterpulse run` left behind: the rows of results.json by id."""

    def __init__(self, directory: Path, exit_code: int):
        self.directory, self.exit_code = directory, exit_code
        self.results = json.loads((directory / "results.json").read_text(encoding="utf-8"))
        self.estimates = {row["id"]: row for row in self.results["estimates"]}
        self.blocks = {block["id"]: block["columns"] for block in self.results["blocks"]}
        self.flow = {step["id"]: step for step in self.results["flow"]}

    def table_one(self, variable, level=None, group=None):
        return next(
            row
            for row in self.results["table_one"]
            if (row["variable"], row["level"], row["group"]) == (variable, level, group) and "contrast" not in row
        )


@pytest.fixture(scope="session")
def run_study(tmp_path_factory) -> Callable[[Path, Path | None], Bundle]:
    """Run a protocol as the command line does, once a test session."""
    done: dict[tuple[Path, Path | None], Bundle] = {}

    def run(protocol: Path, data: Path | None = None) -> Bundle:
        if (protocol, data) not in done:
            out = tmp_path_factory.mktemp(protocol.parent.name) / "bundle"
            where = [] if data is None else ["--data", str(data)]
            code = invoke(["run", str(protocol), *where, "--out", str(out), "--jobs", "1"])
            done[protocol, data] = Bundle(out, code)
        return done[protocol, data]

    return run

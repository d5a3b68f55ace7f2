"""A bundle is run again and compared: the same inputs must give the same numbers."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from counterpulse.numerics.workers import Jobs
from counterpulse.results.bundle import edited_outputs, read_outputs
from counterpulse.results.comparison import Change, changes
from counterpulse.results.on_disk import to_json
from counterpulse.study.load import find_protocol, read_study
from counterpulse.study.run import run

INPUTS = ("protocol_digest", "dictionary_digest", "data_digest", "seed", "software")


@dataclass(frozen=True, slots=True, kw_only=True)
class Verification:
    """What a second run gave.

    Attributes
    ----------
    protocol : the file that was run again
    inputs : what went in that is not what went in before
    numbers : what came out otherwise
    edited : outputs of the bundle that are no longer what the run wrote
    compared : how many estimates were compared
    """

    protocol: Path
    inputs: tuple[Change, ...]
    numbers: tuple[Change, ...]
    edited: tuple[str, ...]
    compared: int

    @property
    def holds(self) -> bool:
        """Whether every number came out again and no output was changed."""
        return not (self.numbers or self.edited)


def verify(directory: Path, *, data: Path | None = None, protocol: Path | None = None, jobs: Jobs = 1) -> Verification:
    """Run the study of a bundle again, and compare every number.

    Parameters
    ----------
    directory : the bundle
    data : the data file, if not where the protocol says
    protocol : the protocol file; by default the one with the bundle's digest beside the bundle, beside the data or here
    jobs : analyses and draws side by side, or the workers that take the draws

    Raises
    ------
    UsageError : the directory is no bundle, results.json or plan.json was edited, or the protocol is not found
    ProtocolError, DataError : the inputs cannot be read any more
    """
    (content,) = read_outputs(directory, ("results.json",))
    before = json.loads(content)
    study = before["study"]
    path = protocol or find_protocol(study["protocol_digest"], directory, data)
    plan, table = read_study(path, data=data)
    ran = [record["id"] for record in before["analyses"]]
    planned = [analysis.id for analysis in plan.analyses]
    result = run(
        plan, table, jobs=jobs,
        seed=study["seed"] if study["seed"] != plan.protocol.seed else None,
        only=() if ran == planned else [name for name in ran if name in planned],
    )  # fmt: skip
    found = changes(before, json.loads(json.dumps(to_json(result))))
    inputs = tuple(change for change in found if change.path[:1] == ("study",) and change.path[1] in INPUTS)
    return Verification(
        protocol=path, inputs=inputs, numbers=tuple(change for change in found if change not in inputs),
        edited=edited_outputs(directory), compared=len(before["estimates"]),
    )  # fmt: skip


def verification_lines(found: Verification, *, most: int) -> Iterator[str]:
    """A verification in lines: what changed among the inputs, then every number that did not come out again."""
    yield f"Ran {found.protocol.name} again: {found.compared} estimates compared."
    for change in found.inputs:
        yield f"  input     {change.where}: {_shown(change.before)}, now {_shown(change.after)}"
    for name in found.edited:
        yield f"  edited    {name} is not what the run wrote"
    for change in found.numbers[:most]:
        yield f"  differs   {change.where}: {_shown(change.before)}, now {_shown(change.after)}"
    if len(found.numbers) > most:
        yield f"  and {len(found.numbers) - most} more; --json lists them all."
    yield "Every number came out again." if found.holds else "The bundle does not verify."


def _shown(value: Any) -> str:  # noqa: ANN401  (any leaf of a result)
    if isinstance(value, Mapping | list):
        return f"{len(value)} entries"
    text = "nothing" if value is None else repr(value) if isinstance(value, float) else str(value)
    return text if len(text) <= 60 else f"{text[:57]}..."

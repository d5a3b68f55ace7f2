"""A result becomes a bundle: the report beside the numbers and the plan it was made from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path

from counterpulse.protocol.plan_on_disk import plan_from_json
from counterpulse.report.chapters.order import compose
from counterpulse.report.write import write_report
from counterpulse.results import StudyResult
from counterpulse.results.bundle import Written, to_bytes, write_bundle
from counterpulse.results.on_disk import to_json


def publish(
    result: StudyResult, directory: str | Path, *, style: str | None = None, private: Mapping[str, bytes] | None = None
) -> Written:
    """Write the bundle of a result: report, figures, tables, results.json, plan.json, manifest.

    Parameters
    ----------
    result : from `run`, or read back from a bundle
    directory : where the bundle stands; one that was there is replaced whole, unless a person edited it
    style : a journal's number style; default: the protocol's
    private : files that name patients, by relative name under ``private/``; they are not to be shared

    Returns
    -------
    Written : where the bundle is, and why it is not where it was asked for

    Raises
    ------
    UsageError : the place cannot be written, or there is no such style
    """
    plan = plan_from_json(result.plan)
    document = compose(result, plan, style=style)
    files = {
        **write_report(document, result, plan.protocol.report),
        "results.json": to_bytes(to_json(result)),
        "plan.json": to_bytes(result.plan),
        **(private or {}),
    }
    return write_bundle(Path(directory), files, identity={"study": asdict(result.identity)})

"""One number of a bundle: what it is, the rule behind it, the patients it rests on, the choices and their sources."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from counterpulse.errors import UsageError
from counterpulse.protocol.plan_on_disk import plan_from_json
from counterpulse.results import REFERENCES, StudyResult
from counterpulse.results.bundle import read_outputs
from counterpulse.results.on_disk import from_json
from counterpulse.source import did_you_mean
from counterpulse.study.reviewing.explained import studies_behind, study_lines

Json = Mapping[str, Any]


def read_result(directory: Path) -> StudyResult:
    """The result that a bundle holds, with its plan.

    Raises
    ------
    UsageError : the directory is not a bundle, or one of a version whose results or plan this one cannot read
    """
    return _read(directory)[0]


def _read(directory: Path) -> tuple[StudyResult, Json, Json]:
    """The result with its plan, and both as they stand on disk."""
    results, plan = map(json.loads, read_outputs(directory, ("results.json", "plan.json")))
    try:
        plan_from_json(plan)
        return replace(from_json(results), plan=plan), results, plan
    except (ValueError, KeyError, TypeError):
        raise UsageError(
            f"{directory} was written by another version, which this one cannot read. Run the study again."
        ) from None


def explain_number(directory: Path, number: str) -> dict[str, Any]:
    """Everything a bundle knows of one number: an estimate, a box of the flow, a block, or an analysis.

    Raises
    ------
    UsageError : the directory is not a bundle that can be read, or has no such id
    """
    _, results, plan = _read(directory)
    kinds = {"estimate": "estimates", "flow": "flow", "block": "blocks", "analysis": "analyses"}
    for kind, key in kinds.items():
        for row in results.get(key, []):
            if row["id"] == number:
                return {"kind": kind, "id": number, "row": row, **_context(kind, row, results, plan)}
    known = [row["id"] for key in kinds.values() for row in results.get(key, [])]
    hint = did_you_mean(number, known)
    raise UsageError(f"{directory} has no number '{number}'. {hint or 'The ids stand in results.json.'}")


def _context(kind: str, row: Json, results: Json, plan: Json) -> dict[str, Any]:
    if kind == "flow":
        place, _, name = row["id"].partition(".")
        if place == "flow":
            name = name.split(".", 1)[0]
            return {"rule": None, "box": next((box for box in plan.get("flow", []) if box["name"] == name), None)}
        return {"rule": next((item for item in plan.get("criteria", []) if item["id"] == name), None)}
    analysis_id = row["id"] if kind == "analysis" else row["analysis"]
    record: Json = next((item for item in results["analyses"] if item["id"] == analysis_id), {})
    planned: Json = next((item for item in plan.get("analyses", []) if item["id"] == analysis_id), {})
    outcome = plan.get("outcomes", {}).get(row.get("outcome", ""), {})
    return {
        "outcome": outcome,
        "method": record.get("method"),
        "composition": planned.get("composition", []),
        "sentence": planned.get("sentence", ""),
        "choices": record.get("choices", []),
        "citations": [REFERENCES[key] for key in record.get("citations", []) if key in REFERENCES],
        "flow": [step for step in results["flow"] if _leads_to(step["id"], analysis_id)],
        "studies": studies_behind(row, results),
        "study": results["study"],
    }


def _leads_to(step: str, analysis: str) -> bool:
    """Whether a step of the flow lies on the way to the patients of an analysis."""
    return step in ("read", "eligible", f"analyzed.{analysis}") or step.startswith(f"landmark.{analysis}.")


def explanation_text(found: Json) -> str:
    """An explanation as lines of text."""
    return "\n".join(_lines(found))


def _lines(found: Json) -> Iterator[str]:
    row = found["row"]
    yield found["id"]
    if found["kind"] == "flow":
        yield from _flow_lines(row, found)
        return
    if found["kind"] == "estimate":
        yield from _estimate_lines(row, found)
    if found["composition"]:
        yield f"  made of   {' + '.join(found['composition'])}"
    if found["sentence"]:
        yield f"  in words  {found['sentence']}"
    for step in found["flow"]:
        yield f"  {'rows    ' if found['study']['design'] == 'review' else 'patients'}  {step['label']}: {_counted(step['n'])}"
    yield from study_lines(found["studies"])
    first_told = {choice["name"]: choice for choice in reversed(found["choices"])}
    for choice in (choice for choice in found["choices"] if choice is first_told[choice["name"]]):
        yield f"  choice    {choice['name']}: {choice['value']} ({choice['origin']})"
    for citation in found["citations"]:
        yield f"  source    {citation}"


def _flow_lines(row: Json, found: Json) -> Iterator[str]:
    rule = found.get("rule")
    yield f"  {row['label']}: {_counted(row['n'])}{'' if rule is None else ' left out'}"
    if rule:
        yield f"  rule      {rule['rule']}"
        yield f"  in words  {rule['english']}"
        yield f"  unknown   {row.get('unknown', 0)}; then: {rule['if_unknown'] or 'not stated'}"
    if box := found.get("box"):
        yield f"  rule      {box['rule']}"
        yield f"  in words  {box['english']}"
    for group, count in row.get("by_group", {}).items() if rule is None else ():
        yield f"            {group}: {_counted(count)} patients"


def _counted(count: int | None) -> str:
    """A count, or a dash where there is none or it is not to be shown."""
    return "\N{EM DASH}" if count is None else str(count)


def _estimate_lines(row: Json, found: Json) -> Iterator[str]:
    against = f" against {row['reference']}" if row.get("reference") else ""
    yield f"  {row['measure']} of {row['term']}{against}"
    if row.get("estimate") is not None:
        yield f"  value     {row['estimate']!r}  ({row['conf_low']!r} to {row['conf_high']!r}, level {row['conf_level']}, {row['interval_method']})"
    if row.get("p_value") is not None:
        yield f"  P         {row['p_value']!r}  ({row['statistic_name']} = {row['statistic']!r})"
    if row.get("status") != "ok":
        yield f"  status    {row['status']}: {' '.join(row.get('notes', []))}"
    n, events, lost = (_counted(row[name]) for name in ("n", "events", "n_missing"))
    if row["n"] is not None or found["study"]["design"] != "review":
        yield f"  rests on  {n} patients, {events} events; {lost} left out for a missing value"
    for group in row.get("groups", []):
        yield f"            {group['group']}: {_counted(group['n'])} patients, {_counted(group['events'])} events"
    if found["outcome"]:
        yield f"  outcome   {found['outcome'].get('label')}: {found['outcome'].get('definition')}"

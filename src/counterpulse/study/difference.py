"""Two bundles side by side: which numbers moved, and which input moved them."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from counterpulse.results.bundle import read_outputs
from counterpulse.results.comparison import Change, changes
from counterpulse.study.reviewing.living import ReviewMove, move_lines, review_moves

Tree = Mapping[str, Any]
SHOWN = ("estimate", "conf_low", "conf_high", "p_value", "n", "events", "status")
IN_THE_PROTOCOL = ("format",)


@dataclass(frozen=True, slots=True, kw_only=True)
class Moved:
    """An estimate in both bundles, or in one of them (the other side is None)."""

    id: str
    before: Tree | None
    after: Tree | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """What two bundles do not share.

    Attributes
    ----------
    inputs : protocol, dictionary, data, seed and software that are not the same
    written : what the researcher wrote otherwise
    resolved : choices of the plan that came out otherwise
    flow : boxes of the participant flow with other counts
    estimates : estimates that moved, came or went
    others : everything else (Table 1, curves, details, warnings)
    review : pooled effects of a review that moved, with the studies that moved them
    """

    inputs: tuple[Change, ...]
    written: tuple[Change, ...]
    resolved: tuple[Change, ...]
    flow: tuple[Change, ...]
    estimates: tuple[Moved, ...]
    others: tuple[Change, ...]
    review: tuple[ReviewMove, ...] = ()

    @property
    def none(self) -> bool:
        """Whether the bundles say the same."""
        return not (self.inputs or self.written or self.resolved or self.flow or self.estimates or self.others)

    def as_json(self) -> dict[str, Any]:
        """For programs."""
        lists = {name: getattr(self, name) for name in ("inputs", "written", "resolved", "flow", "others")}
        return {
            name: [{"path": list(item.path), "kind": item.kind, "before": item.before, "after": item.after} for item in found]
            for name, found in lists.items()
        } | {
            "estimates": [{"id": item.id, "before": item.before, "after": item.after} for item in self.estimates],
            **({"review": [move.as_json() for move in self.review]} if self.review else {}),
        }  # fmt: skip


def diff(before: Path, after: Path) -> Difference:
    """Compare two bundles.

    Raises
    ------
    UsageError : one of them is no bundle, or was edited
    """
    (old, old_plan), (new, new_plan) = (_read(directory) for directory in (before, after))
    found = changes(old, new)
    plans = changes(_without(old_plan, "protocol"), _without(new_plan, "protocol"))
    estimates = [change for change in found if change.path[0] == "estimates"]
    return Difference(
        inputs=tuple(change for change in found if change.path[0] in ("study", "data_kind")),
        written=changes(old_plan["protocol"], new_plan["protocol"]),
        resolved=tuple(change for change in plans if change.path[0] not in ("protocol_digest", "dictionary_digest")),
        flow=tuple(change for change in found if change.path[0] == "flow"),
        estimates=tuple(_moved(estimates, old["estimates"], new["estimates"])),
        others=tuple(change for change in found if change.path[0] not in ("study", "data_kind", "flow", "estimates")),
        review=review_moves(old, new),
    )


def _read(directory: Path) -> tuple[Tree, Tree]:
    results, plan = read_outputs(directory, ("results.json", "plan.json"))
    return json.loads(results), json.loads(plan)


def _without(tree: Tree, name: str) -> Tree:
    return {key: value for key, value in tree.items() if key != name}


def _moved(found: Sequence[Change], before: Sequence[Tree], after: Sequence[Tree]) -> Iterator[Moved]:
    old, new = ({row["id"]: row for row in rows} for rows in (before, after))
    for name in dict.fromkeys(change.path[1] for change in found):
        yield Moved(id=name, before=_shown(old.get(name)), after=_shown(new.get(name)))


def _shown(row: Tree | None) -> Tree | None:
    return None if row is None else {name: row.get(name) for name in SHOWN}


def difference_lines(found: Difference) -> Iterator[str]:
    """Two bundles compared, in lines: inputs, what was written, choices, counts, estimates."""
    if found.none:
        yield "The two bundles say the same."
        return
    for title, listed in (
        ("Inputs", found.inputs), ("Protocol", found.written), ("Choices", found.resolved),
        ("Studies" if found.review else "Patients", found.flow),
    ):  # fmt: skip
        if listed:
            yield title
            yield from (f"  {change.where}: {_text(change.before)} -> {_text(change.after)}" for change in listed)
    if found.review:
        yield "Pooled effects"
        yield from move_lines(found.review)
    if found.estimates:
        yield "Estimates"
        yield from (f"  {item.id}: {_effect(item.before)} -> {_effect(item.after)}" for item in found.estimates)
    if found.others:
        counted: dict[str, int] = {}
        for change in found.others:
            counted[change.path[0]] = counted.get(change.path[0], 0) + 1
        yield f"Also: {', '.join(f'{name} ({number})' for name, number in counted.items())}; --json lists them."


def _effect(row: Tree | None) -> str:
    if row is None:
        return "absent"
    if row["estimate"] is None:
        return str(row["status"]) if row["p_value"] is None else f"P {row['p_value']:.4g}"
    ends = (
        ""
        if row["conf_low"] is None or row["conf_high"] is None
        else f" ({row['conf_low']:.4g} to {row['conf_high']:.4g})"
    )
    return f"{row['estimate']:.4g}{ends}{'' if row['n'] is None else ', n = ' + str(row['n'])}"


def _text(value: Any) -> str:  # noqa: ANN401  (any leaf of a plan)
    if value is None:
        return "nothing"
    text = json.dumps(value, ensure_ascii=False) if isinstance(value, Mapping | list) else str(value)
    return text if len(text) <= 100 else f"{text[:97]}..."

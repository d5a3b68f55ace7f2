"""A review run again: what moved between two bundles, and which study moved it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import isfinite
from typing import Any

import numpy as np
from numpy.typing import NDArray

from counterpulse.errors import InputError
from counterpulse.numerics.distributions import critical_value
from counterpulse.results.estimate import Scale
from counterpulse.study.reviewing.measures import on_scale
from counterpulse.synthesis.pooling.pool import pool

Tree = Mapping[str, Any]
Floats = NDArray[np.float64]
RELATIVE = 1e-9
"""Two runs of one version agree to the last bit; a pooled effect that moved less than this did not move."""
PARTS = (
    "estimate",
    "conf_low",
    "conf_high",
    "prediction_low",
    "prediction_high",
    "tau_squared",
    "i_squared",
    "studies",
    "certainty",
)
OF_VARIANCE = ("random", "common")


@dataclass(frozen=True, slots=True, kw_only=True)
class Mover:
    """A study that was added, removed or changed. `shift` is what the pooled effect owes to it, on the scale of pooling.

    It is the effect of the later bundle less the one it would give without this one change; None where that cannot be had.
    """

    study: str
    change: str
    shift: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewMove:
    """A pooled effect in both bundles (or in one), part by part, with the studies that moved it, the strongest first."""

    analysis: str
    outcome: str
    measure: str
    before: Tree | None
    after: Tree | None
    movers: tuple[Mover, ...]

    def as_json(self) -> dict[str, Any]:
        """For programs."""
        movers = [{"study": item.study, "change": item.change, "shift": item.shift} for item in self.movers]
        return {
            "analysis": self.analysis, "outcome": self.outcome, "measure": self.measure,
            "before": None if self.before is None else dict(self.before), "after": None if self.after is None else dict(self.after),
            "movers": movers,
        }  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Pooled:
    """A forest of one bundle: the parts of its total, and its studies as (effect, variance) on the scale of pooling."""

    measure: str
    parts: Tree
    studies: Mapping[str, tuple[float, float]]
    asked: Mapping[str, str] | None


def review_moves(before: Tree, after: Tree) -> tuple[ReviewMove, ...]:
    """Every pooled effect that is not the same in two bundles of a review; nothing of other studies.

    Parameters
    ----------
    before, after : results.json of the two bundles
    """
    if after["study"]["design"] != "review":
        return ()
    old, new = _forests(before), _forests(after)
    found = []
    for key in (*new, *(key for key in old if key not in new)):
        first, second = old.get(key), new.get(key)
        if first is not None and second is not None and _same(first, second):
            continue
        measure = (second or first).measure  # type: ignore[union-attr]
        movers = tuple(_movers(first, second)) if first is not None and second is not None else ()
        found.append(
            ReviewMove(
                analysis=key[0], outcome=key[1], measure=measure, before=None if first is None else first.parts,
                after=None if second is None else second.parts, movers=movers,
            )
        )  # fmt: skip
    return tuple(found)


def _forests(results: Tree) -> dict[tuple[str, str], _Pooled]:
    """The pooled effect of each analysis and outcome."""
    certainties = {
        row["outcome"]: row["certainty"]
        for block in results["blocks"] if block["kind"] == "summary-of-findings" for row in _rows(block)
    }  # fmt: skip
    scales = {
        (row["analysis"], row["outcome"]): (row["scale"], row["conf_level"])
        for row in reversed(results["estimates"])
        if row["role"] != "covariate"
    }
    asked = {item["id"]: _asked(item) for item in results["analyses"]}
    found = {}
    for block in results["blocks"]:
        if block["kind"] != "study-forest":
            continue
        analysis, outcome = block["analysis"], block["id"].split(".")[1]
        rows = _rows(block)
        total = next((row for row in rows if row["role"] == "total"), None)
        scale, level = scales.get((analysis, outcome), ("identity", None))
        if total is None:
            continue
        own = [row for row in rows if row["role"] == "study" and row["estimate"] is not None]
        new = next((row for row in rows if row["role"] == "prediction" and row["subgroup"] is None), {})
        parts = {
            "estimate": total["estimate"], "conf_low": total["conf_low"], "conf_high": total["conf_high"],
            "prediction_low": new.get("conf_low"), "prediction_high": new.get("conf_high"), "tau_squared": total["tau_squared"],
            "i_squared": total["i_squared"], "studies": len(own), "certainty": certainties.get(outcome),
        }  # fmt: skip
        studies = {row["study"]: _effect(row, scale, level or 0.95) for row in own}
        found[analysis, outcome] = _Pooled(total["measure"], parts, studies, asked.get(analysis))
    return found


def _rows(block: Tree) -> list[dict[str, Any]]:
    columns = block["columns"]
    return [dict(zip(columns, values, strict=True)) for values in zip(*columns.values(), strict=True)]


def _asked(analysis: Tree) -> Mapping[str, str] | None:
    """How an analysis pools by inverse variance; None where it pools otherwise."""
    choices = {item["name"]: item["value"] for item in analysis["choices"]}
    if analysis["method"] != "meta-analysis" or choices.get("model") not in OF_VARIANCE:
        return None
    return {"tau2": "common" if choices["model"] == "common" else str(choices["tau2"])}


def _effect(row: Tree, scale: Scale, level: float) -> tuple[float, float]:
    """A study's effect and variance on the scale of pooling, from its estimate and limits."""
    try:
        low, high = on_scale(row["conf_low"], scale), on_scale(row["conf_high"], scale)
        return float(on_scale(row["estimate"], scale)), ((high - low) / (2 * critical_value(level))) ** 2
    except (ValueError, ZeroDivisionError, TypeError):
        return float("nan"), float("nan")


def _same(first: _Pooled, second: _Pooled) -> bool:
    return set(first.studies) == set(second.studies) and all(
        _close(first.parts[name], second.parts[name]) for name in PARTS
    )


def _close(one: Any, other: Any) -> bool:  # noqa: ANN401  (a number, a word or nothing)
    if isinstance(one, float | int) and isinstance(other, float | int):
        return abs(one - other) <= RELATIVE * max(abs(one), abs(other), 1e-12)
    return bool(one == other)


def _movers(first: _Pooled, second: _Pooled) -> Iterator[Mover]:
    """The studies that are not the same in both, with what each does to the later pooled effect."""
    names = dict.fromkeys((*first.studies, *second.studies))
    changed = {}
    for name in names:
        old, new = first.studies.get(name), second.studies.get(name)
        if old is None or new is None:
            changed[name] = "added" if old is None else "removed"
        elif not all(_close(a, b) for a, b in zip(old, new, strict=True)):
            changed[name] = "changed"
    shifts = {name: _shift(name, first, second) for name in changed}
    for name in sorted(changed, key=lambda name: (-abs(shifts[name] or 0.0), name)):
        yield Mover(study=name, change=changed[name], shift=shifts[name])


def _shift(name: str, first: _Pooled, second: _Pooled) -> float | None:
    """The later pooled effect less the one without the change of one study."""
    if second.asked is None:
        return None
    without = {other: effect for other, effect in second.studies.items() if other != name}
    if name in first.studies:
        without[name] = first.studies[name]
    whole, rest = (_effect_of(list(studies.values()), second.asked) for studies in (second.studies, without))
    return None if whole is None or rest is None else whole - rest


def _effect_of(studies: Sequence[tuple[float, float]], asked: Mapping[str, str]) -> float | None:
    values = np.array(studies, dtype=float).reshape(-1, 2)
    try:
        effect = pool(values[:, 0], values[:, 1], tau2=asked["tau2"]).effect
    except InputError:
        return None
    return effect if isfinite(effect) else None


def move_lines(moves: Sequence[ReviewMove]) -> Iterator[str]:
    """What moved, in lines."""
    for move in moves:
        yield f"  {move.analysis}, {move.outcome} ({move.measure})"
        if move.before is None or move.after is None:
            yield f"    {'new' if move.before is None else 'gone'}"
            continue
        yield from (f"    {line}" for line in _parts(move.before, move.after))
        if not move.movers:
            yield "    the studies are the same; the choices are not"
        for mover in move.movers:
            by = (
                ""
                if mover.shift is None
                else f"; it moves the pooled effect by {_shown_shift(mover.shift, move.measure)}"
            )
            yield f"    {mover.study}: {mover.change}{by}"


def _parts(before: Tree, after: Tree) -> Iterator[str]:
    for title, names in (
        ("estimate", ("estimate", "conf_low", "conf_high")), ("a new study", ("prediction_low", "prediction_high")),
        ("variance between studies", ("tau_squared",)), ("I-squared", ("i_squared",)), ("studies", ("studies",)),
        ("certainty", ("certainty",)),
    ):  # fmt: skip
        old, new = ([side.get(name) for name in names] for side in (before, after))
        if not all(_close(a, b) for a, b in zip(old, new, strict=True)):
            yield f"{title}: {_shown(old)} -> {_shown(new)}"


def _shown(values: Sequence[Any]) -> str:
    texts = [
        "nothing" if value is None else f"{value:.4g}" if isinstance(value, float) else str(value) for value in values
    ]
    if len(texts) == 3:
        return f"{texts[0]} ({texts[1]} to {texts[2]})"
    return " to ".join(texts)


def _shown_shift(shift: float, measure: str) -> str:
    """A shift of a ratio as a factor, of anything else as a difference."""
    return f"a factor of {np.exp(shift):.3f}" if "ratio" in measure else f"{shift:+.4g}"

"""The options of a method: what the researcher wrote, else the default, each a named choice."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from pydantic import TypeAdapter, ValidationError

from counterpulse.data.terms import Term
from counterpulse.protocol.nodes import Analysis, TermSpec
from counterpulse.protocol.words import read_duration
from counterpulse.results import Choice, Origin
from counterpulse.source import did_you_mean
from counterpulse.study.catalog import LATER
from counterpulse.study.method_spec import MethodSpec, Option
from counterpulse.study.planning.adjustment import listed_terms
from counterpulse.study.planning.drafts import Desk, Draft
from counterpulse.study.planning.wording import term_text

OWN_KEYS = frozenset(Analysis.model_fields) - {"id", "role", "of", "label"}
YES_NO = {"yes": True, "no": False, "true": True, "false": False}


def _several(read: Callable[[Any], object]) -> Callable[[Any], tuple[object, ...]]:
    return lambda written: tuple(map(read, written if isinstance(written, list | tuple) else [written]))


READERS: Mapping[str, Callable[[Any], object]] = {
    "word": str,
    "words": _several(str),
    "number": float,
    "numbers": _several(float),
    "yes-no": lambda written: YES_NO[str(written).lower()],
    "length": read_duration,
    "lengths": _several(read_duration),
    "name": str,
    "names": _several(str),
}
EXAMPLES: Mapping[str, str] = {
    "number": "a number", "numbers": "numbers such as [0.25, 0.5, 0.75]", "yes-no": "yes or no", "length": "a length such as 60 days",
    "lengths": "lengths such as [30 days, 60 days]", "name": "a variable", "names": "variables",
    "terms": "a set of confounders, or a list",
}  # fmt: skip


def method_options(desk: Desk, draft: Draft, spec: MethodSpec) -> tuple[dict[str, object], list[Choice]]:
    """The value of every option of the method, and the choices they are."""
    given = dict(draft.node.options)
    for name in [name for name in given if spec.option(name) is None]:
        if name in LATER:
            desk.refuse(
                draft.where(name), "E601", f"analysis {draft.node.id}: '{name}' is not in this version",
                "", f"leave it out for now, or use {LATER[name]}",
            )  # fmt: skip
        else:
            known = sorted([option.name for option in spec.options] + sorted(OWN_KEYS))
            desk.refuse(
                draft.where(name), "E610", f"analysis {draft.node.id}: {spec.label} has no option '{name}'",
                ", ".join(known), did_you_mean(name, known) or "take it out",
            )  # fmt: skip
    values: dict[str, object] = {}
    choices: list[Choice] = []
    for option in spec.options:
        if option.required and option.name not in given:
            desk.refuse(
                draft.path, "E639", f"analysis {draft.node.id}: {spec.label} needs '{option.name}', {option.about}",
                f"{option.name}: {EXAMPLES.get(option.kind, 'a word')}", f"add {option.name} to the analysis",
            )  # fmt: skip
        value = option.default
        if option.name in given:
            read = _terms if option.kind == "terms" else _option_value
            value = read(desk, draft, spec, option, given[option.name])
        values[option.name] = value
        if value is not None and value != ():
            origin: Origin = "given" if option.name in given else "default"
            shown = ", ".join(map(term_text, value)) if option.kind == "terms" else plain(value)
            choices.append(Choice(option.name, shown, origin, option.cited(value)))
    return values, choices


def further_terms(spec: MethodSpec, options: Mapping[str, Any]) -> tuple[Term, ...]:
    """Terms of models that options name: their variables are needed like those of `adjust`."""
    return tuple(term for option in spec.options if option.kind == "terms" for term in options[option.name])


LISTED: TypeAdapter[str | tuple[TermSpec, ...]] = TypeAdapter(str | tuple[TermSpec, ...])


def _terms(desk: Desk, draft: Draft, spec: MethodSpec, option: Option, written: object) -> object:
    """A set of confounders or a list of terms."""
    try:
        read = LISTED.validate_python(written)
    except ValidationError:
        read = ""
    sets = desk.nodes.confounders
    listed = sets.get(read, (read,)) if isinstance(read, str) else read
    names = [
        name for item in listed for name in ([item] if isinstance(item, str) else item.interaction or [item.variable])
    ]
    if unknown := [name for name in names if name not in desk.variables]:
        desk.refuse(
            draft.where(option.name), "E611", f"analysis {draft.node.id}: '{option.name}' cannot be {written!r}",
            f"{EXAMPLES['terms']}: {', '.join(sets)}", did_you_mean(str(unknown[0]), [*sets, *desk.variables]) or "name variables of the study",
        )  # fmt: skip
        return option.default
    return listed_terms(desk, draft, spec, draft.node.outcomes, read, draft.where(option.name))


def _option_value(desk: Desk, draft: Draft, spec: MethodSpec, option: Option, written: object) -> object:
    try:
        value = READERS[option.kind](written)
    except (ValueError, TypeError, KeyError):
        value = None
    names = value if isinstance(value, tuple) else (value,)
    unknown = option.kind in ("name", "names") and any(name not in desk.variables for name in names)
    items = names if option.kind == "words" else (value,)
    if value is None or unknown or (option.allowed and any(item not in option.allowed for item in items)):
        allowed = ", ".join(option.allowed) or EXAMPLES.get(option.kind, "a word")
        desk.refuse(
            draft.where(option.name), "E611", f"analysis {draft.node.id}: '{option.name}' cannot be {written!r}", allowed,
            did_you_mean(str(written), list(option.allowed)) or f"the default is {plain(option.default)}",
        )  # fmt: skip
        return option.default
    return value


def plain(value: object) -> str | float | int | bool | None:
    """An option's value as a choice prints it."""
    if isinstance(value, tuple):
        return ", ".join(map(str, value))
    return value if isinstance(value, str | float | int | bool) or value is None else str(value)

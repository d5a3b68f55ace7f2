"""Write the generated part of reference/language.md from the program itself:  python docs/make_reference.py."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from counterpulse.describe import RULES
from counterpulse.protocol.schema import language_schema
from counterpulse.protocol.vocabulary import describe, example_at
from counterpulse.results import REFERENCES
from counterpulse.study.catalog import ESTIMATORS, LATER, METHODS
from counterpulse.study.method_spec import MethodSpec, Option
from counterpulse.study.planning.emulation import BY_KIND
from counterpulse.study.planning.immortal_time import MAKERS
from counterpulse.study.planning.method_options import plain

PAGE = Path(__file__).parent / "reference" / "language.md"
MARK = "<!-- From here on written by docs/make_reference.py; edit above this line only. -->"

Schema = dict[str, Any]
KeyPath = tuple[str | int, ...]


def page(text: str) -> str:
    """The page with everything below the mark made anew."""
    head, mark, _ = text.partition(MARK)
    assert mark, f"{PAGE.name} has lost its mark: {MARK}"
    return head + "\n".join([MARK, "", *_keys(), *_methods(), *_estimators(), *_table_one_rules(), *_later()])


# ---- The keys, block by block


def _keys() -> Iterator[str]:
    yield "## Every key"
    yield ""
    blocks = _blocks()
    for name, paths in blocks.items():
        schema = language_schema()["$defs"][name] if name else language_schema()
        yield f"### {_code(paths[0])}" if name else "### The file"
        yield ""
        also = f" Also under {', '.join(map(_code, paths[1:]))}." if paths[1:] else ""
        yield f"{schema['description']}{also}"
        yield ""
        yield "| key | what may stand there | default | meaning |"
        yield "|---|---|---|---|"
        for key, value in schema["properties"].items():
            required = key in schema.get("required", ())
            yield _row(
                f"`{key}`", _allowed(value, blocks), _default(value, required), _meaning((*paths[0], key), value)
            )
        yield ""


def _blocks() -> dict[str, list[KeyPath]]:
    """Every kind of block and the places where it stands, each followed by those inside it; the file itself is ''."""
    places: dict[str, list[KeyPath]] = {}

    def visit(name: str, path: KeyPath) -> None:
        known = name in places
        if path not in places.setdefault(name, []):
            places[name].append(path)
        if known:
            return
        schema = language_schema()["$defs"][name] if name else language_schema()
        for key, value in schema["properties"].items():
            for inner, place in _references(value, (*path, key)):
                visit(inner, place)

    visit("", ())
    return places


def _references(schema: Schema, path: KeyPath) -> Iterator[tuple[str, KeyPath]]:
    if "$ref" in schema:
        yield schema["$ref"].rpartition("/")[2], path
    for option in schema.get("anyOf", ()):
        yield from _references(option, path)
    if isinstance(schema.get("items"), dict):
        yield from _references(schema["items"], (*path, 0))
    for item in schema.get("prefixItems", ()):
        yield from _references(item, (*path, 0))
    if isinstance(schema.get("additionalProperties"), dict):
        yield from _references(schema["additionalProperties"], (*path, "NAME"))


def _code(path: KeyPath) -> str:
    return f"`{'.'.join(str(part) for part in path if isinstance(part, str))}`"


def _anchor(path: KeyPath) -> str:
    """The anchor that GitHub gives the heading of this path."""
    return re.sub(r"[^\w -]", "", _code(path).lower())


def _allowed(schema: Schema, blocks: dict[str, list[KeyPath]]) -> str:
    options = [option for option in schema.get("anyOf", [schema]) if option.get("type") != "null"]
    words = list(dict.fromkeys(_one(option, blocks) for option in options))
    if len(words) > 1 and words[1] == f"a list, each {words[0]}":
        words[1] = "a list of them"
    return ", or ".join(words)


def _one(schema: Schema, blocks: dict[str, list[KeyPath]]) -> str:
    if "$ref" in schema:
        place = blocks[schema["$ref"].rpartition("/")[2]][0]
        return f"[a block](#{_anchor(place)})"
    if "title" in schema:
        return re.split(r" \(| with |, such", schema["title"])[0]
    if "enum" in schema or "const" in schema:
        words = schema.get("enum", [schema.get("const")])
        return "yes or no" if True in words and "yes" in words else ", ".join(f"`{word}`" for word in words)
    if schema.get("type") == "array":
        items = schema.get("items") or {"anyOf": schema.get("prefixItems", [])}
        return f"a list, each {_allowed(items, blocks)}"
    if isinstance(schema.get("additionalProperties"), dict):
        return f"lines `name:` {_allowed(schema['additionalProperties'], blocks)}"
    return describe(schema) or ("anything" if "type" not in schema else "text")


def _default(schema: Schema, required: bool) -> str:
    if required:
        return "**required**"
    value = schema.get("default")
    return "" if value is None or isinstance(value, dict) else f"`{_shown(value)}`"


def _shown(value: object) -> str:
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(_shown, value))}]"
    return {True: "yes", False: "no"}[value] if isinstance(value, bool) else str(value)


def _meaning(path: KeyPath, schema: Schema) -> str:
    own = language_schema()["$defs"].get(schema.get("$ref", "").rpartition("/")[2], {})
    meaning = schema.get("description") or own.get("description", "")
    example = example_at(path) if "examples" in schema else None
    return f"{meaning} Example: `{example}`" if example else str(meaning)


def _row(*cells: str) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


# ---- The methods


def _methods() -> Iterator[str]:
    yield "## Every method"
    yield ""
    yield "The words that may stand after `method:` in an analysis, and the further keys that each brings."
    yield ""
    for spec in METHODS.values():
        yield f"### `{spec.name}`"
        yield ""
        yield f"{spec.about[0].upper()}{spec.about[1:]}. Computed by `{spec.calls}`."
        yield ""
        yield from _facts(spec)
        yield ""
        if spec.options:
            yield "| key | what may stand there | default | meaning | source |"
            yield "|---|---|---|---|---|"
            yield from (_option(option) for option in spec.options)
            yield ""
        if spec.citations:
            yield "Sources: " + " · ".join(REFERENCES[key] for key in spec.citations)
            yield ""


def _estimators() -> Iterator[str]:
    yield "## Plans for immortal time with an estimator of their own"
    yield ""
    yield (
        "Words that may stand after `plan:` under `immortal_time:`; what they bring stands beside `plan`, and takes the place of the options of "
        "the method. The covariates are those of `adjust`."
    )
    yield ""
    for spec in ESTIMATORS.values():
        yield f"### `plan: {spec.name}`"
        yield ""
        yield f"{spec.about[0].upper()}{spec.about[1:]}. Computed by `{spec.calls}`."
        yield ""
        able = [name for name, method in METHODS.items() if spec.name in method.accepts]
        yield f"- methods: {_listed(able)}"
        yield from (f"- measures of a {kind} outcome: {_listed(known)}" for kind, known in BY_KIND[spec.name].items())
        yield ""
        yield "| key | what may stand there | default | meaning | source |"
        yield "|---|---|---|---|---|"
        yield from (_option(option) for option in spec.options)
        yield ""
        yield "Sources: " + " · ".join(REFERENCES[key] for key in spec.citations)
        yield ""


def _facts(spec: MethodSpec) -> Iterator[str]:
    yield f"- outcomes: {_listed(sorted(spec.outcomes))}"
    yield f"- measures: {_listed(spec.measures)}; the first where none is named"
    if spec.also:
        yield f"- besides, under `estimand: {{also: …}}` or `also:`: {_listed(spec.also)}"
    yield f"- adjusts for covariates: {'yes' if spec.adjustable else 'no'}"
    if spec.clusters:
        yield f"- clusters: {_listed([f'as: {word}' for word in spec.clusters])}"
    plans = [plan for plan, (_, sample) in MAKERS.items() if sample in spec.accepts]
    yield f"- plans for immortal time: {_listed(plans)}"
    if spec.checks:
        yield f"- `check:` {_listed(spec.checks)}"
    yield f"- subgroups: {'yes' if spec.subgroups else 'no'}"
    yield from (f"- {rule.name}: {rule.text}" for rule in spec.rules)


def _option(option: Option) -> str:
    kinds = {
        "number": "a number", "numbers": "a number, or a list", "yes-no": "yes or no", "length": "a length of time", "lengths": "a length of time, or a list",
        "name": "a variable", "names": "a variable, or a list", "word": "a word", "words": "a word, or several", "terms": "a set of confounders, or a list of terms",
    }  # fmt: skip
    allowed = ", ".join(f"`{word}`" for word in option.allowed) or kinds[option.kind]
    sources = [f"{value}: {REFERENCES[key]}" for value, key in option.references if key]
    sources += [REFERENCES[option.reference]] if option.reference else []
    default = f"`{plain(option.default)}`" if option.default not in (None, ()) else "none"
    return _row(f"`{option.name}`", allowed, default, option.about, "<br>".join(sources))


def _listed(words: Sequence[str]) -> str:
    return ", ".join(f"`{word}`" for word in words)


def _table_one_rules() -> Iterator[str]:
    yield "## Rules of Table 1"
    yield ""
    yield "The words that may stand after `rule:` under `table1`. A test is printed only with `report: {table1: {p_values: yes}}`."
    yield ""
    yield "| rule | what it does |"
    yield "|---|---|"
    yield from (_row(f"`{rule.name}`", rule.words()) for rule in RULES.values())
    yield ""


def _later() -> Iterator[str]:
    yield "## Words of later versions"
    yield ""
    yield "A protocol that uses one is told so, with its line, before anything runs (E601)."
    yield ""
    yield "| word | until then |"
    yield "|---|---|"
    yield from (_row(f"`{word}`", until) for word, until in LATER.items())
    yield ""


if __name__ == "__main__":
    PAGE.write_text(page(PAGE.read_text(encoding="utf-8")), encoding="utf-8")

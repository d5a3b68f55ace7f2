"""Every rule of the two draft protocols reads, checks against its dictionary, and has every form."""

import csv

import pytest
from ruamel.yaml import YAML

from counterpulse.expression import Symbol, check, parse, to_ars, to_english, to_polars, to_r

DRAFTS = ["ecls_registry_iabp", "altshock2"]
CONDITIONS = {"rule", "when", "received", "crossed_over", "lost", "keep"}


def levels_of(cell):
    return dict(pair.split("=", 1) for pair in cell.split("|")) if cell else None


def dictionary(path):
    with path.open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    return rows, {
        row["name"]: Symbol(
            row["name"], "number" if row["type"] == "integer" else row["type"], row["label"], row["unit"] or None, levels_of(row["levels"])
        )
        for row in rows
    }  # fmt: skip


def derived(protocol):
    for name, variable in protocol.get("variables", {}).items():
        if "rule" in variable:
            yield Symbol(name, "condition", variable["label"])
        elif "cases" in variable:
            yield Symbol(name, "category", variable["label"])
        else:
            yield Symbol(name, "number", variable["label"], variable["unit"])
    for name, population in protocol.get("populations", {}).items():
        yield Symbol(name, "condition", population["label"])


def rules(node):
    """Every condition of the protocol, wherever it stands."""
    if isinstance(node, list):
        for part in node:
            yield from rules(part)
    elif isinstance(node, dict):
        for key, value in node.items():
            if key in CONDITIONS and isinstance(value, str):
                yield value
            else:
                yield from rules(value)
        if isinstance(node.get("outcomes"), dict):
            yield from (outcome["event"] for outcome in node["outcomes"].values() if outcome["type"] == "binary")


@pytest.mark.parametrize("draft", DRAFTS)
def test_every_rule_of_the_drafts(draft, shared_path):
    protocol = YAML(typ="safe", pure=True).load(
        shared_path(f"protocols/{draft}.protocol.yaml").read_text(encoding="utf-8")
    )
    rows, scope = dictionary(shared_path(f"protocols/{draft}.dictionary.csv"))
    scope |= {symbol.name: symbol for symbol in derived(protocol)}
    texts = [*rules(protocol), *(row["applies_if"] for row in rows if row["applies_if"])]
    assert len(texts) >= 10
    for text in texts:
        expression = parse(text)
        assert check(expression, scope) == (), text
        for form in (to_polars, to_english, to_r, to_ars):
            form(expression, scope)


@pytest.mark.parametrize("draft", DRAFTS)
def test_every_value_and_timed_event_of_the_drafts(draft, shared_path):
    protocol = YAML(typ="safe", pure=True).load(
        shared_path(f"protocols/{draft}.protocol.yaml").read_text(encoding="utf-8")
    )
    _, scope = dictionary(shared_path(f"protocols/{draft}.dictionary.csv"))
    for outcome in protocol["outcomes"].values():
        if "value" in outcome:
            assert check(parse(outcome["value"]), scope, expect="number") == ()
        if outcome["type"] == "time-to-event" and outcome["event"] not in protocol["follow_up"]:
            assert check(parse(outcome["event"]), scope, expect="date") == ()

from __future__ import annotations

import re

import pytest

from counterpulse.protocol.schema import language_schema, protocol_schema
from counterpulse.protocol.words import americanize
from counterpulse.source import load_yaml

jsonschema = pytest.importorskip("jsonschema")


def errors(text, schema):
    validator = jsonschema.Draft202012Validator(schema)
    return [f"{error.json_path}: {error.message}" for error in validator.iter_errors(americanize(load_yaml(text).data))]


def test_it_is_a_schema():
    jsonschema.Draft202012Validator.check_schema(protocol_schema({}))


@pytest.mark.parametrize("name", ["ecls_registry_iabp", "altshock2"])
def test_the_drafts_fit(name, shared_path):
    text = shared_path(f"protocols/{name}.protocol.yaml").read_text(encoding="utf-8")
    assert errors(text, protocol_schema({})) == []


def test_the_review_draft_fits(shared_path):
    text = shared_path("design/protocol-language.md").read_text(encoding="utf-8")
    draft = re.search(r"```yaml\n(protocol: 1.*?)```", text, re.DOTALL)
    assert errors(draft[1], protocol_schema({})) == []


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("better: lower", "better: lowr"),
        ("  title: Balloon", "  tittle: Balloon"),
        ("alpha: 0.05", "alpha: 95"),
        ("at: 24 hours", "at: 24"),
        ("variable: pump_after", "variable: pump after"),
        ("  obese: {", "  3bese: {"),
    ],
)
def test_slips_do_not_fit(old, new, changed):
    assert errors(changed(old, new), protocol_schema({}))


def test_options_of_methods_are_added_to_an_analysis(changed):
    schema = protocol_schema({"penalty": {"enum": ["none", "firth"], "description": "The penalty."}})
    assert errors(changed("also: [cox]", "also: [cox], penalty: firth"), schema) == []
    assert errors(changed("also: [cox]", "also: [cox], penalty: fifth"), schema)
    assert errors(changed("also: [cox]", "also: [cox], penality: firth"), schema)


def test_every_key_of_the_language_is_described():
    schema = language_schema()
    silent = [
        f"{name}.{key}"
        for name, node in [("protocol", schema), *schema["$defs"].items()]
        for key, value in node.get("properties", {}).items()
        if not (value.get("description") or "$ref" in value)
    ]
    assert silent == []
    assert all(node.get("description") for node in schema["$defs"].values())

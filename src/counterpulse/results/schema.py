"""The JSON Schema of results.json."""

from __future__ import annotations

from typing import Any, get_args

from counterpulse.results.block import KINDS
from counterpulse.results.block import schema as block_schema
from counterpulse.results.estimate import Scale
from counterpulse.results.provenance import Origin
from counterpulse.results.status import Status
from counterpulse.results.study_result import DataKind, Planned, Role

FORMAT = "counterpulse/results/1"
DIALECT = "https://json-schema.org/draft/2020-12/schema"

Schema = dict[str, Any]
TEXT: Schema = {"type": "string"}
TEXT_OR_NULL: Schema = {"type": ["string", "null"]}
NUMBER_OR_NULL: Schema = {"type": ["number", "null"]}
COUNT: Schema = {"type": "integer", "minimum": 0}
COUNT_OR_NULL: Schema = {"type": ["integer", "null"], "minimum": 0}
PROBABILITY_OR_NULL: Schema = {"type": ["number", "null"], "minimum": 0, "maximum": 1}
SCALAR: Schema = {"type": ["string", "number", "boolean", "null"]}
TEXTS: Schema = {"type": "array", "items": TEXT}


def results_schema() -> Schema:
    """Make the schema of results.json, draft 2020-12."""
    tree = _object(
        {
            "format": {"const": FORMAT},
            "data_kind": _words(DataKind),
            "study": _study(),
            "flow": _list(_flow()),
            "table_one": _list(_table_one()),
            "analyses": _list(_analysis()),
            "estimates": _list(_estimate()),
            "blocks": _list({"oneOf": [block_schema(kind) for kind in KINDS]}),
            "details": {"type": "object", "additionalProperties": {"type": "object", "additionalProperties": SCALAR}},
            "warnings": _list(_object({"code": TEXT, "where": TEXT, "text": TEXT})),
        },
        optional=("flow", "table_one"),
    )
    return {"$schema": DIALECT, "title": "Results of a Counterpulse study", **tree}


def _study() -> Schema:
    digest = {"type": "string", "pattern": "^sha256:"}
    return _object(
        {
            "id": TEXT, "title": TEXT, "design": TEXT, "protocol_digest": digest, "dictionary_digest": digest,
            "data_digest": {"anyOf": [digest, {"type": "null"}]}, "seed": COUNT_OR_NULL,
            "software": {"type": "object", "additionalProperties": TEXT},
        }
    )  # fmt: skip


def _flow() -> Schema:
    by_group = {"type": "object", "additionalProperties": COUNT_OR_NULL}
    properties = {
        "id": TEXT, "label": TEXT, "kind": TEXT, "n": COUNT_OR_NULL, "n_alone": COUNT, "unknown": COUNT, "by_group": by_group,
    }  # fmt: skip
    return _object(properties, optional=("n_alone", "unknown", "by_group"))


def _table_one() -> Schema:
    numbers = ("mean", "sd", "median", "q1", "q3", "minimum", "maximum", "percent", "smd")
    optional: Schema = {
        "contrast": {"type": "array", "items": TEXT, "minItems": 2}, "n": COUNT, "missing": COUNT, "count": COUNT,
        "p_value": PROBABILITY_OR_NULL, "smd_denominator": TEXT, "test": TEXT, **dict.fromkeys(numbers, NUMBER_OR_NULL),
    }  # fmt: skip
    always = {"variable": TEXT, "level": TEXT_OR_NULL, "group": TEXT_OR_NULL}
    return _object(always | optional, optional=tuple(optional))


def _analysis() -> Schema:
    choice = _object({"name": TEXT, "value": SCALAR, "origin": _words(Origin), "reference": TEXT_OR_NULL})
    properties = {
        "id": TEXT, "role": TEXT, "label": TEXT, "method": TEXT, "choices": _list(choice), "n_missing": COUNT_OR_NULL,
        "citations": TEXTS, "of": TEXT,
    }  # fmt: skip
    return _object(properties, optional=("of",))


def _estimate() -> Schema:
    group = _object(
        {
            "group": TEXT,
            "n": COUNT_OR_NULL,
            "events": COUNT_OR_NULL,
            "person_time": NUMBER_OR_NULL,
            "risk": PROBABILITY_OR_NULL,
        }
    )
    level = {"type": ["number", "null"], "exclusiveMinimum": 0, "exclusiveMaximum": 1}
    return _object(
        {
            "id": TEXT, "analysis": TEXT, "model": TEXT_OR_NULL, "role": _words(Role), "outcome": TEXT,
            "population": TEXT, "subgroup": _or_null(_object({"variable": TEXT, "level": TEXT})),
            "variable": TEXT_OR_NULL, "term": TEXT, "reference": TEXT_OR_NULL, "measure": TEXT,
            "estimand": _or_null(_object({"kind": TEXT, "target": TEXT})), "better": TEXT_OR_NULL,
            "at": _or_null(_object({"time": {"type": "number"}, "unit": TEXT_OR_NULL})), "unit": TEXT_OR_NULL,
            "estimate": NUMBER_OR_NULL, "conf_low": NUMBER_OR_NULL, "conf_high": NUMBER_OR_NULL, "conf_level": level,
            "interval_method": TEXT_OR_NULL, "std_error": NUMBER_OR_NULL, "scale": _words(Scale),
            "statistic": NUMBER_OR_NULL, "statistic_name": TEXT_OR_NULL, "df": NUMBER_OR_NULL,
            "p_value": PROBABILITY_OR_NULL, "p_adjusted": PROBABILITY_OR_NULL, "n": COUNT_OR_NULL,
            "events": COUNT_OR_NULL, "n_missing": COUNT_OR_NULL, "groups": _list(group), "imputations": COUNT_OR_NULL,
            "fmi": NUMBER_OR_NULL, "clusters": COUNT_OR_NULL, "effective_n": NUMBER_OR_NULL, "method": TEXT,
            "planned": _words(Planned), "status": {"enum": [status.code for status in Status]}, "notes": TEXTS,
        }
    )  # fmt: skip


def _object(properties: Schema, *, optional: tuple[str, ...] = ()) -> Schema:
    required = [name for name in properties if name not in optional]
    return {"type": "object", "properties": properties, "required": required, "additionalProperties": False}


def _list(items: Schema) -> Schema:
    return {"type": "array", "items": items}


def _or_null(schema: Schema) -> Schema:
    return {"anyOf": [schema, {"type": "null"}]}


def _words(choice: Any) -> Schema:  # noqa: ANN401  (a Literal)
    return {"enum": list(get_args(choice))}

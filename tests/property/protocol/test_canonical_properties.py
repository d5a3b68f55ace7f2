"""A protocol's digest is of what is planned, not of how it is written down."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from counterpulse.errors import ProtocolError
from counterpulse.protocol import parse_protocol, protocol_digest
from counterpulse.source import load_yaml

NAMES = st.sampled_from(["age", "lactate", "scai", "pump", "größe"])
YES_NO = st.sampled_from([("yes", "true"), ("no", "false"), ("yes", "True"), ("no", "No")])
RULES = st.sampled_from(
    [
        "age >= 18",
        'scai in ("B", "C")',
        "not pump = yes and age > 3",
        "age between 2 and 4 or pump is missing",
        "-age * 2 < 3e2",
    ]
)


@st.composite
def protocols(draw):
    """A protocol as a tree whose leaves are pairs: two ways to write the same."""
    yes, words = draw(YES_NO), draw(st.text(st.sampled_from("abc äß'"), min_size=1).map(str.strip).filter(bool))
    rule = draw(RULES)
    twice = (rule, f"  ({rule})" if draw(st.booleans()) else rule.replace(" ", "  "))
    return {
        "protocol": (1, 1),
        "study": {"id": ("s", "s"), "title": (words, f" {words}  "), "design": ("cohort", "cohort")},
        "data": {"table": ("a.csv", "elsewhere.sav"), "dictionary": ("a.csv", "b.csv"), "id": ("pid", "pid")},
        "outcomes": {draw(NAMES): {"type": ("binary", "binary"), "event": twice, "primary": yes}},
        "populations": {draw(NAMES): {"rule": twice, "default": yes}},
        "analyses": [
            {"id": ("A1", "A1"), "population": (draw(NAMES),) * 2, "replacement": ("yes", "true"), "caliper": (2, 2.0)}
        ],
        "alpha": (0.05, 0.050),
    }


def written(part, which, random):
    """One of the two ways as YAML in flow style, the keys in any order."""
    if isinstance(part, dict):
        keys = random.sample(list(part), len(part)) if which else list(part)
        return "{" + ", ".join(f"{key}: {written(part[key], which, random)}" for key in keys) + "}"
    if isinstance(part, list):
        return "[" + ", ".join(written(item, which, random) for item in part) + "]"
    value = part[which]
    plain = not isinstance(value, str) or value.isalnum()
    return str(value) if plain else "'" + value.replace("'", "''") + "'"


def digest_of(text):
    return protocol_digest(parse_protocol(load_yaml(text)))


@given(protocols(), st.randoms(use_true_random=False))
@settings(max_examples=60, deadline=None)
def test_two_ways_to_write_the_same_have_one_digest(tree, random):
    assert digest_of(written(tree, 0, random)) == digest_of(written(tree, 1, random))


@given(protocols(), RULES, st.randoms(use_true_random=False))
@settings(max_examples=40, deadline=None)
def test_another_rule_has_another_digest(tree, rule, random):
    other = {**tree, "flow": {"lost": (rule, rule)}}
    assert digest_of(written(tree, 0, random)) != digest_of(written(other, 0, random))


LEAVES = (
    st.none()
    | st.booleans()
    | st.integers(-3, 3)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=6)
)
TREES = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES | st.just("id"), inner, max_size=3),
    max_leaves=6,
)
SECTIONS = st.sampled_from(
    ["study", "data", "tables", "time_zero", "trial", "eligibility", "groups", "exposure", "immortal_time", "follow_up",
     "variables", "populations", "flow", "outcomes", "confounders", "table1", "missing_data", "alpha", "seed",
     "intercurrent_events", "analyses", "subgroups", "amendments", "privacy", "report", "hypothesis"]
)  # fmt: skip


@given(st.dictionaries(SECTIONS, TREES, max_size=4), st.lists(TREES, max_size=2))
@settings(max_examples=150, deadline=None)
def test_whatever_stands_in_a_file_is_a_protocol_or_findings(tree, entries):
    file = load_yaml("protocol: 1\n", "study.yaml")
    mangled = type(file)(
        {**tree, "protocol": 1, "analyses": entries}, file.name, file.lines, file.text, file._values, file._keys
    )
    assert findings_of(mangled) is not None


def findings_of(file):
    try:
        parse_protocol(file)
    except ProtocolError as error:
        return [finding.text() for finding in error.findings]
    return []

import math
from pathlib import Path

import pytest

from counterpulse.errors import ProtocolError, UsageError
from counterpulse.source import load_yaml


def codes(error):
    return [finding.code for finding in error.value.findings]


def test_scalars_follow_yaml_1_2_and_keep_text_that_readers_expect():
    text = """
    a: yes
    b: no
    c: 1:1
    d: 2020-01-02
    e: [1, -2, 2.5, 1e3, .5]
    f: 007
    g: null
    h: "5"
    i: true
    j: !!str 5
    1: key
    k: .inf
    """
    data = load_yaml(text).data
    assert data["a"] == "yes"
    assert data["b"] == "no"
    assert data["c"] == "1:1"
    assert data["d"] == "2020-01-02"
    assert data["e"] == [1, -2, 2.5, 1000.0, 0.5]
    assert data["f"] == "007"
    assert data["g"] is None
    assert data["h"] == "5"
    assert data["i"] is True
    assert data["j"] == "5"
    assert data["1"] == "key"
    assert math.isinf(data["k"])


def test_a_yaml_1_1_directive_changes_nothing():
    assert load_yaml("%YAML 1.1\n---\na: yes\n").data == {"a": "yes"}


def test_positions_of_values_keys_and_nearest_parent():
    file = load_yaml("a: 1\nd: {e: [1, 25], f: ~}\nm:\n  q: 3\n", "p.yaml")
    value = file.position(("d", "e", 1))
    assert (value.line, value.column, value.width, value.excerpt) == (2, 12, 2, "d: {e: [1, 25], f: ~}")
    assert file.position(("d", "e"), key=True).column == 5
    missing = file.position(("m", "nothing", "here"))
    assert (missing.text(), missing.width) == ("p.yaml:3:1", 1)
    assert file.position(()).line == 1


def test_aliases_and_merge_keys():
    file = load_yaml("base: &b {p: 1, q: 2}\nm:\n  <<: *b\n  q: 3\nn: *b\n")
    assert file.data["m"] == {"p": 1, "q": 3}
    assert file.data["n"] == {"p": 1, "q": 2}
    assert file.position(("m", "p")).line == 1
    assert file.position(("m", "q")).line == 4


def test_every_duplicate_key_is_told():
    with pytest.raises(ProtocolError) as error:
        load_yaml("a: 1\na: 2\nb:\n  c: 1\n  'c': 2\n", "p.yaml")
    assert codes(error) == ["E202", "E202"]
    assert "line 1" in error.value.findings[0].seen
    assert error.value.findings[1].where.text() == "p.yaml:5:3"


@pytest.mark.parametrize(
    ("text", "code", "line", "column"),
    [
        ("a: b: c\n", "E203", 1, 5),
        ("a: 1\nfoo\nb: 2\n", "E204", 3, 1),
        ("a: 'x\nb: 2\n", "E205", 1, 4),
        ('a: "C:\\data"\n', "E206", 1, 8),
        ("a: [1, 2\nb: 3\n", "E207", 1, 4),
        ("a: {b: 1\n", "E207", 1, 4),
        ("a:\n  b: 1\n c: 2\n", "E208", 3, 2),
        ("- a\nc: 1\n", "E208", 2, 1),
        ("a: @x\n", "E209", 1, 4),
        ("a: *q\n", "E210", 1, 4),
        ("a: &a [*a]\n", "E210", 1, 8),
        ("a: 1\n---\nb: 2\n", "E211", 2, 1),
        ("[" * 200, "E212", 1, 62),
        ("a: !x 3\n", "E213", 1, 4),
        (": 1\n", "E214", 1, 1),
        ("<<: 3\n", "E215", 1, 5),
        ("a:\n\tb: 1\n", "E216", 2, 1),
        ("a:\n- b\n\t- c\n", "E216", 3, 1),
        ("a: - b\n", "E217", 1, 4),
        ("a: \x07b\n", "E102", 1, 4),
        ('a: "\\ud83d half"\n', "E102", 1, 4),
        ('a: "\\ude00\\ud83d"\n', "E102", 1, 4),
    ],
)
def test_a_mistake_has_a_code_a_place_and_a_remedy(text, code, line, column):
    with pytest.raises(ProtocolError) as error:
        load_yaml(text, "p.yaml")
    finding = error.value.findings[0]
    assert (finding.code, finding.where.line, finding.where.column) == (code, line, column)
    assert finding.remedy
    assert "^" in finding.text()


def test_two_escapes_of_json_are_one_character():
    assert load_yaml('{"\\ud83d\\ude00": "a\\ud83d\\ude00b \\u00e9"}').data == {"\U0001f600": "a\U0001f600b \u00e9"}


@pytest.mark.parametrize("text", ["", "# only a comment\n", "---\n", "~"])
def test_an_empty_file_is_told(text):
    with pytest.raises(ProtocolError) as error:
        load_yaml(text)
    assert codes(error) == ["E103"]


def test_aliases_that_explode_are_refused():
    lines = ["a0: &a0 [1, 2, 3, 4, 5, 6, 7, 8, 9]"]
    lines += [f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 9)}]" for i in range(1, 9)]
    with pytest.raises(ProtocolError) as error:
        load_yaml("\n".join(lines))
    assert codes(error) == ["E212"]


@pytest.mark.parametrize(
    ("encoding", "named"), [("utf-16", "UTF-16"), ("utf-16-le", "UTF-16"), ("latin-1", "Windows-1252")]
)
def test_another_encoding_is_named(tmp_path, encoding, named):
    path = tmp_path / "p.yaml"
    path.write_bytes("title: Zürich and some more text\n".encode(encoding))
    with pytest.raises(ProtocolError, match=named) as error:
        load_yaml(path)
    assert codes(error) == ["E101"]


def test_a_byte_order_mark_and_windows_line_ends_are_read(tmp_path):
    path = tmp_path / "p.yaml"
    path.write_bytes("a: Zürich\r\nb: [1,\r\n 2]\r\n".encode("utf-8-sig"))
    file = load_yaml(path)
    assert file.data == {"a": "Zürich", "b": [1, 2]}
    assert file.position(("b", 1)).line == 3


def test_a_missing_file_and_a_folder_are_usage_errors(tmp_path):
    with pytest.raises(UsageError, match="not there"):
        load_yaml(tmp_path / "none.yaml")
    with pytest.raises(UsageError, match="folder"):
        load_yaml(tmp_path)


def test_the_drafts_of_protocols_are_read(shared_path):
    folder: Path = shared_path("protocols")
    for path in folder.glob("*.yaml"):
        assert load_yaml(path).data["protocol"] == 1

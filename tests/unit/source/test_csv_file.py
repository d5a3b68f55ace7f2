import pytest

from counterpulse.errors import ProtocolError, UsageError
from counterpulse.source import parse_csv, read_csv_file


def values(file):
    return [[cell.value for cell in row] for row in file.rows]


@pytest.mark.parametrize("separator", [",", ";", "\t"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_separators_and_line_ends(separator, end):
    text = end.join([f"a{separator}b", "", f"1{separator}x", f"{separator}"])
    file = parse_csv(text, "d.csv")
    assert file.separator == separator
    assert values(file) == [["a", "b"], ["1", "x"]]
    assert file.rows[1][1].line == 3


def test_quotes_hold_separators_quotes_and_line_ends():
    file = parse_csv('a;b;"c;d"\n1;"x\ny"" z";3\n4;5;6\n', "d.csv")
    assert values(file) == [["a", "b", "c;d"], ["1", 'x\ny" z', "3"], ["4", "5", "6"]]
    assert (file.rows[1][2].line, file.rows[1][2].column) == (3, 8)
    assert file.rows[2][0].line == 4


def test_the_place_inside_a_quoted_cell_is_after_the_quote():
    file = parse_csv('a,b\n1,"x = 1"\n', "d.csv")
    cell = file.rows[1][1]
    assert (file.where(cell).column, file.inside(cell).column) == (3, 4)


def test_an_open_quote_and_an_empty_file_are_told():
    with pytest.raises(ProtocolError, match="never closed"):
        parse_csv('a,b\n1,"x\n', "d.csv")
    with pytest.raises(ProtocolError, match="empty"):
        parse_csv(" \n\n", "d.csv")


@pytest.mark.parametrize(("encoding", "warned"), [("utf-8-sig", 0), ("utf-16", 0), ("cp1252", 1), ("utf-16-le", 1)])
def test_encodings(tmp_path, encoding, warned):
    path = tmp_path / "d.csv"
    path.write_bytes("name,label\nort,Zürich und Köln\n".encode(encoding))
    file = read_csv_file(path, what="dictionary")
    assert file.rows[1][1].value == "Zürich und Köln"
    assert [finding.code for finding in file.findings] == ["W101"] * warned


def test_a_missing_file_is_a_usage_error(tmp_path):
    with pytest.raises(UsageError, match="dictionary"):
        read_csv_file(tmp_path / "none.csv", what="dictionary")

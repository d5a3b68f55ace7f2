"""With a threshold for small counts, no format tells one: pages, Word, PDF, pictures, tables and results say the same nothing."""

import csv
import io
import json
import re
import zipfile
from html import unescape
from html.parser import HTMLParser

import pytest
from pypdf import PdfReader
from ward import Ward, call

from counterpulse.errors import DONE

SMALL = 10
RARE, SEEN, LEFT = (
    "Rareword",
    "Seldomly",
    "Oddcase",
)  # a level of 4 patients, an outcome of 6, a criterion that removes 3
EXTREMES = ("0.0171", "77.71")  # the least and the greatest lactate; every other lies between 0.3 and 25
MARKERS = re.compile(r"ZQXJ|77[.\u00b7]7|0[.\u00b7]017|\b1971-")
COUNTED = re.compile(r"(?<![\w.,/\u00b7-])[1-9](?:/\d+| \(\d+(?:[.\u00b7]\d)?%?\))")
STUDY = """\
analyses:
  - {id: A1, role: primary, outcome: death_here, method: logistic-regression, adjust: baseline}
  - {id: P1, role: secondary, outcome: stroke_here, method: two-proportions}
  - {id: K1, role: secondary, outcome: death, method: kaplan-meier}
  - {id: C1, role: secondary, outcome: death, method: cox, adjust: [age]}
subgroups: {of: A1, by: [sex, kind]}
table1: {variables: [age, sex, kind, lactate]}
describe: {distributions: [lactate], crosstabs: [{rows: kind, columns: sex}], missingness: yes, centers: death_here}
privacy: {small_cells: 10}
report: {outputs: [html, docx, pdf, json], style: STYLE}
"""


def planted(folder, style):
    """A study in which few patients have a level, an outcome, a criterion, and one each the extremes."""
    ward = Ward(folder)
    columns = ward.columns
    n = len(columns["Age"])
    columns["Study number"] = [f"ZQXJ{row:04d}" for row in range(n)]
    columns["Kind"] = ["rare" if row in (3, 4, 50, 51) else "often" for row in range(n)]
    columns["Stroke"] = ["yes" if row in (5, 17, 29, 41, 66, 90) else "no" for row in range(n)]
    columns["Odd"] = ["yes" if row in (7, 70, 100) else "no" for row in range(n)]
    for row, value in zip((11, 12), EXTREMES, strict=True):
        columns["Lactate"][row] = value
    for column in ("Admission", "Death", "Stroke date", "Last seen"):
        columns[column] = [
            re.sub(r"^20(19|20|21)", lambda year: f"197{int(year[1]) - 18}", day) for day in columns[column]
        ]
    ward.dictionary += f"kind,Kind,Kind,category,,rare={RARE}|often=Often,,,,,,\nodd,Odd,Odd,yesno,,,,,,,,\n"
    ward.edit(
        "if_unknown: stop}\n",
        f"if_unknown: stop}}\n  exclude:\n    - {{id: odd, text: {LEFT}, rule: odd = yes, if_unknown: stop}}\n",
    )
    ward.edit("id: patient}", "id: patient, site: site}")
    ward.edit(
        "  death: {", f"  stroke_here: {{label: {SEEN}, type: binary, event: stroke = yes, better: lower}}\n  death: {{"
    )
    return ward.edit(ward.protocol[ward.protocol.index("analyses:") :], STUDY.replace("STYLE", style))


@pytest.fixture(scope="module", params=["plain", "jama", "lancet"])
def bundle(request, tmp_path_factory):
    ward = planted(tmp_path_factory.mktemp(request.param) / "study", request.param)
    said = ward.run()
    assert said.code == DONE, said.text
    return ward.bundle


class Rows(HTMLParser):
    """The text of a page, a line for each row of a table and for each other element."""

    def __init__(self, page):
        super().__init__()
        self.words = []
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        self.words.append(
            "\n" if tag in ("tr", "p", "li", "dt", "h1", "h2", "h3", "h4", "text", "figcaption", "caption") else " "
        )

    def handle_data(self, data):
        self.words.append(data)


def of_html(path):
    return "".join(Rows(path.read_text(encoding="utf-8")).words)


def of_svg(path):
    return "\n".join(map(unescape, re.findall(r"<(?:text|title|desc)[^>]*>([^<]*)<", path.read_text(encoding="utf-8"))))


def of_docx(path):
    """Every part, a line for each row of a table and for each paragraph."""
    lines = []
    with zipfile.ZipFile(path) as package:
        for name in package.namelist():
            if not name.endswith((".xml", ".rels")):
                continue
            part = package.read(name).decode("utf-8")
            rows = re.findall(r"<w:tr[ >].*?</w:tr>", part, re.DOTALL)
            rest = re.sub(r"<w:tbl>.*?</w:tbl>", "", part, flags=re.DOTALL)
            lines += [*rows, *re.split(r"</w:p>", rest)]
            lines += re.findall(r'descr="([^"]*)"', part)
    return "\n".join(unescape(re.sub(r"<[^>]*>", " ", line)).replace("\n", " ") for line in lines)


def of_pdf(path):
    reader = PdfReader(path)
    text = "\n".join(page.extract_text() for page in reader.pages) + str(reader.metadata)
    return text.replace("\N{WORD JOINER}", "")


READERS = {".html": of_html, ".svg": of_svg, ".docx": of_docx, ".pdf": of_pdf}


def texts(bundle):
    """What a person can read in each file that is shared."""
    found = {}
    for path in sorted(bundle.rglob("*")):
        name = path.relative_to(bundle).as_posix()
        if path.is_file() and not name.startswith("private/") and path.suffix != ".png":
            found[name] = READERS.get(path.suffix, lambda file: file.read_text(encoding="utf-8"))(path)
    return found


def test_no_value_of_a_patient_is_told(bundle):
    for name, text in texts(bundle).items():
        assert not MARKERS.search(text), (name, MARKERS.search(text))


def test_the_words_are_there_to_be_found(bundle):
    """The tests of this file can fail: each format is read, and names what is rare."""
    found = texts(bundle)
    for name in ("report.html", "report.docx", "report.pdf"):
        assert {RARE, SEEN, LEFT} <= set(re.findall(r"\w+", found[name])), name
    assert any(name.endswith(".svg") and LEFT in text for name, text in found.items())


@pytest.mark.parametrize("name", ["report.html", "report.docx", "report.pdf"])
def test_what_is_rare_stands_beside_no_number(bundle, name):
    """In rows of tables, in sentences, and in what pictures are said to show."""
    parts = [part for part in re.split(r"\n|[;,.] ", texts(bundle)[name]) if re.search(rf"\b({RARE}|{LEFT})\b", part)]
    assert len(parts) >= 5
    assert [part for part in parts if re.search("[1-9]", part)] == []


def test_no_count_below_the_threshold_has_a_share_or_a_total(bundle):
    """As 6/117 or 6 (5.1%), anywhere."""
    for name, text in texts(bundle).items():
        if not name.endswith((".csv", ".json")):
            assert [found[0] for found in COUNTED.finditer(text)] == [], name


def test_boxes_of_the_flow_hold_no_small_count(bundle):
    numbers = re.findall(r"\d+", of_svg(bundle / "figures" / "flow.svg"))
    assert [number for number in numbers if 0 < int(number) < SMALL] == []


def test_tables_and_results_hold_no_small_count(bundle):
    with io.StringIO((bundle / "tables/table_one.csv").read_text(encoding="utf-8-sig")) as file:
        rows = list(csv.DictReader(file))
    rare = [row for row in rows if row["level"] == "rare"]
    assert rare
    assert all(row["count"] == row["percent"] == "" for row in rare)
    assert all(row["minimum"] == row["maximum"] == "" for row in rows)
    results = json.loads((bundle / "results.json").read_text(encoding="utf-8"))
    (odd,) = [step for step in results["flow"] if step["label"] == LEFT]
    assert odd["n"] is None
    counted = [group for row in results["estimates"] for group in row["groups"]]
    assert not [group for group in counted if any(0 < (group[name] or 0) < SMALL for name in ("n", "events"))]
    strokes = [row for row in results["estimates"] if row["outcome"] == "stroke_here"]
    assert strokes
    assert {(row["status"], row["estimate"]) for row in strokes} == {("small-cell", None)}


def test_the_report_is_made_again_without_telling(bundle):
    before = texts(bundle)
    assert call("report", bundle).code == DONE
    assert texts(bundle) == before

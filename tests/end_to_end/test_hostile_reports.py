"""Studies whose words are meant to break a report, and studies with little to tell: whole bundles from the command line."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import re
import shutil
import subprocess
import zipfile
from html.parser import HTMLParser
from importlib.util import find_spec
from pathlib import Path
from xml.etree import ElementTree

import pytest
from browser import asked, browse, needs_browser
from pypdf import PdfReader
from ward import PROTOCOL, Ward, call

from counterpulse.errors import DONE, HAS_FINDINGS, PROTOCOL_INVALID, USAGE
from counterpulse.results.status import Status

WORDS = (
    "<script>alert(1)</script>", "&amp; & &lt;b&gt;", "#set page(width: 1pt) #x $x$ \\", "a\\b \"q\" 'q' `code`", "=cmd|' /C calc'!A0",
    "{{7*7}} ${7*7} %s {0}", "*bold* _x_ @ref <label> ~ [link] ^2", "[U+1F600] [U+0041]", "\u05e9\u05dc\u05d5\u05dd (12) abc",
    "\u0645\u0631\u062d\u0628\u0627 34%", "\u5fc3\u81d3\u75c5\uff08\u6771\u4eac\uff09\u3001", "\U0001f468\u200d\U0001f469\u200d\U0001f467 \U0001f44d\U0001f3fd",
    "e\u0301 a\u0308\u0323 Z\u0351\u0343", "x" * 300, "word " * 60, "\U0001f600\U0001f600", "\U000e0041\U00012000 \u2d63 \u16a0",
    "a\u202eb\u2066c\ufeff\u00ad", "@SUM(1+1)*cmd", "+1+1", "-2+3", "\abell\x7f", "]]> --> <!-- <![CDATA[", "tab\tand\nline\r\nend",
    "</title></svg><img src=x onerror=alert(1)>", "a\u2028b\u2029c\x85d", "javascript:alert(1)", "// /* */ = heading", "'; DROP TABLE", "= Heading",
    "- item", "/ term: x", "```raw", "a\u200bb", "\ufdfa", "\ud7b0\uac01", "\u0e01\u0e47 \u0e19\u0e35\u0e49", "\u0939\u093f\u0928\u094d\u0926\u0940", "a\ufdd0\uffff",
)  # fmt: skip
FIRST = (0, 19, 33)
"""Where the words of each study begin, so that each word stands in several places."""
STYLES = {0: "plain", 19: "lancet", 33: "nejm"}
FORMULA = tuple("=+-@\t\r")
NUMBER = re.compile(r"-?[\d.]+(e[-+]?\d+)?")
VOID = {"meta", "br", "rect", "path", "img", "link", "input", "hr"}
GROUPS = next(line for line in PROTOCOL.splitlines() if line.startswith("groups")) + "\n"
ANALYSES = PROTOCOL[PROTOCOL.index("analyses:") :]
CONVERSION_SECONDS = 120
AXE = find_spec("axe_core_python")
ASK = """
addEventListener('load', async () => {
  const frame = document.createElement('iframe');
  frame.width = 1400; frame.height = 900; frame.srcdoc = given.page;
  document.body.append(frame);
  await new Promise(done => frame.onload = done);
  frame.contentWindow.eval(given.axe);
  const said = await frame.contentWindow.axe.run(frame.contentDocument, {resultTypes: ['violations']});
  answer(said.violations.map(rule => [rule.id, rule.nodes[0].html.slice(0, 200)]));
});
"""


def hostile(folder, first):
    """A study all of whose labels are such words."""
    ward = Ward(folder)
    words = WORDS[first:] + WORDS[:first]
    rows = list(csv.reader(io.StringIO(ward.dictionary)))
    for at, row in enumerate(rows[2:]):
        row.extend([""] * (len(rows[0]) - len(row)))
        row[2], row[4] = words[at], words[at + 7][:20] if row[4] else ""
        codes = [part.split("=")[0] for part in row[5].split("|") if part]
        row[5] = "|".join(f"{code}={_level(words[at + k + 5])}" for k, code in enumerate(codes))
    rows.append(["kind", "Kind", words[20], "category", "", "a=<A>&|b=#B$|c==cmd", *[""] * 6])
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerows(rows)
    ward.dictionary = out.getvalue()
    ward.columns["Kind"] = ["abc"[row % 3] for row in range(120)]
    outcomes = {
        "death_here": {"label": words[16], "type": "binary", "event": "died = yes", "primary": "yes", "better": "lower"},
        "death": {"label": words[17], "type": "time-to-event", "event": "death", "horizon": "60 days", "time_unit": "days", "better": "lower"},
        "lac": {"label": words[18], "type": "continuous", "value": "lactate", "better": "lower"},
    }  # fmt: skip
    analyses = [
        {"id": "A1", "role": "primary", "outcome": "death_here", "method": "logistic-regression", "adjust": "baseline", "label": words[24]},
        {"id": "K1", "role": "secondary", "outcome": "death", "method": "kaplan-meier", "label": words[25]},
        {"id": "C1", "role": "secondary", "outcome": "death", "method": "cox", "adjust": ["age"]},
        {"id": "L1", "role": "exploratory", "outcome": "lac", "method": "linear-regression", "adjust": ["age", "sex"]},
        {"id": "S1", "role": "sensitivity", "of": "A1", "population": "old", "label": words[27]},
    ]  # fmt: skip
    criteria = [
        {"id": f"e{k}", "text": words[13 + k], "rule": f"age = {60 + k}", "if_unknown": "keep-patient"}
        for k in range(4)
    ]
    study = {
        "protocol": 1,
        "study": {
            "id": "ward", "title": words[0] + words[3] + words[9], "design": "cohort", "setting": words[1] + words[2], "funding": words[4],
            "ethics": words[5], "version": words[6], "data_seen_before_plan": "no",
            "registration": {"registry": words[8], "id": words[9], "date": "2019-01-01", "link": "javascript:alert(1)//" + words[11]},
        },
        "data": {"table": "ward.csv", "dictionary": "dictionary.csv", "one_row_per": "patient", "id": "patient", "site": "site"},
        "time_zero": "admitted",
        "eligibility": {
            "include": [{"id": "adult", "text": words[12], "rule": "age >= 18", "if_unknown": "stop"}], "exclude": criteria,
        },
        "groups": {
            "variable": "device", "treated": {"pump": words[14]}, "reference": {"none": words[15]}, "assigned_by": "clinician",
        },
        "follow_up": {"death": "death_date", "last_seen": "last_seen"},
        "outcomes": outcomes, "confounders": {"baseline": ["age", "sex", "kind"]},
        "populations": {"old": {"label": words[19], "rule": "age > 50", "if_unknown": "remove-patient"}},
        "missing_data": {"method": "complete-case"}, "seed": 1, "analyses": analyses,
        "amendments": [
            {"id": words[20], "date": "2020-01-01", "what": words[22], "why": words[23], "touches": ["A1"], "after_data_seen": "no"}
        ],
        "subgroups": {"of": "A1", "by": ["sex", "kind"]}, "table1": {"variables": ["age", "sex", "kind", "lactate", "bled"]},
        "describe": {
            "distributions": ["lactate"], "crosstabs": [{"rows": "kind", "columns": "sex"}], "missingness": "yes", "centers": "death_here",
        },
        "report": {
            "style": STYLES[first], "figures": {"format": ["tiff", "eps", "pdf"], "dpi": 72, "width": "one-column"},
            "separate_tables": "yes", "line_numbers": "yes",
        },
    }  # fmt: skip
    ward.protocol = json.dumps(study)  # in ASCII: every other character is an escape, some of them two
    return ward


def _level(words):
    return words.replace("|", "/").replace("=", ":")


@pytest.fixture(scope="module", params=FIRST)
def bundle(request, tmp_path_factory):
    ward = hostile(tmp_path_factory.mktemp(f"hostile{request.param}") / "study", request.param)
    said = ward.run()
    assert said.code == DONE, said.text
    return ward.bundle


class Tags(HTMLParser):
    """What a browser would make of a page: elements, attributes, and whether every element is closed."""

    def __init__(self, page):
        super().__init__()
        self.found, self.attributes, self.open = set(), [], []
        self.feed(page)

    def handle_starttag(self, tag, attributes):
        self.found.add(tag)
        self.attributes += attributes
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attributes):
        self.found.add(tag)
        self.attributes += attributes

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def test_nothing_in_the_page_is_markup_of_a_label(bundle):
    page = Tags((bundle / "report.html").read_text(encoding="utf-8"))
    assert page.open == []
    assert not page.found & {"script", "img", "iframe", "object", "form", "label"}
    assert not [name for name, _ in page.attributes if name.startswith("on")]
    links = [value for name, value in page.attributes if name in ("href", "src")]
    assert all(link.startswith(("#", "https://doi.org/")) for link in links)


def test_every_part_of_every_file_is_well_formed(bundle):
    pictures, documents = sorted(bundle.glob("figures/*.svg")), sorted(bundle.rglob("*.docx"))
    assert len(pictures) >= 5
    assert len(documents) >= 20
    for path in pictures:
        tags = {element.tag.rpartition("}")[2] for element in ElementTree.parse(path).iter()}
        assert tags <= {"svg", "title", "desc", "rect", "path", "text"}
        assert not re.search("[\u202a-\u202e\u2066-\u2069]", path.read_text(encoding="utf-8"))
    for path in documents:
        with zipfile.ZipFile(path) as package:
            for name in package.namelist():
                if name.endswith((".xml", ".rels")):
                    ElementTree.fromstring(package.read(name))
    for path in (bundle / "report.pdf", *bundle.glob("figures/*.pdf")):
        assert len(PdfReader(path).pages) >= 1
    for path in bundle.glob("figures/*.eps"):
        lines = path.read_bytes().decode("ascii").splitlines()
        assert lines[0].startswith("%!PS-Adobe-3.0 EPSF")
        assert lines[-1] == "%%EOF"


def test_no_cell_of_a_table_is_a_formula(bundle):
    tables = sorted(bundle.glob("tables/*.csv"))
    assert len(tables) >= 5
    for path in tables:
        cells = [cell for row in csv.reader(io.StringIO(path.read_text(encoding="utf-8-sig"))) for cell in row]
        assert not [cell for cell in cells if cell.startswith(FORMULA) and not NUMBER.fullmatch(cell)], path.name


def test_the_manifest_is_right_and_the_bytes_are_the_same_again(bundle):
    def digests():
        return {
            path.relative_to(bundle).as_posix(): f"sha256:{hashlib.sha256(path.read_bytes()).hexdigest()}"
            for path in bundle.rglob("*")
            if path.is_file()
        }

    before = digests()
    written = json.loads((bundle / "manifest.json").read_text(encoding="utf-8"))["outputs"]
    assert written == {name: digest for name, digest in before.items() if name != "manifest.json"}
    assert call("report", bundle).code == DONE
    assert digests() == before


def test_the_other_verbs_take_the_words(bundle):
    for arguments in (
        ["verify", bundle],
        ["explain", bundle, "A1.death_here.pump.odds-ratio"],
        ["diff", bundle, bundle],
    ):
        said = call(*arguments)
        assert said.code == DONE, said.text
    protocol, plan = bundle.parent / "ward.protocol.yaml", bundle.parent / "plan.docx"
    assert call("plan", protocol, "--sap", plan, "--shells", plan.with_suffix(".pdf")).code == DONE
    with zipfile.ZipFile(plan) as package:
        ElementTree.fromstring(package.read("word/document.xml"))


@needs_browser
@pytest.mark.skipif(AXE is None, reason="the checker axe is not installed here (pip install axe-core-python)")
@pytest.mark.parametrize("first", FIRST[:2])
def test_the_checker_of_accessibility_finds_nothing(first, tmp_path):
    ward = hostile(tmp_path / "study", first)
    ward.protocol = ward.protocol.replace(
        '"figures": {"format": ["tiff", "eps", "pdf"], ', '"outputs": ["html"], "figures": {'
    )
    assert ward.run().code == DONE
    page = (ward.bundle / "report.html").read_text(encoding="utf-8")
    page = re.sub(r'<meta http-equiv="Content-Security-Policy"[^>]*>\n', "", page)
    axe = (Path(AXE.origin).parent / "axe.min.js").read_text(encoding="utf-8")
    assert asked(tmp_path, ASK, axe=axe, page=page) == []
    seen = browse(ward.bundle / "report.html", "--dump-dom")
    assert "<script" not in seen


def test_a_word_processor_opens_the_words(bundle, tmp_path):
    office = shutil.which("soffice") or shutil.which("libreoffice")
    if not office:
        pytest.skip("LibreOffice is not installed")
    profile = f"-env:UserInstallation={(tmp_path / 'profile').as_uri()}"
    convert = [
        office,
        profile,
        "--headless",
        "--convert-to",
        "pdf",
        "--outdir",
        str(tmp_path),
        str(bundle / "report.docx"),
    ]
    subprocess.run(convert, check=True, capture_output=True, timeout=CONVERSION_SECONDS)
    assert len(PdfReader(tmp_path / "report.pdf").pages) > 10


# -- what odd studies say ------------------------------------------------------------------------------------------


class Told(HTMLParser):
    """The words of a page, a line for each paragraph, item, row and head."""

    def __init__(self, page):
        super().__init__()
        self.words, self.hidden = [], 0
        self.feed(page)

    def handle_starttag(self, tag, attributes):
        self.hidden += tag in ("style", "svg", "nav")
        self.words.append("\n" if tag in ("p", "li", "tr", "dt", "h1", "h2", "h3", "caption") else " ")

    def handle_endtag(self, tag):
        self.hidden -= tag in ("style", "svg", "nav")

    def handle_data(self, data):
        self.words.append("" if self.hidden else data.replace("\n", " "))


def told(ward):
    """The report as lines, its spaces single."""
    lines = "".join(Told((ward.bundle / "report.html").read_text(encoding="utf-8")).words).split("\n")
    return [" ".join(line.split()) for line in lines]


def only_page(ward, *options):
    """Run a study into a page alone, and read it."""
    ward.protocol += "report: {outputs: [html]}\n"
    said = ward.run(*options)
    assert said.code in (DONE, HAS_FINDINGS), said.text
    return " \n".join(told(ward))


@pytest.fixture
def ward(tmp_path):
    return Ward(tmp_path / "study")


def test_a_group_without_events_is_not_certain(ward):
    """One patient, no event: a difference with P < 0.001 would come of a variance of zero."""
    ward.columns["Device"] = ["pump" if row == 5 else "none" for row in range(120)]
    words = only_page(ward)
    assert "Death occurred in 0 of 1 patient (Pump)" in words
    assert "The risk at 60 days was 0.0% in Pump" in words
    assert Status.NO_GROUP_VARIANCE.text in words
    assert "One baseline characteristic had a standardized mean difference above 0.1" in words
    (row,) = [row for row in ward.results()["estimates"] if row["id"] == "K1.death.pump.risk-difference.60-days"]
    assert row["estimate"] is not None
    assert (row["conf_low"], row["conf_high"], row["p_value"]) == (None, None, None)


def test_nothing_is_said_of_an_effect_that_there_is_not(ward):
    ward.fill("Lactate", "")
    words = only_page(ward)
    assert "The odds ratio for Pump versus No pump could not be estimated." in words
    assert "the estimate is an effect only as far as" not in words
    assert "of 0 patients" not in words
    assert "The estimate is unbiased only if" not in words
    assert "This could not be estimated: the odds ratio of death in hospital (A1)" in words


def test_a_measure_that_failed_beside_one_that_did_not(ward):
    ward.edit(
        "  death: {", "  stay: {label: Stay, type: continuous, value: days, unit: days, better: lower, truncated_by: {death_here: worst-rank}}\n  death: {"
    ).edit(ANALYSES, "analyses:\n  - {id: W1, role: primary, outcome: stay, method: worst-rank}\n")  # fmt: skip
    words = only_page(ward)
    assert "This could not be estimated: the median difference of stay (W1)" in words
    assert "Not estimable days" not in words
    assert "could not be estimated (median-is-death) for 1 of 3 effects" in words


def test_what_was_not_run_is_not_said_to_be_done(ward):
    ward.protocol += "  - {id: S1, role: sensitivity, of: A1, adjust: [age]}\nsubgroups: {of: A1, by: [sex]}\n"
    words = only_page(ward, "--only", "K1", "--seed", "7")
    assert "Of the analyses described here, A1, C1, and S1 were not run." in words
    assert "secondary analyses were made without adjustment" not in words
    assert "Effects by a subgroup variable are exploratory" not in words
    assert "Adjustment covers only" not in words
    assert "Subgroups of A1: Sex Exploratory Stated in the protocol Not run" in words


def test_patients_chosen_by_their_outcome_have_no_risk(ward):
    ward.edit("design: cohort", "design: case-control").edit(
        ANALYSES,
        "analyses:\n  - {id: A1, role: primary, outcome: death_here, method: logistic-regression}\n"
        "  - {id: P1, role: secondary, outcome: death_here, method: two-proportions}\n",
    )
    assert "W603" in ward.check().text
    words = only_page(ward)
    assert "Death in hospital occurred in 25 of 56 patients (Pump) and 40 of 64 patients (No pump)." in words
    assert "25/56 (" not in words
    assert "Choice by outcome." in words


def test_the_dead_were_not_lost_at_a_landmark(ward):
    ward.edit(
        "  death: {", "  stay: {label: Stay, type: continuous, value: days, unit: days, better: lower, truncated_by: {death_here: survivors-only}}\n  death: {"
    ).edit(ANALYSES, "analyses:\n  - {id: M1, role: primary, outcome: stay, method: two-means}\n")  # fmt: skip
    words = only_page(ward)
    assert "65 had died." in words
    assert "landmark" not in words.partition("Reporting checklists")[0]


def test_every_group_is_counted(ward):
    ward.edit("{pump: Pump}", "{pump: Pump, other: Other}").define("pump=Pump|", "pump=Pump|other=Other|")
    ward.columns["Device"] = ["other" if row % 5 == 0 else device for row, device in enumerate(ward.columns["Device"])]
    words = only_page(ward)
    assert re.search(r"occurred in \d+ of \d+ patients \(Pump, \d+%\), \d+ of \d+ patients \(Other, \d+%\), and", words)


def test_a_study_of_one_group_tells_its_result(ward):
    ward.edit(GROUPS, "").edit("design: cohort", "design: single-arm").edit(
        "confounders: {baseline: [age, sex, lactate]}\n", ""
    ).edit(ANALYSES, "analyses:\n  - {id: K1, role: primary, outcome: death, method: kaplan-meier}\n")
    words = only_page(ward)
    assert re.search(
        r"Death \(primary analysis K1\)\. The risk at 60 days was [\d.]+% \(95% CI [\d.]+ to [\d.]+\)\.", words
    )
    assert "Risk, all," not in words


def test_a_registration_is_given_with_its_address(ward):
    link = "https://clinicaltrials.gov/study/NCT00000001"
    ward.edit(
        "registration: none",
        f"registration: {{registry: ClinicalTrials.gov, id: NCT00000001, date: 2018-01-01, link: '{link}'}}",
    )
    assert f"ClinicalTrials.gov NCT00000001, 2018-01-01, {link}" in only_page(ward)


def test_missing_values_are_told_as_the_protocol_wants(ward):
    assert "No value is missing." in only_page(ward)
    ward.columns["Lactate"][:9] = [""] * 9
    ward.protocol = ward.protocol.replace("outputs: [html]", "outputs: [html], table1: {show: [smd]}")
    assert ward.run().code == DONE
    table = next(line for line in told(ward) if line.startswith("Characteristic"))
    assert "Missing" not in table
    assert "No value is missing." not in " ".join(told(ward))


# -- files ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("outputs", "named"), [("[docx]", "report.docx"), ("[pdf]", "report.pdf"), ("[json]", ""), ("[]", "")]
)
def test_only_the_reports_asked_for_are_written_and_named(ward, outputs, named):
    ward.protocol += f"report: {{outputs: {outputs}}}\n"
    for said in (ward.run(), call("report", ward.bundle)):
        assert said.code == DONE
        assert said.out.rstrip().endswith(str(ward.bundle / named))
        assert sorted(path.name for path in ward.bundle.glob("report.*")) == ([named] if named else [])


@pytest.mark.parametrize("key", ["group_label", "analyses", "outcomes"])
def test_a_bundle_of_an_older_version_says_what_to_do(ward, key):
    ward.protocol += "report: {outputs: [json]}\n"
    assert ward.run().code == DONE
    file, manifest = ward.bundle / "plan.json", ward.bundle / "manifest.json"
    plan, outputs = json.loads(file.read_bytes()), json.loads(manifest.read_bytes())
    del plan[key]
    file.write_text(json.dumps(plan), encoding="utf-8")
    outputs["outputs"]["plan.json"] = f"sha256:{hashlib.sha256(file.read_bytes()).hexdigest()}"
    manifest.write_text(json.dumps(outputs), encoding="utf-8")
    for arguments in (["report", ward.bundle], ["explain", ward.bundle, "A1.death_here.pump.odds-ratio"]):
        said = call(*arguments)
        assert said.code == USAGE, said.text
        assert "another version" in said.err
        assert "Run the study again" in said.err


def test_two_documents_do_not_share_a_file(ward):
    ward.write()
    file = ward.directory / "plan.docx"
    said = call("plan", ward.path, "--sap", file, "--shells", ward.directory / "." / "plan.docx")
    assert said.code == USAGE
    assert "a file of its own" in said.err
    assert not file.exists()
    assert call("plan", ward.path, "--sap", ward.directory / "nowhere" / "plan.docx").code == USAGE


@pytest.mark.parametrize(
    "looks",
    ["figures: {format: [jpeg]}", "figures: {dpi: 20}", "figures: {width: 84 mm}", "outputs: [rtf]", "style: JAMA"],
)
def test_looks_that_do_not_exist_are_found_in_their_line(ward, looks):
    ward.protocol += f"report: {{{looks}}}\n"
    said = ward.check()
    assert said.code == PROTOCOL_INVALID
    assert f"ward.protocol.yaml:{ward.protocol.count(chr(10))}:" in said.text

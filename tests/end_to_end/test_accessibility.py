"""Every shipped study's page for those who do not see it, or see it small, enlarged, printed, or without colors."""

import re
from importlib.util import find_spec
from pathlib import Path

import pytest
from browser import asked, browse, needs_browser, printed
from pypdf import PdfReader
from ward import call

from counterpulse.errors import DONE

STUDIES = (
    "stanford-heart", "vsr-iabp", pytest.param("ecls-registry", marks=pytest.mark.slow), "ecpr-iabp", "iabp-shock",
)  # fmt: skip
AXE = find_spec("axe_core_python")
LARGEST = 1_500_000  # bytes of a page
POLICY = re.compile(r'<meta http-equiv="Content-Security-Policy"[^>]*>\n')
VIEWS = {"wide": 1400, "narrow": 320, "print": 1020}
PORTRAIT, LANDSCAPE = 673, 1001  # A4 without margins, in pixels
OF_LAYOUT = (
    "scrollable-region-focusable",
    "link-in-text-block",
    "region",
    "skip-link",
    "meta-viewport",
    "css-orientation-lock",
)
"""Rules whose answer a small window or print may change; the smallest study is asked every rule in every view."""
CALM = "axe = {run: async () => ({violations: [], passes: []})}"
ASK = """
addEventListener('load', async () => {
  const found = {};
  for (const [view, [width, page]] of Object.entries(given.views)) {
    const frame = document.createElement('iframe');
    frame.width = width; frame.height = 900; frame.srcdoc = page;
    document.body.append(frame);
    await new Promise(done => frame.onload = done);
    frame.contentWindow.eval(given.axe);
    const root = frame.contentDocument.documentElement;
    const only = view === 'wide' || !given.only.length ? {} : {runOnly: {type: 'rule', values: given.only}};
    const said = await frame.contentWindow.axe.run(frame.contentDocument, {resultTypes: ['violations'], ...only});
    found[view] = {
      violations: said.violations.map(rule => [rule.id, rule.impact, rule.nodes[0].html.slice(0, 200)]),
      tables: [...frame.contentDocument.querySelectorAll('table')].map(table => {
        const figure = table.closest('figure');
        return [figure.id, figure.classList.contains('wide'), table.offsetWidth];
      }),
      passes: said.passes.length, width: root.clientWidth, reaches: root.scrollWidth,
    };
    frame.remove();
  }
  answer(found);
});
"""


@pytest.fixture(scope="module", params=STUDIES)
def page(request, tmp_path_factory):
    """The page of a study, of the bundle as it ships."""
    folder = tmp_path_factory.mktemp(request.param)
    assert call("example", request.param, folder).code == DONE
    assert call("run", folder / f"{request.param}.protocol.yaml", "--out", folder / "report").code == DONE
    return folder / "report" / "report.html"


def in_print(words):
    """The page as in print, on a screen."""
    return words.replace("@media print", "@media all").replace("@media screen", "@media not all")


@needs_browser
@pytest.mark.skipif(AXE is None, reason="the checker axe is not installed here (pip install axe-core-python)")
def test_the_checker_finds_nothing(page, tmp_path):
    words = POLICY.sub("", page.read_text(encoding="utf-8"))
    views = {view: (width, in_print(words) if view == "print" else words) for view, width in VIEWS.items()}
    axe = (Path(AXE.origin).parent / "axe.min.js").read_text(encoding="utf-8")
    found = asked(tmp_path, ASK, axe=axe, views=views, only=() if "stanford" in words else OF_LAYOUT)
    assert found.keys() == VIEWS.keys(), found
    for view, said in found.items():
        assert said["violations"] == [], view
        assert said["passes"] > 1
        assert said["reaches"] <= said["width"], f"the {view} page must be scrolled sideways"


@needs_browser
def test_tables_fit_the_printed_page(page, tmp_path):
    words = in_print(POLICY.sub("", page.read_text(encoding="utf-8")))
    tables = asked(tmp_path, ASK, axe=CALM, views={"print": (PORTRAIT, words)}, only=())["print"]["tables"]
    assert [table for table in tables if table[2] > (LANDSCAPE if table[1] else PORTRAIT)] == []


@needs_browser
def test_the_checker_would_find_something(tmp_path):
    """The test above can fail."""
    bad = '<!doctype html><html><title>x</title><body><img src="x.png"><p style="color:#bbb;width:5000px">faint</p></body></html>'
    axe = (Path(AXE.origin).parent / "axe.min.js").read_text(encoding="utf-8")
    found = asked(tmp_path, ASK, axe=axe, views={"wide": (1400, bad)}, only=())["wide"]
    assert {"image-alt", "html-has-lang", "color-contrast"} <= {rule for rule, *_ in found["violations"]}
    assert found["reaches"] > found["width"]


@needs_browser
def test_every_printed_page_says_what_it_is(page, tmp_path):
    pages = PdfReader(printed(page, tmp_path / "printed.pdf")).pages
    texts = [" ".join(sheet.extract_text().split()) for sheet in pages]
    mark = re.search(r'<aside class="mark"[^>]*>([^<]*)<', page.read_text(encoding="utf-8"))
    for number, text in enumerate(texts, start=1):
        assert f"{number} / {len(texts)}" in text
        assert mark is None or mark[1] in text
    for sheet in pages:
        wide, tall = float(sheet.mediabox.width), float(sheet.mediabox.height)
        assert min(wide, tall) < 620
    assert not any(len(text) < 150 for text in texts[:-1]), "a page is nearly empty"


@needs_browser
def test_the_page_as_it_is_runs_nothing(page):
    """With its policy in place the page loads, and a script put into it does not run."""
    assert page.stat().st_size < LARGEST
    words = page.read_text(encoding="utf-8").replace("</body>", "<script>document.title = 'ran'</script></body>")
    page.with_name("scripted.html").write_text(words, encoding="utf-8")
    seen = browse(page.with_name("scripted.html"), "--dump-dom")
    page.with_name("scripted.html").unlink()
    assert "<title>ran</title>" not in seen
    assert 'id="report"' in seen

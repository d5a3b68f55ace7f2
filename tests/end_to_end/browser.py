"""A browser without a window, where there is one: pages as printed, and what a script in a page finds."""

import json
import os
import shutil
import subprocess
import tempfile
import urllib.parse
from html import unescape
from pathlib import Path

import pytest

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
PROGRAM = next(filter(None, map(shutil.which, NAMES)), None)
needs_browser = pytest.mark.skipif(PROGRAM is None, reason=f"no browser here (looked for {', '.join(NAMES)})")
OPTIONS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--disable-dev-shm-usage",
)  # fmt: skip
LIMIT = 300  # seconds


def browse(page, *options):
    """Open a page with some options; its standard output."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        command = [PROGRAM, *OPTIONS, f"--user-data-dir={profile}", *options, page.resolve().as_uri()]
        quiet = {**os.environ, "XDG_CONFIG_HOME": profile, "XDG_CACHE_HOME": profile}
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=LIMIT, check=True, env=quiet, encoding="utf-8"
        )
    return done.stdout


def printed(page, target):
    """Print a page as PDF."""
    browse(page, "--no-pdf-header-footer", f"--print-to-pdf={target}")
    return target


def asked(folder, script, **values):
    """What a script finds: it runs in an empty page that holds `values`, and calls `answer` with its findings, once."""
    page = Path(folder) / "asked.html"
    held = json.dumps(values).replace("<", "\\u003c")
    page.write_text(
        '<!doctype html><html lang="en"><title>Asked</title><body><pre id="answer"></pre><script>\n'
        f"const given = {held};\n"
        "const answer = found => document.getElementById('answer').textContent = encodeURIComponent(JSON.stringify(found));\n"
        "addEventListener('unhandledrejection', event => answer({failed: String(event.reason)}));\n"
        f"{script}\n</script></body></html>",
        encoding="utf-8",
    )
    said = browse(page, "--window-size=1600,1200", "--virtual-time-budget=60000", "--dump-dom")
    _, _, rest = said.partition('<pre id="answer">')
    return json.loads(urllib.parse.unquote(unescape(rest.partition("</pre>")[0])))

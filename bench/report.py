"""The report of a finished run, timed alone: ``python -m bench.report BUNDLE FOLDER``. Prints one line of JSON."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

from counterpulse.report.publishing import publish
from counterpulse.study import read_result

PAGES = ("report.html", "report.docx", "report.pdf")


def main(bundle: str, folder: str) -> None:
    result = read_result(Path(bundle))
    begin = time.perf_counter()
    written = publish(result, Path(folder)).directory
    seconds = time.perf_counter() - begin
    sizes = {name: (written / name).stat().st_size for name in PAGES}
    files = sum(path.is_file() for path in written.rglob("*"))
    print(json.dumps({"seconds": seconds, "sizes": sizes, "files": files}))


if __name__ == "__main__":
    main(*sys.argv[1:])

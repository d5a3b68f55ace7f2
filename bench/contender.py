"""One contender, one task, in a process of its own: ``python -m bench.contender NAME TASK FOLDER``. Prints one line of JSON."""

from __future__ import annotations

import json
import resource
import sys
import time
import warnings
from pathlib import Path

from bench.contenders import CONTENDERS
from bench.patients import read_table
from bench.review_contenders import REVIEW_CONTENDERS
from bench.reviews import read_review


def main(name: str, task: str, folder: str) -> None:
    warnings.simplefilter("ignore")
    of_patients = task in CONTENDERS.get(name, {})
    known, table = (CONTENDERS, read_table) if of_patients else (REVIEW_CONTENDERS, read_review)
    fit, read = known[name][task](table(Path(folder)))
    begin = time.perf_counter()
    fitted = fit()
    seconds = time.perf_counter() - begin
    print(json.dumps({"seconds": seconds, "peak_mib": peak_mib(), "answer": float(read(fitted))}))


def peak_mib() -> float:
    """The most memory this process has held; where Linux tells it, without what its parent held before it."""
    status = Path("/proc/self/status")
    if status.exists():
        line = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM"))
        return int(line.split()[1]) / 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1024**2 if sys.platform == "darwin" else 1024)


if __name__ == "__main__":
    main(*sys.argv[1:])

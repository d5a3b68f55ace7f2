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


def main(name: str, task: str, folder: str) -> None:
    warnings.simplefilter("ignore")
    fit, read = CONTENDERS[name][task](read_table(Path(folder)))
    begin = time.perf_counter()
    fitted = fit()
    seconds = time.perf_counter() - begin
    unit = 1024**2 if sys.platform == "darwin" else 1024
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit
    print(json.dumps({"seconds": seconds, "peak_mib": peak, "answer": float(read(fitted))}))


if __name__ == "__main__":
    main(*sys.argv[1:])

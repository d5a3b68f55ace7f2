"""Ours against the peers, in one run: ``python -m bench.run [--quick] [--only TASK] [--repeat K] [--limit SECONDS]``.

Each fit has a process of its own; contenders alternate, so that a busy minute hits all of them. Only the fit is timed; memory is the
peak of the whole process, imports and data included. The table goes to docs/benchmarks.md when every task was run.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from bench.contenders import CONTENDERS
from bench.patients import COVARIATES, write_table
from bench.review_contenders import REVIEW_CONTENDERS
from bench.reviews import write_reviews
from bench.study import N, write_study

HERE = Path(__file__).resolve().parent
PROGRAM = (sys.executable, "-c", "from counterpulse.cli.main import main; main()")
TASKS = {
    "logistic": "Logistic regression",
    "cox": "Cox regression, Efron",
    "cox-robust": "Cox regression, Efron, variance robust to 112 centers",
    "curves": "Kaplan-Meier and log-rank",
    "optimism": "Optimism of a logistic model, 50 bootstrap replicates",
    "stepwise": "Stepwise selection of a logistic model by AIC, 40 candidates",
    "screen": "Logistic models of each of 40 covariates alone, and a ladder of four models",
    "few-clusters": "Linear regression, CR2 variance and Satterthwaite degrees of freedom, 112 centers",
    "random-intercept": "Logistic regression with a random intercept of 112 centers, Laplace",
    "matching": "Propensity score, 1:1 matching with a caliper, and balance of every covariate (R: MatchIt, summary); pairs",
    "imputation": "Imputation of 42 columns by chained equations, 20 tables of 5 iterations (R: mice); values filled in",
}
REVIEWS = {
    "reviews": ("many", "10,000 meta-analyses of ten studies, REML; sum of the variances between studies"),
    "reviews-dl": ("many", "The same by DerSimonian and Laird"),
    "signs": ("bcg", "Exact test by the signs of 13 studies, 8,192 REML fits; P value"),
    "gosh": ("bcg", "All 8,178 subsets of 13 studies, REML; sum of the variances between studies"),
    "large-review": ("large", "One meta-analysis, REML; variance between studies"),
    "bayes": (
        "bcg",
        "Bayesian meta-analysis, half-normal prior, the whole posterior (SciPy: the mean alone); posterior mean of the effect",
    ),
    "network": ("network", "Network of 26 trials and 10 treatments, REML; sum of the effects"),
}
"""Tasks that pool studies, on one core, with their input."""
OF_REVIEWS = (
    "Studies pooled, on one core. SciPy computes the number that is compared and nothing beside it, from the likelihood as textbooks "
    "write it: a check more than a peer."
)
NOT_IN_R = ("bayes", "network")
"""Tasks that the R package at hand does not do, or does by another model."""
ONE_CORE = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1", "POLARS_MAX_THREADS": "1"}
SMALL_ONLY = ("optimism", "stepwise", "screen", "few-clusters", "random-intercept", "imputation")
"""Tasks that are not run on the larger table."""
WIDE = ("stepwise", "screen", "imputation")
"""Tasks on twice as many covariates."""
SIZES = (5_500, 1_000_000)
UNTIMED = ("logistic", "matching", *SMALL_ONLY)
QUICK_SIZES = (5_500, 100_000)
AGREEMENT = 1e-4


@dataclass(frozen=True)
class Run:
    """What one process reported; no seconds where it did not finish. A note is what ran, where a name does not say it."""

    seconds: float | None
    peak_mib: float | None
    answer: float | None
    why: str = ""
    note: str = ""


@dataclass(frozen=True)
class Row:
    """One contender's line of the table."""

    task: str
    n: int
    times: str
    contender: str
    runs: tuple[Run, ...]

    @property
    def seconds(self) -> float | None:
        done = [run.seconds for run in self.runs if run.seconds is not None]
        return statistics.median(done) if done else None

    @property
    def peak_mib(self) -> float | None:
        done = [run.peak_mib for run in self.runs if run.peak_mib is not None]
        return max(done) if done else None

    @property
    def answer(self) -> float | None:
        return next((run.answer for run in self.runs if run.answer is not None), None)


def main() -> None:
    options = arguments()
    with tempfile.TemporaryDirectory() as scratch:
        lines = [*heading(options), *table_of(measure(options, Path(scratch)))]
        if pooled := table_of(measure_reviews(options, Path(scratch))):
            lines += ["", OF_REVIEWS, *pooled]
        if not options.only or "study" in options.only:
            lines += command_line(Path(scratch), options)
        if not options.only or "chain" in options.only:
            lines += whole_chain(Path(scratch) / "chain", options)
        if not options.only or "report" in options.only:
            lines += reports(Path(scratch) / "registry", options)
    text = "\n".join(lines) + "\n"
    print(text)
    if not options.only:
        (HERE.parent / "docs" / "benchmarks.md").write_text(text, encoding="utf-8")


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="bench", description="Time counterpulse and its peers on the same data.")
    parser.add_argument("--quick", action="store_true", help="100,000 rows instead of 1,000,000")
    parser.add_argument(
        "--only",
        action="append",
        choices=[*TASKS, *REVIEWS, "study", "chain", "report"],
        help="one task; may be given again",
    )
    parser.add_argument("--repeat", type=int, default=3, help="runs of each contender; the median is printed")
    parser.add_argument("--limit", type=float, default=180.0, help="seconds after which a contender did not finish")
    return parser.parse_args()


def measure(options: argparse.Namespace, scratch: Path) -> Iterator[Row]:
    tasks = [task for task in TASKS if not options.only or task in options.only]
    for n in (QUICK_SIZES if options.quick else SIZES) if tasks else ():
        for times in ("tied", "distinct"):
            folder = scratch / f"{n}-{times}"
            write_table(folder, n, tied=times == "tied")
            write_table(scratch / "wide", SIZES[0], tied=True, covariates=2 * COVARIATES)
            for task in tasks:
                if n > SIZES[0] and task in SMALL_ONLY:
                    continue
                if times == "tied" or task not in UNTIMED:
                    yield from compare(task, n, times, scratch / "wide" if task in WIDE else folder, options)
            shutil.rmtree(folder)


def measure_reviews(options: argparse.Namespace, scratch: Path) -> Iterator[Row]:
    tasks = [task for task in REVIEWS if not options.only or task in options.only]
    if tasks:
        write_reviews(scratch)
    for task in tasks:
        folder = scratch / REVIEWS[task][0]
        with (folder / "table.csv").open() as file:
            n = sum(1 for _ in file) - 1
        yield from compare(task, n, "", folder, options)


def commands_of(task: str, folder: Path) -> dict[str, list[str]]:
    """What runs each contender that knows the task."""
    commands = {
        name: [sys.executable, "-m", "bench.contender", name, task, str(folder)]
        for name, known in (REVIEW_CONTENDERS if task in REVIEWS else CONTENDERS).items()
        if task in known
    }
    if shutil.which("Rscript") and task not in NOT_IN_R:
        script = "review.R" if task in REVIEWS else "contender.R"
        commands["R"] = ["Rscript", str(HERE / script), task, str(folder)]
    return commands


def compare(task: str, n: int, times: str, folder: Path, options: argparse.Namespace) -> Iterator[Row]:
    """Alternate the contenders; one that did not finish is not asked again."""
    commands = commands_of(task, folder)
    threads = ONE_CORE if task in REVIEWS else {}
    runs: dict[str, list[Run]] = {name: [] for name in commands}
    for _ in range(options.repeat):
        for name, command in commands.items():
            if not any(run.why for run in runs[name]):
                runs[name].append(once(command, options.limit, threads))
                print(f"{task} n={n} {times} {name}: {shown(runs[name][-1])}", file=sys.stderr, flush=True)
    for name, done in runs.items():
        yield Row(task, n, "" if task in UNTIMED else times, name, tuple(done))


def once(command: Sequence[str], limit: float, threads: Mapping[str, str]) -> Run:
    try:
        done = subprocess.run(
            command,
            capture_output=True,
            text=True,
            timeout=limit,
            cwd=HERE.parent,
            check=False,
            env=os.environ | threads,
        )
    except subprocess.TimeoutExpired:
        return Run(None, None, None, f"DNF (> {limit:g} s)")
    if done.returncode:
        return Run(None, None, None, f"failed: {last_words(done.stderr)}")
    return Run(**json.loads(done.stdout.strip().splitlines()[-1]))


def last_words(stderr: str) -> str:
    """The last line that tells why; R ends with one that does not."""
    lines = [
        line
        for line in stderr.strip().splitlines()
        if line.strip() and not line.startswith(("Execution halted", "Calls:"))
    ]
    return (lines or ["no message"])[-1].strip()[:80]


def shown(run: Run) -> str:
    return run.why or f"{run.seconds:.3f} s"


def heading(options: argparse.Namespace) -> list[str]:
    peers = ", ".join(f"{name} {version(name)}" for name in (*CONTENDERS, "numpy", "scipy", "polars"))
    return [
        "# Speed",
        "",
        f"Python {platform.python_version()}, {peers}; {os.cpu_count()} cores. {COVARIATES} covariates. Median of {options.repeat} runs of the "
        "fit alone; memory is the peak of the whole process. Ratio: times ours. Agrees: the treatment's number equals ours to "
        f"{AGREEMENT:g}.",
    ]


def table_of(rows: Iterator[Row]) -> list[str]:
    lines = [
        "",
        "| task | rows | times | contender | seconds | ratio | peak MiB | agrees |",
        "|---|--:|---|---|--:|--:|--:|---|",
    ]
    ours: Row | None = None
    for row in rows:
        ours = row if row.contender == "counterpulse" else ours
        lines.append(line_of(row, ours))
    return lines if len(lines) > 3 else []


def line_of(row: Row, ours: Row | None) -> str:
    note = next((f": {run.note.strip()}" for run in row.runs if run.note), "")
    words = REVIEWS[row.task][1] if row.task in REVIEWS else TASKS[row.task]
    head = f"| {words} | {row.n:,} | {row.times} | {row.contender}{note} |"
    if row.seconds is None:
        return f"{head} {row.runs[-1].why} | | | |"
    ratio = "" if ours is None or ours.seconds is None else f"{row.seconds / ours.seconds:.1f}"
    agrees = ""
    if ours is not None and ours.answer is not None and row.answer is not None:
        agrees = "yes" if abs(row.answer - ours.answer) <= AGREEMENT * max(1.0, abs(ours.answer)) else "no"
    return f"{head} {row.seconds:.3f} | {ratio} | {row.peak_mib:,.0f} | {agrees} |"


def command_line(scratch: Path, options: argparse.Namespace) -> list[str]:
    protocol = write_study(scratch / "study")
    out = scratch / "report"
    timed = {
        "`counterpulse --help`": [*PROGRAM, "--help"],
        f"`counterpulse run`, {N:,} patients x 42 columns, 6 analyses, 10 subgroups": [
            *PROGRAM, "run", str(protocol), "--out", str(out),
        ],
    }  # fmt: skip
    return [
        "",
        "| command | seconds |",
        "|---|--:|",
        *(timed_line(words, command, out, options) for words, command in timed.items()),
    ]


def whole_chain(folder: Path, options: argparse.Namespace) -> list[str]:
    """Imputation, matching and weighting in each table, six outcomes, ten subgroups, a bootstrap, the report."""
    protocol = write_study(folder, chain=True)
    words = (
        f"`counterpulse run`, {N:,} patients x 42 columns: 20 imputed tables, 1:1 matching and overlap weighting in each, 6 outcomes, "
        "10 subgroups, 1,000 bootstrap samples of one estimate, report"
    )
    command = [*PROGRAM, "run", str(protocol), "--out", str(folder / "report")]
    return ["", "| the whole chain | seconds |", "|---|--:|", timed_line(words, command, folder / "report", options)]


def timed_line(words: str, command: Sequence[str], out: Path, options: argparse.Namespace) -> str:
    """A command with the median of its seconds, each time into an empty folder."""
    seconds = []
    for _ in range(options.repeat):
        shutil.rmtree(out, ignore_errors=True)
        begin = time.perf_counter()
        said(command)
        seconds.append(time.perf_counter() - begin)
    return f"| {words} | {statistics.median(seconds):.2f} |"


def said(command: Sequence[str]) -> str:
    """What a command prints; one that fails ends the benchmark."""
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=HERE.parent)
    if done.returncode not in (0, 1):
        sys.exit(f"{' '.join(command)}\n{done.stderr or done.stdout}")
    return done.stdout


def reports(folder: Path, options: argparse.Namespace) -> list[str]:
    """The shipped registry study with as many patients as a registry has: its report alone, in a process of its own each time."""
    protocol, data, bundle = folder / "ecls-registry.protocol.yaml", folder / "mock.csv", folder / "bundle"
    said([*PROGRAM, "example", "ecls-registry", str(folder)])
    said([*PROGRAM, "mock", str(protocol), "--n", str(N), "--out", str(data)])
    said([*PROGRAM, "run", str(protocol), "--data", str(data), "--out", str(bundle)])
    runs = [
        json.loads(said([sys.executable, "-m", "bench.report", str(bundle), str(folder / f"again-{number}")]))
        for number in range(options.repeat)
    ]
    sizes = " | ".join(f"{size / 1e6:.2f}" for size in runs[0]["sizes"].values())
    seconds = statistics.median(run["seconds"] for run in runs)
    return [
        "", "| report after the analysis | seconds | files | HTML, MB | Word, MB | PDF, MB |", "|---|--:|--:|--:|--:|--:|",
        f"| `ecls-registry`, {N:,} patients: three formats, figures, tables | {seconds:.2f} | {runs[0]['files']} | {sizes} |",
    ]  # fmt: skip


if __name__ == "__main__":
    main()

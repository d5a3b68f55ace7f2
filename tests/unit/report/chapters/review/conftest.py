"""Reviews that are run once a session: the trials of BCG vaccine with everything asked of them, and a small network."""

from __future__ import annotations

import csv
from dataclasses import dataclass

import pytest

from counterpulse.protocol.plan import Plan
from counterpulse.report.chapters.context import Context
from counterpulse.report.chapters.order import compose
from counterpulse.report.document import Document
from counterpulse.report.number_styles import STYLES
from counterpulse.results import StudyResult
from counterpulse.study.load import read_study
from counterpulse.study.run import run

TRIALS = (
    ("Aronson 1948", 1948, 44, "random", 4, 123, 11, 139), ("Ferguson & Simes 1949", 1949, 55, "random", 6, 306, 29, 303),
    ("Rosenthal 1960", 1960, 42, "random", 3, 231, 11, 220), ("Hart & Sutherland 1977", 1977, 52, "random", 62, 13598, 248, 12867),
    ("Frimodt-Moller 1973", 1973, 13, "alternate", 33, 5069, 47, 5808), ("Stein & Aronson 1953", 1953, 44, "alternate", 180, 1541, 372, 1451),
    ("Vandiviere 1973", 1973, 19, "random", 8, 2545, 10, 629), ("TPT Madras 1980", 1980, 13, "random", 505, 88391, 499, 88391),
    ("Coetzee & Berjak 1968", 1968, 27, "random", 29, 7499, 45, 7277), ("Rosenthal 1961", 1961, 42, "systematic", 17, 1716, 65, 1665),
    ("Comstock 1974", 1974, 18, "systematic", 186, 50634, 141, 27338), ("Comstock & Webster 1969", 1969, 33, "systematic", 5, 2498, 3, 2341),
    ("Comstock 1976", 1976, 33, "systematic", 27, 16913, 29, 17854),
)  # fmt: skip
"""Colditz GA, et al. JAMA 1994;271:698-702: study, year, latitude, allocation, cases and people of both arms."""
COLUMNS = ("study", "year", "latitude", "allocation", "events_treated", "n_treated", "events_control", "n_control")
LEVELS = {
    "allocation": "random=Random|alternate=Alternate|systematic=Systematic",
    "bias": "low=Low|some concerns=Some concerns|high=High",
}
NUMBERS = (*COLUMNS[1:3], *COLUMNS[4:], "yi", "vi")
HEAD = "name,source,label,type,unit,levels,minimum,maximum,missing_codes,applies_if,integer,section"
WHOLE = """\
protocol: 1
study: {id: bcg, title: "BCG vaccine: a systematic review", design: review, registration: none, data_seen_before_plan: yes}
data: {table: table.csv, dictionary: dictionary.csv, one_row_per: effect}
question:
  population: people without tuberculosis
  exposure: BCG vaccine
  comparator: no vaccine
  designs: trials
  search: MEDLINE until 1993
  outcomes: {tb: {label: Tuberculosis, better: lower}}
screening:
  identified: {databases: 300, registers: 20}
  removed: {duplicates: 40}
  screened: 280
  excluded: 250
  sought: 30
  full_text: 30
  full_text_excluded: {no comparator: 16}
  included: {studies: 14, reports: 14}
effects: {measure: odds ratio, treated: Vaccine, control: No vaccine}
risk_of_bias: {tool: rob-2, columns: [bias]}
certainty: {tool: grade, judged: {tb: {indirectness: {rating: not serious, reason: people at risk}}}}
analyses:
  - {id: M1, role: primary, outcome: tb, leave_one_out: yes, permutation: yes, small_study_effects: [egger, harbord, trim-and-fill, pet-peese]}
  - {id: M2, role: sensitivity, of: M1, convention: revman-5.4}
  - {id: M3, role: sensitivity, of: M1, model: mantel-haenszel}
  - {id: M4, role: secondary, of: M1, moderators: [latitude]}
  - {id: B1, role: secondary, outcome: tb, method: bayesian-meta-analysis}
  - {id: S1, role: secondary, outcome: tb, method: sequential-meta-analysis, order: year, relative_risk_reduction: 0.2}
subgroups: {of: M1, by: [allocation]}
multiverse: {of: M1, vary: {Estimator: {REML: {}, DL: {tau2: DL}}}}
"""
NETWORK = """\
protocol: 1
study: {id: net, title: A network, design: review, registration: none, data_seen_before_plan: yes}
data: {table: table.csv, dictionary: dictionary.csv, one_row_per: effect}
question: {population: adults, exposure: drugs, comparator: placebo, outcomes: {stroke: {label: Stroke, better: lower}}}
analyses:
  - {id: N1, role: primary, outcome: stroke, method: network-meta-analysis, tau2: DL, reference: Placebo}
"""
CONTRASTS = (
    ("Able", "A", "Placebo", -0.5, 0.04), ("Baker", "A", "Placebo", -0.3, 0.06), ("Charlie", "B", "Placebo", -0.2, 0.05),
    ("Dog", "A", "B", -0.4, 0.07), ("Easy", "B", "Placebo", -0.1, 0.03),
)  # fmt: skip


@dataclass(frozen=True)
class Reviewed:
    """A review that was run."""

    plan: Plan
    result: StudyResult

    def context(self, style="plain") -> Context:
        return Context(self.plan, self.result, STYLES[style])

    def document(self, style="plain") -> Document:
        return compose(self.result, self.plan, style=style)


def written(folder, protocol, columns, rows):
    """A protocol with its table and dictionary on disk."""
    lines = [HEAD]
    for name in columns:
        kind = "category" if name in LEVELS else "number" if name in NUMBERS else "text"
        lines.append(
            f"{name},{name},{name.replace('_', ' ').capitalize()},{kind},{'degrees' if name == 'latitude' else ''},{LEVELS.get(name, '')},,,,,,"
        )
    (folder / "dictionary.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    with (folder / "table.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerows([columns, *rows])
    path = folder / "r.protocol.yaml"
    path.write_text(protocol, encoding="utf-8")
    return path


def made(path) -> Reviewed:
    plan, table = read_study(path)
    return Reviewed(plan, run(plan, table))


@pytest.fixture(scope="session")
def bcg_protocol(tmp_path_factory):
    """The trials with quotes and judgments, and one trial that prints no number."""
    rows = [
        (*trial, ("low", "some concerns", "high")[k % 3], f"p. {700 + k}", f"{trial[4]} of {trial[5]}")
        for k, trial in enumerate(TRIALS)
    ]
    rows.append(("Unprinted 1990", 1990, 10, "random", "", "", "", "", "high", "", ""))
    columns = (*COLUMNS, "bias", "source", "quote")
    return written(tmp_path_factory.mktemp("bcg"), WHOLE, columns, rows)


@pytest.fixture(scope="session")
def network_protocol(tmp_path_factory):
    return written(tmp_path_factory.mktemp("net"), NETWORK, ("study", "treated", "control", "yi", "vi"), CONTRASTS)


@pytest.fixture(scope="session")
def bcg(bcg_protocol) -> Reviewed:
    return made(bcg_protocol)


@pytest.fixture(scope="session")
def network(network_protocol) -> Reviewed:
    return made(network_protocol)

from dataclasses import dataclass
from pathlib import Path

import polars as pl
import pytest

from counterpulse.data import read_dictionary
from counterpulse.errors import DataError
from counterpulse.protocol import read_protocol
from counterpulse.protocol.lint_review import NUMBERS
from counterpulse.study.load import read_study
from counterpulse.study.patients.cohort import make_cohort
from counterpulse.study.planning.plan import draft_plan
from counterpulse.study.reviewing import columns
from counterpulse.study.run import run

TEXTS = (
    "study", "outcome", "treated", "control", "measure", "format", "source", "quote", "extractor", "registry", "selection",
    "comparability", "outcome_assessment", "randomization", "missing", "overall",
)  # fmt: skip
YES_NO = ("reversed", "complement", "p_below")
NAMES = (*TEXTS, *NUMBERS, "events", "time", "year", *YES_NO, "design")
KINDS = dict.fromkeys(TEXTS, "text") | dict.fromkeys(YES_NO, "yesno") | {"design": "category"}
LEVELS = {"design": "rct=Randomized trial|matched=Matched cohort|plain=Unmatched cohort"}
DICTIONARY = "name,source,label,type,unit,levels,minimum,maximum,missing_codes,applies_if,integer,section\n" + "".join(
    f"{name},,{name.capitalize()},{KINDS.get(name, 'number')},,{LEVELS.get(name, '')},,,,,,\n"
    for name in dict.fromkeys(NAMES)
)
PROTOCOL = {
    "protocol": "1",
    "study": "{id: r, title: A review, design: review, registration: none, data_seen_before_plan: yes}",
    "data": "{table: r.csv, dictionary: r.dictionary.csv, one_row_per: effect}",
    "question": "{population: adults, exposure: pump, comparator: no pump, outcomes: {death: {label: Death, better: lower}}}",
    "analyses": "[{id: M1, role: primary, outcome: death}]",
}


@dataclass
class WrittenReview:
    """A small review on disk: a few keys of its protocol, and a few rows of its table."""

    directory: Path

    def path(self, *rows, **keys):
        lines = [f"{name}: {value}" for name, value in (PROTOCOL | keys).items() if value]
        (self.directory / "r.dictionary.csv").write_text(DICTIONARY, encoding="utf-8")
        (self.directory / "r.protocol.yaml").write_text("\n".join(lines) + "\n", encoding="utf-8")
        self.table_file("r.csv", rows)
        return self.directory / "r.protocol.yaml"

    def table_file(self, name, rows):
        names = list(dict.fromkeys(NAMES))
        frame = pl.DataFrame(
            {column: [None if row.get(column) is None else str(row[column]) for row in rows] for column in names},
            schema=dict.fromkeys(names, pl.String),
        )
        frame.write_csv(self.directory / name)

    def drafted(self, **keys):
        protocol = read_protocol(self.path(**keys))
        return draft_plan(protocol, read_dictionary(self.directory / "r.dictionary.csv"))

    def plan(self, **keys):
        plan, findings = self.drafted(**keys)
        assert plan is not None, [finding.text() for finding in findings]
        return plan

    def codes(self, **keys):
        return [finding.code for finding in self.drafted(**keys)[1] if finding.severity == "error"]

    def cohort(self, *rows, **keys):
        plan, table = read_study(self.path(*rows, **keys))
        return make_cohort(plan, table)

    def effect(self, row, **keys):
        """Effect and variance of one row, with what was said of it."""
        frame = self.cohort({"study": "Ames 2001", "outcome": "death"} | row, **keys).frame
        return frame[columns.YI][0], frame[columns.VI][0], frame[columns.NOTE][0]

    def refused(self, *rows, **keys):
        """Codes and rows of the findings of a table that is refused."""
        with pytest.raises(DataError) as caught:
            self.cohort(*rows, **keys)
        return [(finding.code, finding.where.line) for finding in caught.value.findings]

    def result(self, *rows, **keys):
        plan, table = read_study(self.path(*rows, **keys))
        return run(plan, table)


@pytest.fixture
def review(tmp_path):
    return WrittenReview(tmp_path)


@pytest.fixture(scope="module")
def kept_review(tmp_path_factory):
    """A review that the tests of a file share."""
    return WrittenReview(tmp_path_factory.mktemp("review"))


@pytest.fixture(scope="session")
def counts():
    """Rows of counts: study, events and patients of both arms."""

    def rows(*studies, **more):
        names = ("study", "events_treated", "n_treated", "events_control", "n_control")
        return [dict(zip(names, study, strict=True)) | {"outcome": "death"} | more for study in studies]

    return rows


@pytest.fixture(scope="session")
def four(counts):
    return counts(
        ("Ames 2001", 10, 40, 14, 41),
        ("Bern 2005", 21, 60, 26, 58),
        ("Cork 2010", 8, 35, 9, 36),
        ("Dover 2016", 30, 90, 33, 91),
    )


def block_rows(result, kind, number=0):
    """The rows of a block of a result, each a dictionary."""
    found = [block for block in result.blocks if block.kind == kind][number]
    return [dict(zip(found.columns, values, strict=True)) for values in zip(*found.columns.values(), strict=True)]


@pytest.fixture(scope="session")
def rows_of():
    return block_rows

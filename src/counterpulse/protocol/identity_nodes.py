"""Which study it is, where its data are, what was changed, and how its report looks."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from counterpulse.protocol.node import Name, Node, Planned, StudyId
from counterpulse.protocol.words import Many, Text, YesNo


class Registration(Node):
    """Where the study was registered before it began."""

    registry: str = Field(description="The registry.", examples=["ClinicalTrials.gov"])
    id: Text = Field(description="The number in the registry.", examples=["NCT04369573"])
    date: Text | None = Field(default=None, description="The day of registration.")
    link: str | None = Field(default=None, description="The address of the record.")


class Study(Node):
    """The study itself."""

    id: StudyId = Field(description="A short id, used in file names.", examples=["my-study"])
    title: str = Field(description="The title of the report.", examples=["Balloon pump and death in cardiogenic shock"])
    design: Literal["cohort", "randomized-trial", "case-control", "single-arm", "review"] = Field(
        description="The design decides which keys are needed.", examples=["cohort"]
    )
    setting: str | None = Field(default=None, description="Where and when patients were treated.")
    registration: Registration | Literal["none"] = Field(
        default="none", description="The registration, or none; the report prints either."
    )
    ethics: Text | None = Field(default=None, description="The approval, as it is printed.")
    funding: Text | None = Field(default=None, description="Who paid, as it is printed.")
    planned: Planned | None = Field(
        default=None,
        description="When the analyses were planned: registered (needs a registration with date or link), stated here "
        "before the data were seen, or after-data.",
    )
    data_seen_before_plan: YesNo = Field(
        default=True, description="Whether anybody had seen the outcomes when this file was written; it is printed."
    )
    version: Text | None = Field(default=None, description="The version of this protocol.")
    date: Text | None = Field(default=None, description="The day of this version.")
    reporting: Annotated[tuple[str, ...], Many] = Field(
        default=(),
        description="Reporting guidelines whose checklists the report fills in: STROBE, RECORD, CONSORT-2025, PRISMA-2020, "
        "TARGET; by default the one of the design.",
        examples=[["STROBE", "RECORD"]],
    )


class DataSource(Node):
    """Where the table and its dictionary are. Not part of the protocol's digest."""

    table: str = Field(description="The file of the patients, beside the protocol.", examples=["patients.csv"])
    dictionary: str = Field(description="The file that says what each column means.", examples=["dictionary.csv"])
    sheet: str | None = Field(default=None, description="The sheet of an Excel file.")
    one_row_per: Literal["patient", "participant", "effect"] = Field(
        default="patient", description="What a row is; effect in a review."
    )
    id: Name | None = Field(default=None, description="The column with the study number, never a hospital number.")
    site: Name | None = Field(default=None, description="The column with the center.")
    kind: Literal["real", "mock", "synthetic", "simulated"] = Field(
        default="real", description="Whether the rows are real patients."
    )


class RelatedTable(Node):
    """A table with several rows a patient, such as blood gases."""

    file: str = Field(description="The file, beside the protocol.", examples=["gas.csv"])
    sheet: str | None = Field(default=None, description="The sheet of an Excel file.")
    dictionary: str | None = Field(default=None, description="The dictionary of this table.")
    one_row_per: str = Field(default="measurement", description="What a row is.")
    id: Name = Field(description="The column with the study number of the patient.", examples=["patient_id"])
    time: Name | None = Field(default=None, description="The column with the time of the measurement.")


class Amendment(Node):
    """A change of the protocol, printed in the report."""

    id: Text | None = Field(default=None, description="The number of the amendment.")
    date: Text = Field(description="The day of the change.", examples=["2025-02-10"])
    what: str = Field(description="What was changed.", examples=["Horizon changed from 28 to 30 days"])
    why: str = Field(description="Why it was changed.", examples=["registry reports at 30 days"])
    touches: tuple[str, ...] = Field(
        default=(), description="The ids and names it concerns: analyses, criteria, outcomes, variables, keys."
    )
    after_data_seen: YesNo = Field(description="Whether outcomes had been seen; it is printed.", examples=["no"])


class Privacy(Node):
    """What must not be shared."""

    small_cells: Annotated[int, Field(ge=0)] = Field(
        default=0, description="Counts below this number are suppressed in every shareable output; 0 for none."
    )


class TableOneLooks(Node):
    """How Table 1 is printed."""

    show: tuple[Literal["smd", "missing"], ...] = Field(
        default=("smd", "missing"), description="Columns beside the groups."
    )
    p_values: YesNo | Literal["refused"] = Field(
        default=False, description="P values of baseline differences; an error in a randomized trial."
    )
    overall: YesNo = Field(default=True, description="A column for all patients.")


class FigureLooks(Node):
    """Figures as a journal wants them, beside the SVG and PNG that are always written."""

    format: tuple[Literal["tiff", "eps", "pdf"], ...] | Literal["tiff", "eps", "pdf"] = Field(
        default=(), description="Further formats for print; several in brackets.", examples=["tiff"]
    )
    width: Literal["one-column", "two-column"] = Field(
        default="two-column", description="The printed width: 84 mm or 174 mm."
    )
    dpi: Annotated[int, Field(ge=72, le=1200)] = Field(default=600, description="Dots an inch of TIFF files.")
    risk_table: Literal["at-risk", "kmunicate"] = Field(
        default="kmunicate",
        description="Under curves: numbers at risk only, or at risk, events and censored by group (the KMunicate layout).",
    )

    @property
    def formats(self) -> tuple[str, ...]:
        """The formats asked for."""
        return (self.format,) if isinstance(self.format, str) else self.format


class ReportLooks(Node):
    """How the report looks. Not part of the protocol's digest."""

    style: Literal["jama", "nejm", "lancet", "bmj", "jacc", "annals", "plain"] = Field(
        default="plain", description="How numbers are printed."
    )
    table1: TableOneLooks = Field(default=TableOneLooks(), description="How Table 1 is printed.")
    outputs: tuple[Literal["html", "docx", "pdf", "json"], ...] = Field(
        default=("html", "docx", "pdf", "json"),
        description="The reports to write; results.json is written always, the other verbs read it.",
    )
    figures: FigureLooks = Field(default=FigureLooks(), description="Formats and sizes of figures for print.")
    line_numbers: YesNo = Field(default=False, description="Number the lines of the Word file, as peer reviewers ask.")
    separate_tables: YesNo = Field(
        default=False, description="Write each table also as a Word file of its own, as submission systems ask."
    )

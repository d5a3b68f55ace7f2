"""What the nodes of a protocol are made of."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, WithJsonSchema

IfUnknown = Literal["keep-patient", "remove-patient", "stop"]
ImmortalPlan = Literal["landmark", "clone-censor-weight", "time-varying", "sequential-trials", "ignore-and-report"]
OutcomeType = Literal["binary", "time-to-event", "continuous", "ordinal", "count", "composite"]
Role = Literal["primary", "secondary", "sensitivity", "exploratory"]
Planned = Literal["registered", "stated", "after-data"]

Name = Annotated[
    str,
    Field(pattern=r"^[^\W\d]\w*$"),
    WithJsonSchema({
        "type": "string",
        "pattern": r"^[^\s0-9!-/:-@\[-^`{-~][^\s!-/:-@\[-^`{-~]*$",
        "title": "a name (letters, digits and _, beginning with a letter)",
    }),
]  # fmt: skip
AnalysisId = Annotated[
    str,
    Field(pattern=r"^[A-Za-z][A-Za-z0-9_-]*$"),
    WithJsonSchema({
        "type": "string",
        "pattern": r"^[A-Za-z][A-Za-z0-9_-]*$",
        "title": "an id (letters, digits, - and _, beginning with a letter)",
    }),
]  # fmt: skip
StudyId = Annotated[
    str,
    Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$"),
    WithJsonSchema({
        "type": "string",
        "pattern": r"^[A-Za-z0-9][A-Za-z0-9._-]*$",
        "title": "an id (letters, digits, dots, - and _)",
    }),
]  # fmt: skip


Window = Annotated[
    str,
    Field(pattern=r"^\s*-?\d+(\.\d+)? +to +-?\d+(\.\d+)? +(minute|hour|day|week|month|year)s?\s*$"),
    WithJsonSchema({
        "type": "string",
        "pattern": r"^\s*-?\d+(\.\d+)? +to +-?\d+(\.\d+)? +(minute|hour|day|week|month|year)s?\s*$",
        "title": "a stretch of time around time zero, such as -6 to 0 hours",
    }),
]  # fmt: skip


class Node(BaseModel):
    """A frozen node; unknown keys are errors."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)

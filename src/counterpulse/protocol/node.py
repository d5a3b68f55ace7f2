"""What the nodes of a protocol are made of."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, WithJsonSchema

IfUnknown = Literal["keep-patient", "remove-patient", "stop"]
ImmortalPlan = Literal["landmark", "clone-censor-weight", "time-varying", "sequential-trials", "ignore-and-report"]
OutcomeType = Literal["binary", "time-to-event", "continuous", "ordinal", "count", "composite", "repeated"]
Role = Literal["primary", "secondary", "sensitivity", "exploratory"]
Planned = Literal["registered", "stated", "after-data"]

_ID = r"^[A-Za-z][A-Za-z0-9_-]*$"
_FILE_NAME = r"^[A-Za-z0-9][A-Za-z0-9._-]*$"
_WINDOW = r"^\s*-?\d+(\.\d+)? +to +-?\d+(\.\d+)? +(minute|hour|day|week|month|year)s?\s*$"
_NAME_FOR_EDITORS = r"^[^\s0-9!-/:-@\[-^`{-~][^\s!-/:-@\[-^`{-~]*$"  # their \w knows no letters beyond ASCII


def _worded(pattern: str, words: str) -> WithJsonSchema:
    """Describe a text to editors, and to the reader of a finding."""
    return WithJsonSchema({"type": "string", "pattern": pattern, "title": words})


Name = Annotated[
    str,
    Field(pattern=r"^[^\W\d]\w*$"),
    _worded(_NAME_FOR_EDITORS, "a name (letters, digits and _, beginning with a letter)"),
]
AnalysisId = Annotated[
    str, Field(pattern=_ID), _worded(_ID, "an id (letters, digits, - and _, beginning with a letter)")
]  # fmt: skip
StudyId = Annotated[str, Field(pattern=_FILE_NAME), _worded(_FILE_NAME, "an id (letters, digits, dots, - and _)")]
Window = Annotated[
    str, Field(pattern=_WINDOW), _worded(_WINDOW, "a stretch of time around time zero, such as -6 to 0 hours")
]  # fmt: skip


class Node(BaseModel):
    """A frozen node; unknown keys are errors."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)

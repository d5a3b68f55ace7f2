"""Where a protocol meets a method: plan, derive, run, explain, mock, draft."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from counterpulse.data.dictionary_reader import is_usable_name
    from counterpulse.protocol.plan_on_disk import plan_to_json as plan_json
    from counterpulse.results.on_disk import results_schema
    from counterpulse.results.study_result import StudyResult
    from counterpulse.study.cluster.address import Certificates
    from counterpulse.study.cluster.dask_workers import dask_workers
    from counterpulse.study.difference import Difference, diff, difference_lines
    from counterpulse.study.explain import explain_number, explanation_text, read_result
    from counterpulse.study.export.scripts import Exported, export_scripts
    from counterpulse.study.interview.draft import DraftedStudy, draft_study
    from counterpulse.study.interview.draft_redcap import draft_redcap_study
    from counterpulse.study.interview.question import NONE, Question, Wrong
    from counterpulse.study.load import check, read_plan, read_study, study_name
    from counterpulse.study.mock.mock import mock_table, usual_size, write_mock
    from counterpulse.study.mock.rehearsal import rehearse
    from counterpulse.study.patients.queries import private_queries, write_queries
    from counterpulse.study.planning.plan import make_plan
    from counterpulse.study.planning.plan_text import plan_as_text
    from counterpulse.study.rehearsing.rehearse import BATCH as REPLICATES_A_STEP
    from counterpulse.study.rehearsing.rehearse import rehearse_analyses
    from counterpulse.study.run import could_not_estimate, eligible_patients
    from counterpulse.study.schema import protocol_schema
    from counterpulse.study.short_table import summary_lines
    from counterpulse.study.verification import Verification, verification_lines, verify

__all__ = [
    "NONE",
    "REPLICATES_A_STEP",
    "Certificates",
    "Difference",
    "DraftedStudy",
    "Exported",
    "Question",
    "StudyResult",
    "Verification",
    "Wrong",
    "check",
    "could_not_estimate",
    "dask_workers",
    "diff",
    "difference_lines",
    "draft_redcap_study",
    "draft_study",
    "eligible_patients",
    "explain_number",
    "explanation_text",
    "export_scripts",
    "is_usable_name",
    "make_plan",
    "mock_table",
    "plan_as_text",
    "plan_json",
    "private_queries",
    "protocol_schema",
    "read_plan",
    "read_result",
    "read_study",
    "rehearse",
    "rehearse_analyses",
    "results_schema",
    "study_name",
    "summary_lines",
    "usual_size",
    "verification_lines",
    "verify",
    "write_mock",
    "write_queries",
]

_HOME = {
    "NONE": "study.interview.question",
    "Question": "study.interview.question",
    "Wrong": "study.interview.question",
    "is_usable_name": "data.dictionary_reader",
    "Certificates": "study.cluster.address",
    "dask_workers": "study.cluster.dask_workers",
    "Difference": "study.difference",
    "Exported": "study.export.scripts",
    "StudyResult": "results.study_result",
    "Verification": "study.verification",
    "check": "study.load",
    "diff": "study.difference",
    "difference_lines": "study.difference",
    "could_not_estimate": "study.run",
    "eligible_patients": "study.run",
    "private_queries": "study.patients.queries",
    "write_queries": "study.patients.queries",
    "DraftedStudy": "study.interview.draft",
    "draft_redcap_study": "study.interview.draft_redcap",
    "draft_study": "study.interview.draft",
    "explain_number": "study.explain",
    "explanation_text": "study.explain",
    "export_scripts": "study.export.scripts",
    "make_plan": "study.planning.plan",
    "mock_table": "study.mock.mock",
    "plan_json": "protocol.plan_on_disk",
    "plan_as_text": "study.planning.plan_text",
    "protocol_schema": "study.schema",
    "read_plan": "study.load",
    "read_result": "study.explain",
    "read_study": "study.load",
    "rehearse": "study.mock.rehearsal",
    "rehearse_analyses": "study.rehearsing.rehearse",
    "REPLICATES_A_STEP": "study.rehearsing.rehearse",
    "results_schema": "results.on_disk",
    "summary_lines": "study.short_table",
    "study_name": "study.load",
    "verification_lines": "study.verification",
    "verify": "study.verification",
    "usual_size": "study.mock.mock",
    "write_mock": "study.mock.mock",
}
_RENAMED = {"plan_json": "plan_to_json", "REPLICATES_A_STEP": "BATCH"}


def __getattr__(name: str) -> object:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"counterpulse.{_HOME[name]}"), _RENAMED.get(name, name))


def __dir__() -> list[str]:
    return sorted(__all__)

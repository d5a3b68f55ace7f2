"""From a plan and its result to the document: which tables, figures and sentences stand where."""

from counterpulse.report.compose.report import compose

__all__ = ["compose"]

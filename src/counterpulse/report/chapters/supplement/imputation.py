"""How missing values were filled in, for those who check it."""

from __future__ import annotations

from counterpulse.report.chapters.blocks.kinds import IMPUTATION
from counterpulse.report.chapters.blocks.renderers import rendered_kinds
from counterpulse.report.chapters.context import Context
from counterpulse.report.document import Section


def imputation_section(context: Context) -> Section | None:
    """Variables, predictors, chains and densities of each imputation; nothing where none was made."""
    blocks = rendered_kinds(context, IMPUTATION)
    return Section(id="imputation", title="Imputation of missing values", blocks=tuple(blocks)) if blocks else None
